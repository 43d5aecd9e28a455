"""SDKs of models, each told of three retries in its own words; each is imported where it is used."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from _caller import Caller
from _cassettes import CASSETTES
from _shapes import SAID, chat, exchange

sys.path.append(str(Path(__file__).parents[1] / "matrix"))  # litellm has one set of crutches, and it is there

ASKED: Final[Any] = {"model": "any", "messages": [{"role": "user", "content": "Does it work?"}]}


@contextmanager
def openai(base: str) -> Iterator[Callable[[], Any]]:
    """A chat completion."""
    import openai

    with openai.OpenAI(api_key="test", base_url=f"{base}/v1", max_retries=3) as client:
        yield lambda: client.chat.completions.create(**ASKED).choices[0].message.content


@asynccontextmanager
async def openai_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A chat completion, async."""
    import openai

    async with openai.AsyncOpenAI(api_key="test", base_url=f"{base}/v1", max_retries=3) as client:

        async def call() -> Any:
            return (await client.chat.completions.create(**ASKED)).choices[0].message.content

        yield call


@contextmanager
def anthropic(base: str) -> Iterator[Callable[[], Any]]:
    """A message."""
    import anthropic

    with anthropic.Anthropic(api_key="test", base_url=base, max_retries=3) as client:
        yield lambda: client.messages.create(**ASKED, max_tokens=64).content[0].text


@asynccontextmanager
async def anthropic_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A message, async."""
    import anthropic

    async with anthropic.AsyncAnthropic(api_key="test", base_url=base, max_retries=3) as client:

        async def call() -> Any:
            return (await client.messages.create(**ASKED, max_tokens=64)).content[0].text

        yield call


@contextmanager
def groq(base: str) -> Iterator[Callable[[], Any]]:
    """A chat completion."""
    import groq

    with groq.Groq(api_key="test", base_url=base, max_retries=3) as client:
        yield lambda: client.chat.completions.create(**ASKED).choices[0].message.content


@asynccontextmanager
async def groq_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A chat completion, async."""
    import groq

    async with groq.AsyncGroq(api_key="test", base_url=base, max_retries=3) as client:

        async def call() -> Any:
            return (await client.chat.completions.create(**ASKED)).choices[0].message.content

        yield call


@contextmanager
def cohere(base: str) -> Iterator[Callable[[], Any]]:
    """A chat."""
    import cohere

    with cohere.ClientV2(api_key="test", base_url=base) as client:
        yield lambda: client.chat(**ASKED, request_options={"max_retries": 3}).message.content[0].text


@asynccontextmanager
async def cohere_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A chat, async."""
    import cohere

    async with cohere.AsyncClientV2(api_key="test", base_url=base) as client:

        async def call() -> Any:
            return (await client.chat(**ASKED, request_options={"max_retries": 3})).message.content[0].text

        yield call


def mistral(base: str) -> Any:
    """The client; its retries are bounded by time alone."""
    from mistralai.client import Mistral
    from mistralai.client.utils.retries import BackoffStrategy, RetryConfig

    backoff = BackoffStrategy(initial_interval=500, max_interval=60_000, exponent=1.5, max_elapsed_time=150_000)
    return Mistral(api_key="test", server_url=base, retry_config=RetryConfig("backoff", backoff, False))


@contextmanager
def mistralai(base: str) -> Iterator[Callable[[], Any]]:
    """A chat completion."""
    with mistral(base) as client:
        yield lambda: client.chat.complete(**ASKED).choices[0].message.content


@asynccontextmanager
async def mistralai_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A chat completion, async."""
    async with mistral(base) as client:

        async def call() -> Any:
            return (await client.chat.complete_async(**ASKED)).choices[0].message.content

        yield call


def gemini(base: str) -> Any:
    """The client."""
    from google import genai
    from google.genai.types import HttpOptions, HttpRetryOptions

    return genai.Client(
        api_key="test", http_options=HttpOptions(base_url=base, retry_options=HttpRetryOptions(attempts=4))
    )


@contextmanager
def google_genai(base: str) -> Iterator[Callable[[], Any]]:
    """Content."""
    with gemini(base) as client:
        yield lambda: client.models.generate_content(model="gemini-x", contents="Does it work?").text


@asynccontextmanager
async def google_genai_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """Content, async."""
    async with gemini(base).aio as client:

        async def call() -> Any:
            return (await client.models.generate_content(model="gemini-x", contents="Does it work?")).text

        yield call


