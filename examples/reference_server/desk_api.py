"""
Desk: an invented help desk behind OAuth2, in the place of any SaaS whose tokens run out (`refund_chain`).

Shapes of the token endpoint: RFC 6749 section 5.1.
"""

from __future__ import annotations

from .wire import Answer, Asked, answer_json

BASE = "https://api.desk.example"


def answer(asked: Asked) -> Answer | None:
    """The token endpoint, and the six calls of a refund."""
    match [asked.method, *asked.path.strip("/").split("/")]:
        case ["POST", "oauth", "token"]:
            pair = {"access_token": "not-a-secret-1", "refresh_token": "not-a-secret-2"}
            return answer_json({**pair, "token_type": "bearer", "expires_in": 3600})
        case ["GET", "v1", "tickets", number]:
            return answer_json({"id": int(number), "customer": 3, "text": "The lamp came broken."})
        case ["GET", "v1", "customers", number]:
            return answer_json({"id": int(number), "name": "Ada", "last_order": 12})
        case ["GET", "v1", "orders", number]:
            return answer_json({"id": int(number), "item": "lamp", "cents": 1250})
        case ["POST", "v1", "refunds"]:
            return answer_json({"id": 900, **asked.json}, 201)
        case ["POST", "v1", "tickets", _, "comments"]:
            return answer_json({"id": 901}, 201)
        case ["POST", "v1", "tickets", number, "close"]:
            return answer_json({"id": int(number), "state": "closed"})
        case _:
            return None
