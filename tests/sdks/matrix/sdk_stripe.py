"""stripe: a customer read and a customer made (https://docs.stripe.com/api/customers)."""

from __future__ import annotations

from typing import Any, Final

import stripe
from _cells import Call, Sdk, recovered, surfaced
from _shapes import exchange

from pytest_agentfault.faults.status import Status

URL: Final = "https://api.stripe.com/v1/customers"
CUSTOMER: Final = {
    "id": "cus_NffrFeUfNV2Hib",
    "object": "customer",
    "created": 1680893993,
    "email": "jenny.rosen@example.com",
    "livemode": False,
    "metadata": {},
    "name": "Jenny Rosen",
}
READ: Final = [exchange("GET", f"{URL}/cus_NffrFeUfNV2Hib", CUSTOMER)]
MADE: Final = [exchange("POST", URL, CUSTOMER, asked={})]


def retrieve() -> Any:
    """The name of a customer."""
    return stripe.StripeClient("sk_test_x").v1.customers.retrieve("cus_NffrFeUfNV2Hib").name


def create() -> Any:
    """The name of a new customer."""
    return stripe.StripeClient("sk_test_x").v1.customers.create({"name": "Jenny Rosen"}).name


def by_class() -> Any:
    """The name of a customer, as it was asked for before there were clients."""
    return stripe.Customer.retrieve("cus_NffrFeUfNV2Hib", api_key="sk_test_x").name


async def acreate() -> Any:
    """The name of a new customer, async."""
    return (await stripe.StripeClient("sk_test_x").v1.customers.create_async({"name": "Jenny Rosen"})).name


TOO_MANY: Final = {"type": "invalid_request_error", "code": "rate_limit", "message": "Request rate limit exceeded."}
# https://docs.stripe.com/rate-limits
LIMIT: Final = Status(429, {"Stripe-Rate-Limited-Reason": "global-rate"}, {"error": TOO_MANY})
LIMITED: Final = surfaced(stripe.RateLimitError)

LOST: Final = surfaced(
    stripe.APIConnectionError, note="a StripeClient retries nothing unless `max_network_retries` is given"
)

SDK: Final = Sdk(
    "stripe",
    ("requests", "httpx"),
    (
        Call("retrieve()", retrieve, "Jenny Rosen", READ, {"429": LIMITED, "reset": LOST}),
        Call("Customer.retrieve()", by_class, "Jenny Rosen", READ, {"429": LIMITED, "reset": recovered()}),
        Call("create()", create, "Jenny Rosen", MADE, {"429": LIMITED, "reset": LOST}),
        Call("create_async()", acreate, "Jenny Rosen", MADE, {"429": LIMITED, "reset": LOST}),
    ),
    scenarios={"429": LIMIT},
    warns=("ignore:Use 'content=:DeprecationWarning",),
)
