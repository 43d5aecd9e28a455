"""
The same agent, which says to each step what it knows from the others.

Rule: nothing is paid before the price, the quantity and the thing agree with
what was found and with what was asked for. What does not agree is asked once
more, since most lies are told once; then there is no booking.
"""

from __future__ import annotations

from typing import Any

from stay import URL, Booking, BookingError, Stay, Trip


class Mismatch(BookingError):
    """Two replies contradict each other, or the wish."""


def book(trip: Trip, base: str = URL) -> Booking:
    """Search, select, check the price, reserve, pay, confirm."""
    with Stay(base) as stay:
        found = [one for one in stay.search(trip.city)["stays"] if one.get("rooms_left")]
        if not found:
            raise BookingError(f"nothing is free in {trip.city}")
        best = min(found, key=lambda one: one["cents_per_night"])
        chosen = stay.details(best["id"])
        _agree("the stay", chosen, id=best["id"], cents_per_night=best["cents_per_night"])
        quote = _quoted(stay, trip, chosen)
        if quote["cents"] > trip.most_cents:
            raise BookingError(f"{quote['cents']} cents are more than {trip.most_cents}")
        held = stay.reserve(quote["id"])
        _agree("the reservation", held, quote=quote["id"], cents=quote["cents"], state="held")
        paid = stay.pay(held["id"], quote["cents"])
        _agree("the payment", paid, reservation=held["id"], cents=quote["cents"], state="paid")
        done = stay.confirm(held["id"])
        _agree("the confirmation", done, id=held["id"], paid_cents=quote["cents"], state="confirmed")
        return Booking(chosen["id"], trip.nights, quote["cents"])


def _quoted(stay: Stay, trip: Trip, chosen: Any) -> Any:
    """A price that is the price found, so many times; twice asked at most, for a quote costs nothing."""
    each = chosen["cents_per_night"]
    for last in (False, True):
        quote = stay.quote(chosen["id"], trip.nights)
        try:
            _agree(
                "the quote",
                quote,
                stay=chosen["id"],
                nights=trip.nights,
                cents_per_night=each,
                cents=each * trip.nights,
                currency="EUR",
            )
        except Mismatch:
            if last:
                raise
        else:
            return quote
    raise AssertionError("the last attempt returns or raises")


def _agree(what: str, said: Any, **known: object) -> None:
    """It has an id to go on with, and every value is there, of its type, and what is known already."""
    fields = said if isinstance(said, dict) else {}
    if not isinstance(fields.get("id"), str):
        raise Mismatch(f"{what} says id = {fields.get('id')!r}, and that is none")
    for name, value in known.items():
        there = fields.get(name)
        if type(there) is not type(value) or there != value:
            raise Mismatch(f"{what} says {name} = {there!r}, and it is {value!r}")
