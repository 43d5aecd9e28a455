"""
Stay: an invented booking site, for a chain of six calls that end in money (`booking_agent`).
"""

from __future__ import annotations

from typing import Any

from .wire import Answer, Asked, answer_json

STAYS: list[dict[str, Any]] = [
    {"id": "STAY-101", "name": "Grand Alster", "cents_per_night": 21900, "rooms_left": 7},
    {"id": "STAY-102", "name": "Hafenblick", "cents_per_night": 12900, "rooms_left": 2},
    {"id": "STAY-103", "name": "Zum Anker", "cents_per_night": 14550, "rooms_left": 0},
]


def answer(asked: Asked) -> Answer | None:
    """Searches, stays, quotes, reservations, payments, and the confirmation of a reservation."""
    match [asked.method, *asked.path.strip("/").split("/")]:
        case ["GET", "v1", "stays"]:
            return answer_json({"city": asked.query["city"][0], "total": len(STAYS), "stays": STAYS})
        case ["GET", "v1", "stays", stay]:
            found = next(one for one in STAYS if one["id"] == stay)
            return answer_json({**found, "city": "Hamburg", "checkin": "15:00", "breakfast": True})
        case ["POST", "v1", "quotes"]:
            nights, stay = asked.json["nights"], asked.json["stay"]
            each = next(one["cents_per_night"] for one in STAYS if one["id"] == stay)
            said = {"id": "Q-7001", "stay": stay, "nights": nights, "cents_per_night": each, "cents": nights * each}
            return answer_json({**said, "currency": "EUR", "valid_until": "2026-01-01T00:15:00Z"}, 201)
        case ["POST", "v1", "reservations"]:
            return answer_json({"id": "R-9001", "quote": asked.json["quote"], "cents": 38700, "state": "held"}, 201)
        case ["POST", "v1", "payments"]:
            return answer_json({"id": "P-501", **asked.json, "state": "paid"}, 201)
        case ["POST", "v1", "reservations", reservation, "confirm"]:
            return answer_json({"id": reservation, "state": "confirmed", "paid_cents": 38700})
        case _:
            return None
