"""A team's own client for its own vendor: where is a parcel, and print me a label."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx

BASE = "https://api.parcel.example"


class ParcelError(Exception):
    """The carrier could not help; the text says why."""


def where_is(number: str, base: str = BASE) -> str:
    """The last stop of a parcel."""
    return str(_call("GET", f"{base}/v1/parcels/{number}")["stops"][-1])


def label(to: str, base: str = BASE) -> str:
    """Buy a label; gives its number."""
    number = str(_call("POST", f"{base}/v1/labels", json={"to": to})["label"])
    if not re.fullmatch(r"LBL-\d{4}", number):
        raise ParcelError(f"this is no label: {number}")
    return number


def _call(method: str, url: str, **more: Any) -> Any:
    for _ in range(3):
        reply = httpx.request(method, url, **more)
        told = reply.json()
        if reply.status_code == 420:  # Parcel's own: "the depot is closed, come again in N seconds"
            time.sleep(told["comeAgainIn"])
            continue
        if told.get("fault"):  # Parcel's own: a failure that says 200
            raise ParcelError(f"{told['fault']['no']}: {told['fault']['text']}")
        return told
    raise ParcelError("the depot stays closed")
