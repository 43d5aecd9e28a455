"""githubkit: a repository, sync and async (https://docs.github.com/en/rest/repos/repos#get-a-repository)."""

from __future__ import annotations

from typing import Any, Final

import githubkit
from _cassettes import GITHUB
from _cells import Call, Sdk, surfaced
from _shapes import exchange
from githubkit.exception import RequestError, SecondaryRateLimitExceeded

LICENSE: Final = {
    "key": "mit",
    "name": "MIT License",
    "spdx_id": "MIT",
    "url": f"{GITHUB}/licenses/mit",
    "node_id": "L_1",
}
REPLIES: Final = [exchange("GET", f"{GITHUB}/licenses", [LICENSE])]


def licenses() -> Any:
    """The names of the licences."""
    hub = githubkit.GitHub("test")  # kept: `rest` holds it weakly
    return [one.name for one in hub.rest.licenses.get_all_commonly_used().parsed_data]


async def alicenses() -> Any:
    """The names of the licences, async."""
    hub = githubkit.GitHub("test")
    told = await hub.rest.licenses.async_get_all_commonly_used()
    return [one.name for one in told.parsed_data]


LIMITED: Final = surfaced(SecondaryRateLimitExceeded, 1, note="one retry, after Retry-After")
MET: Final = {"429": LIMITED, "reset": surfaced(RequestError)}

SDK: Final = Sdk(
    "githubkit",
    ("httpx",),
    (
        Call("rest", licenses, ["MIT License"], REPLIES, MET),
        Call("rest, async", alicenses, ["MIT License"], REPLIES, MET),
    ),
    scenarios={"429": "github/secondary-limit"},
)
