"""
Parcel: an invented carrier, in the place of a team's own internal vendor (`custom_scenario`).
"""

from __future__ import annotations

from .wire import Answer, Asked, answer_json


def answer(asked: Asked) -> Answer | None:
    """`GET /v1/parcels/{number}` and `POST /v1/labels`."""
    match [asked.method, *asked.path.strip("/").split("/")]:
        case ["GET", "v1", "parcels", number]:
            return answer_json({"number": number, "state": "in_transit", "stops": ["Hamburg", "Köln"], "kg": 2.5})
        case ["POST", "v1", "labels"]:
            return answer_json({"label": "LBL-0001", "to": asked.json["to"], "cents": 549}, 201)
        case _:
            return None
