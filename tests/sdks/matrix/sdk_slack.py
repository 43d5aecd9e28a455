"""slack_sdk: a message posted, sync and async (https://docs.slack.dev/reference/methods/chat.postMessage)."""

from __future__ import annotations

from typing import Any, Final

import slack_sdk
import slack_sdk.errors
from _cells import Call, Sdk, recovered, surfaced
from _shapes import SAID, exchange
from slack_sdk.web.async_client import AsyncWebClient

from pytest_agentfault.faults.status import Status

POSTED: Final = {
    "ok": True,
    "channel": "C123ABC456",
    "ts": "1503435956.000247",
    "message": {
        "text": SAID,
        "username": "ecto1",
        "bot_id": "B123ABC456",
        "type": "message",
        "ts": "1503435956.000247",
    },
}
REPLIES: Final = [exchange("POST", "https://slack.com/api/chat.postMessage", POSTED, asked={"channel": "C123ABC456"})]


def post() -> Any:
    """A message."""
    return slack_sdk.WebClient(token="xoxb-test").chat_postMessage(channel="C123ABC456", text=SAID)["message"]["text"]


async def apost() -> Any:
    """A message, async."""
    done = await AsyncWebClient(token="xoxb-test").chat_postMessage(channel="C123ABC456", text=SAID)
    return done["message"]["text"]


LIMIT: Final = Status(
    429, {"retry-after": "1"}, {"ok": False, "error": "ratelimited"}
)  # https://docs.slack.dev/apis/web-api/rate-limits
LIMITED: Final = surfaced(
    slack_sdk.errors.SlackApiError, note="no retry on a 429 unless RateLimitErrorRetryHandler is added"
)

AGAIN: Final = recovered(note="a POST is sent again: the message may stand there twice")

SDK: Final = Sdk(
    "slack_sdk",
    ("urllib.request", "aiohttp"),
    (
        Call("chat_postMessage()", post, SAID, REPLIES, {"429": LIMITED, "reset": AGAIN}),
        Call("chat_postMessage(), async", apost, SAID, REPLIES, {"429": LIMITED, "reset": AGAIN}),
    ),
    scenarios={"429": LIMIT},
)
