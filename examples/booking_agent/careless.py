"""
An agent that books what it is told: each step takes the step before at its word.

It works on every recording. Find what is wrong with it by a lie at step three;
`careful.py` has the cure.
"""

from __future__ import annotations

from stay import URL, Booking, BookingError, Stay, Trip


def book(trip: Trip, base: str = URL) -> Booking:
    """Search, select, check the price, reserve, pay, confirm."""
    with Stay(base) as stay:
        found = [one for one in stay.search(trip.city)["stays"] if one.get("rooms_left")]
        if not found:
            raise BookingError(f"nothing is free in {trip.city}")
        chosen = stay.details(min(found, key=lambda one: one["cents_per_night"])["id"])
        quote = stay.quote(chosen["id"], trip.nights)
        cents = int(quote.get("cents", 0))
        held = stay.reserve(quote["id"])
        stay.pay(held["id"], cents)
        stay.confirm(held["id"])
        return Booking(chosen["id"], quote.get("nights", trip.nights), cents)
