"""boto3: bedrock-runtime's converse, and its event stream (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html)."""

from __future__ import annotations

import json
from binascii import crc32
from struct import pack
from typing import Any, Final

import boto3
from _cells import HELD, Call, Sdk, recovered, surfaced
from _shapes import SAID, exchange, pieces
from urllib3.exceptions import ProtocolError

from pytest_agentfault.faults.status import Status

MODEL: Final = "amazon.nova-x"
URL: Final = f"https://bedrock-runtime.us-east-1.amazonaws.com/model/{MODEL}"
ASKED: Final[Any] = {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "Does it work?"}]}]}
DONE: Final = {
    "output": {"message": {"role": "assistant", "content": [{"text": SAID}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 12, "outputTokens": 9, "totalTokens": 21},
    "metrics": {"latencyMs": 551},
}
STREAM: Final = "application/vnd.amazon.eventstream"


def frame(name: str, said: Any) -> bytes:
    """One event: lengths, their checksum, headers, payload, checksum (https://smithy.io/2.0/aws/amazon-eventstream.html)."""
    told = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        pack("!B", len(key)) + key.encode() + pack("!BH", 7, len(value)) + value.encode() for key, value in told.items()
    )
    payload = json.dumps(said, ensure_ascii=False).encode()
    prelude = pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + pack("!I", crc32(prelude)) + headers + payload
    return message + pack("!I", crc32(message))


EVENTS: Final = b"".join(
    [
        frame("messageStart", {"role": "assistant"}),
        *(frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": piece}}) for piece in pieces(SAID)),
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("messageStop", {"stopReason": "end_turn"}),
        frame("metadata", {"usage": DONE["usage"], "metrics": DONE["metrics"]}),
    ]
)
WHOLE: Final = [exchange("POST", f"{URL}/converse", DONE, asked={})]
STREAMED: Final = [exchange("POST", f"{URL}/converse-stream", "", asked={})]
STREAMED[0]["response"]["body"]["string"] = EVENTS
STREAMED[0]["response"]["headers"] = {"Content-Type": [STREAM], "Transfer-Encoding": ["chunked"]}


def bedrock() -> Any:
    """The client, with keys that are given."""
    return boto3.client(
        "bedrock-runtime", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )


def converse() -> Any:
    """A message."""
    return bedrock().converse(**ASKED)["output"]["message"]["content"][0]["text"]


def converse_stream() -> Any:
    """A message, streamed and put together."""
    told = bedrock().converse_stream(**ASKED)["stream"]
    return "".join(event["contentBlockDelta"]["delta"]["text"] for event in told if "contentBlockDelta" in event)


LIMIT: Final = Status(
    429,
    {"x-amzn-ErrorType": "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"},
    {"message": "Too many tokens, please wait before trying again."},
)
PLAIN: Final = {"429": recovered(2), "reset": recovered()}

SDK: Final = Sdk(
    "boto3",
    ("botocore", "urllib3"),
    (
        Call("bedrock converse()", converse, SAID, WHOLE, PLAIN),
        Call(
            "bedrock converse_stream()",
            converse_stream,
            SAID,
            STREAMED,
            {
                **PLAIN,
                "split": HELD,
                "cut": surfaced(ProtocolError, note="raw, of urllib3: none of botocore's own errors"),
            },
        ),
    ),
    scenarios={"429": LIMIT},
)
