"""The client of an invented shop: what the pages put under faults."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx


class ShopError(Exception):
    """The shop could not help; the text says why."""


class Shop:
    """Asks the shop; three attempts for what may be asked again, and one fresh token when the old one is refused."""

    def __init__(self, base: str, token: Callable[[], str]) -> None:
        self._token = token
        self._client = httpx.Client(base_url=base, timeout=10)
        self._sign_in()

    def order(self, number: int) -> dict[str, Any]:
        """One order."""
        return self._read(f"/orders/{number}")

    def price(self, number: int) -> str:
        """What an order costs, as a naive reader takes it: what is not there is empty."""
        return str(self._client.get(f"/orders/{number}").json().get("price", ""))

    def buy(self, item: str) -> int:
        """Place an order; its number. Never sent twice."""
        reply = self._client.post("/orders", json={"item": item})
        reply.raise_for_status()
        return int(reply.json()["number"])

    def story(self) -> str:
        """The shop's story, which comes as a stream of events."""
        return "".join(event["text"] for event in self._events("/story"))

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def _read(self, path: str) -> Any:
        for _ in range(3):
            try:
                reply = self._client.get(path)
            except httpx.TransportError:
                time.sleep(1)
                continue
            if reply.status_code in (429, 503):
                time.sleep(float(reply.headers.get("retry-after", 1)))
            elif reply.status_code == 401:
                self._sign_in()
            else:
                try:
                    return reply.json()
                except ValueError as error:
                    raise ShopError(f"this is not JSON: {reply.text[:20]!r}") from error
        raise ShopError("the shop does not answer")

    def _events(self, path: str) -> Iterator[Any]:
        with self._client.stream("GET", path) as reply:
            for line in reply.iter_lines():
                if line.startswith("data: "):
                    if line == "data: end":
                        return
                    yield json.loads(line.removeprefix("data: "))
        raise ShopError("the story broke off")

    def _sign_in(self) -> None:
        self._client.headers["authorization"] = f"Bearer {self._token()}"
