"""hubspot-api-client: a contact read and a contact made (https://developers.hubspot.com/docs/api-reference/crm-contacts-v3)."""

from __future__ import annotations

from typing import Any, Final

import hubspot
import urllib3
from _cells import Call, Sdk, recovered, surfaced
from _shapes import exchange
from hubspot.crm.contacts import SimplePublicObjectInputForCreate
from hubspot.crm.contacts.exceptions import ApiException

from pytest_agentfault.faults.status import Status

URL: Final = "https://api.hubapi.com/crm/v3/objects/contacts"
CONTACT: Final = {
    "id": "512",
    "properties": {"email": "ada@example.com", "firstname": "Ada"},
    "createdAt": "2019-10-30T03:30:17.883Z",
    "updatedAt": "2019-12-07T16:50:06.678Z",
    "archived": False,
}
READ: Final = [exchange("GET", f"{URL}/512?archived=False", CONTACT)]
MADE: Final = [exchange("POST", URL, CONTACT, asked={}, status=201)]


def contacts() -> Any:
    """The contacts of the API, as anybody gets there."""
    return hubspot.Client.create(access_token="test").crm.contacts.basic_api


def read() -> Any:
    """The first name of a contact."""
    return contacts().get_by_id("512", archived=False).properties["firstname"]


def write() -> Any:
    """The first name of a new contact."""
    made = SimplePublicObjectInputForCreate(properties={"firstname": "Ada"}, associations=[])
    return contacts().create(simple_public_object_input_for_create=made).properties["firstname"]


# https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines : nothing says when to come back
LIMIT: Final = Status(
    429,
    {"X-HubSpot-RateLimit-Interval-Milliseconds": "10000", "X-HubSpot-RateLimit-Remaining": "0"},
    {
        "status": "error",
        "message": "You have reached your ten_secondly_rolling limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": "64f5906e-d941-43a8-88fe-367aa32bf1a7",
        "policyName": "TEN_SECONDLY_ROLLING",
    },
)
LIMITED: Final = surfaced(ApiException)

SDK: Final = Sdk(
    "hubspot-api-client",
    ("urllib3",),
    (
        Call("get_by_id()", read, "Ada", READ, {"429": LIMITED, "reset": recovered()}),
        Call("create()", write, "Ada", MADE, {"429": LIMITED, "reset": surfaced(urllib3.exceptions.ProtocolError)}),
    ),
    scenarios={"429": LIMIT},
    own=("hubspot",),
)
