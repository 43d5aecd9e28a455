"""
A chain of six calls behind OAuth2: read a ticket, its customer and the order, refund, comment, close.

What can go wrong is that the session ends on the way: then the call that was
refused is made again with a new token, and no other.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from typing import Any

import httpx
import openai


class SignedOut(Exception):
    """The refresh token is dead too: somebody has to sign in again."""


class Session(httpx.Auth):
    """Bearer tokens, renewed once for all calls that were refused together."""

    def __init__(self, refresh_token: str, base: str) -> None:
        self._refresh_token = refresh_token
        self._endpoint = f"{base}/oauth/token"
        self._token = ""
        self._lock = threading.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The call, and after a 401 once more with a new token."""
        used = self._token
        if used:
            reply = yield self._signed(request)
            if reply.status_code != 401:
                return
        with self._lock:
            if self._token == used:  # nobody has renewed it meanwhile
                asked = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
                said = yield httpx.Request("POST", self._endpoint, json=asked)
                said.read()
                if said.status_code in (400, 401, 403):
                    raise SignedOut(said.json().get("error_description", "no reason given"))
                said.raise_for_status()
                self._token = said.json()["access_token"]
                self._refresh_token = said.json().get("refresh_token", self._refresh_token)
        yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Desk:
    """A client of the help desk."""

    def __init__(self, refresh_token: str, base: str = "https://api.desk.example") -> None:
        self._http = httpx.Client(base_url=f"{base}/v1", auth=Session(refresh_token, base), timeout=10)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call; an error raises."""
        return self._http.request(method, path, json=body).raise_for_status().json()


def refund(desk: Desk, ticket: int) -> str:
    """Refund what a ticket is about; the state of the ticket afterwards."""
    told = desk.call("GET", f"/tickets/{ticket}")
    customer = desk.call("GET", f"/customers/{told['customer']}")
    order = desk.call("GET", f"/orders/{customer['last_order']}")
    paid = desk.call("POST", "/refunds", {"order": order["id"], "cents": order["cents"]})
    desk.call("POST", f"/tickets/{ticket}/comments", {"text": f"Refunded {paid['cents']} cents."})
    return str(desk.call("POST", f"/tickets/{ticket}/close", {})["state"])


def letter(token: Callable[[], str], base: str = "https://api.openai.com/v1") -> str:
    """A letter, streamed by a model whose session may end in the middle: then once more, from its beginning."""
    for _ in range(2):
        client = openai.OpenAI(api_key=token(), base_url=base, max_retries=0)
        asked: Any = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Greet me."}], "stream": True}
        try:
            return "".join(chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**asked))
        except openai.APIError as error:
            if error.code != "token_expired" and not isinstance(error, openai.AuthenticationError):
                raise
    raise SignedOut("two tokens were refused")
