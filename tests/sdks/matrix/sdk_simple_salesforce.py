"""simple-salesforce: a contact read and a contact made, in a session that exists (https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/)."""

from __future__ import annotations

from typing import Any, Final

import requests
import simple_salesforce
from _cells import Call, Sdk, surfaced
from _shapes import exchange

from pytest_agentfault.faults.status import Status

SITE: Final = "https://acme.my.salesforce.com"
URL: Final = f"{SITE}/services/data/v59.0/sobjects/Contact/"
CONTACT: Final = {"attributes": {"type": "Contact"}, "Id": "003e0000003GuNXAA0", "LastName": "Lovelace"}
READ: Final = [exchange("GET", f"{URL}003e0000003GuNXAA0", CONTACT)]
MADE: Final = [exchange("POST", URL, {"id": CONTACT["Id"], "success": True, "errors": []}, asked={}, status=201)]


def contacts() -> Any:
    """The contacts, as anybody gets there with a session."""
    return simple_salesforce.Salesforce(instance_url=SITE, session_id="test", version="59.0").Contact


def read() -> Any:
    """The name of a contact."""
    return contacts().get("003e0000003GuNXAA0")["LastName"]


def write() -> Any:
    """A new contact: its id."""
    return contacts().create({"LastName": "Lovelace"})["id"]


# https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm : never a 429
LIMIT: Final = Status(
    403,
    {"Sforce-Limit-Info": "api-usage=15000/15000"},
    [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}],
)
LIMITED: Final = surfaced(simple_salesforce.SalesforceRefusedRequest, note="the vendor says it with a 403")
LOST: Final = surfaced(requests.ConnectionError)

SDK: Final = Sdk(
    "simple-salesforce",
    ("requests",),
    (
        Call("Contact.get()", read, "Lovelace", READ, {"429": LIMITED, "reset": LOST}),
        Call("Contact.create()", write, CONTACT["Id"], MADE, {"429": LIMITED, "reset": LOST}),
    ),
    scenarios={"429": LIMIT},
    own=("simple_salesforce",),
)