@contextmanager
def litellm(base: str) -> Iterator[Callable[[], Any]]:
    """A completion by openai's route."""
    from _cells import own_loop
    from sdk_litellm import GPT
    from sdk_litellm import litellm as module

    with own_loop():
        yield lambda: module.completion(**GPT, api_base=f"{base}/v1", max_retries=3).choices[0].message.content


@asynccontextmanager
async def litellm_async(base: str) -> AsyncIterator[Callable[[], Any]]:
    """A completion by openai's route, async."""
    from sdk_litellm import GPT, logged
    from sdk_litellm import litellm as module

    async def call() -> Any:
        done = await module.acompletion(**GPT, api_base=f"{base}/v1", max_retries=3)
        return done.choices[0].message.content

    async with logged():
        yield call


@contextmanager
def botocore(base: str) -> Iterator[Callable[[], Any]]:
    """A message of bedrock."""
    from botocore.config import Config
    from botocore.session import Session

    client: Any = Session().create_client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=base,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 4, "mode": "standard"}),
    )
    asked = [{"role": "user", "content": [{"text": "Does it work?"}]}]
    try:
        yield lambda: client.converse(modelId="nova-x", messages=asked)["output"]["message"]["content"][0]["text"]
    finally:
        client.close()


CHAT: Final = {"role": "assistant", "content": SAID}
GROQ: Final = exchange("POST", "https://api.groq.com/openai/v1/chat/completions", chat(CHAT, "stop"))
MISTRAL: Final = exchange("POST", "https://api.mistral.ai/v1/chat/completions", chat(CHAT, "stop"))
COHERE: Final = exchange(
    "POST",
    "https://api.cohere.com/v2/chat",
    {
        "id": "c14c80c3",
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": SAID}]},
    },
)
GEMINI: Final = exchange(
    "POST",
    "https://generativelanguage.googleapis.com/v1/models/gemini-x:generateContent",
    {"candidates": [{"content": {"parts": [{"text": SAID}], "role": "model"}, "finishReason": "STOP"}]},
)
BEDROCK: Final = exchange(
    "POST",
    "https://bedrock-runtime.us-east-1.amazonaws.com/model/nova-x/converse",
    {
        "output": {"message": {"role": "assistant", "content": [{"text": SAID}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 12, "outputTokens": 9, "totalTokens": 21},
        "metrics": {"latencyMs": 551},
    },
)

MODELS: Final = (
    Caller("openai", "max_retries=3", ("openai",), "openai", "https://api.openai.com",
           CASSETTES["openai_chat"][1][0], SAID, "openai.RateLimitError", openai, openai_async),
    Caller("anthropic", "max_retries=3", ("anthropic",), "anthropic", "https://api.anthropic.com",
           CASSETTES["anthropic_message"][1][0], SAID, "anthropic.RateLimitError", anthropic, anthropic_async),
    Caller("groq", "max_retries=3", ("groq",), "groq", "https://api.groq.com", GROQ, SAID, "groq.RateLimitError",
           groq, groq_async),
    Caller("cohere", 'request_options={"max_retries": 3}', ("cohere",), "cohere", "https://api.cohere.com", COHERE,
           SAID, "cohere.TooManyRequestsError", cohere, cohere_async),
    Caller("mistralai", "max_elapsed_time=150_000", ("mistralai",), "mistralai.client", "https://api.mistral.ai",
           MISTRAL, SAID, "mistralai.client.errors.SDKError", mistralai, mistralai_async,
           note="bounded by time alone, which is read on the clock"),
    Caller("google-genai", "HttpRetryOptions(attempts=4)", ("google-genai",), "google.genai",
           "https://generativelanguage.googleapis.com", GEMINI, SAID, "google.genai.errors.ClientError",
           google_genai, google_genai_async, ((1, 2), (2, 3), (4, 5)), note="Retry-After is not read",
           warns=("ignore:Inheritance class AiohttpClientSession:DeprecationWarning",)),
    Caller("litellm", "max_retries=3", ("litellm", "openai"), "litellm", "https://api.openai.com",
           CASSETTES["openai_chat"][1][0], SAID, "litellm.RateLimitError", litellm, litellm_async,
           note="with `num_retries=3` it makes seven calls before it gives up; async, aiohttp tidies up every 2 s, "
           "so that its waits are some ninety jumps of the clock"),
    Caller("botocore", 'retries={"total_max_attempts": 4, "mode": "standard"}', ("botocore",), "botocore",
           "https://bedrock-runtime.us-east-1.amazonaws.com", BEDROCK, SAID, "botocore.exceptions.ClientError",
           botocore, waits=((0, 1), (0, 2), (0, 4)), note="Retry-After is not read"),
)  # fmt: skip
