"""sgqlc: one query through its endpoint on urllib.request (https://linear.app/developers/graphql)."""

from __future__ import annotations

import http.client
from typing import Any, Final

import requests
from _cassettes import CASSETTES, ISSUES, LINEAR, QUERY
from _cells import Call, Sdk, surfaced, unnoticed
from sgqlc.endpoint.http import HTTPEndpoint
from sgqlc.endpoint.requests import RequestsEndpoint


def by_urllib() -> Any:
    """The issues."""
    return HTTPEndpoint(LINEAR, {"Authorization": "test"}, timeout=30)(QUERY).get("data")


def by_requests() -> Any:
    """The issues."""
    return RequestsEndpoint(LINEAR, {"Authorization": "test"}, timeout=30)(QUERY).get("data")


TOLD: Final = unnoticed(None, note="nothing is raised: `errors` is in the result, and `data` is None")
REPLIES: Final = CASSETTES["linear"][1]

SDK: Final = Sdk(
    "sgqlc",
    ("urllib.request", "requests"),
    (
        Call(
            "HTTPEndpoint",
            by_urllib,
            ISSUES["data"],
            REPLIES,
            {"429": TOLD, "reset": surfaced((http.client.RemoteDisconnected, ConnectionResetError))},
        ),
        Call(
            "RequestsEndpoint",
            by_requests,
            ISSUES["data"],
            REPLIES,
            {"429": TOLD, "reset": surfaced(requests.ConnectionError)},
        ),
    ),
    scenarios={"429": "linear/rate-limited"},
)
