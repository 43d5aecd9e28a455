"""The six calls of Stay's API that a booking takes, and what is known of one when it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

URL = "https://api.stay.example"


class BookingError(Exception):
    """There is no booking, and nothing was paid that is not said here."""


@dataclass(frozen=True, slots=True)
class Trip:
    """What somebody wants."""

    city: str
    nights: int
    most_cents: int


@dataclass(frozen=True, slots=True)
class Booking:
    """What was booked, and what was paid for it."""

    stay: str
    nights: int
    paid_cents: int


class Stay:
    """Close it after use (or use it in a `with`)."""

    def __init__(self, base: str = URL) -> None:
        self._http = httpx.Client(base_url=base, timeout=10)

    def search(self, city: str) -> Any:
        """Step one: what there is in a city."""
        return self._said("GET", "/v1/stays", params={"city": city})

    def details(self, stay: str) -> Any:
        """Step two: one of them."""
        return self._said("GET", f"/v1/stays/{stay}")

    def quote(self, stay: str, nights: int) -> Any:
        """Step three: what it costs."""
        return self._said("POST", "/v1/quotes", json={"stay": stay, "nights": nights})

    def reserve(self, quote: str) -> Any:
        """Step four: it is held."""
        return self._said("POST", "/v1/reservations", json={"quote": quote})

    def pay(self, reservation: str, cents: int) -> Any:
        """Step five: the money is gone."""
        return self._said("POST", "/v1/payments", json={"reservation": reservation, "cents": cents})

    def confirm(self, reservation: str) -> Any:
        """Step six: it is booked."""
        return self._said("POST", f"/v1/reservations/{reservation}/confirm")

    def __enter__(self) -> Stay:
        return self

    def __exit__(self, *problem: object) -> None:
        self._http.close()

    def _said(self, method: str, path: str, **asked: Any) -> Any:
        return self._http.request(method, path, **asked).raise_for_status().json()
