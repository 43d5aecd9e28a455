"""Cassette files made for a test: small, and each said in a line."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault.upstreams.cassette import Cassette

ASKED: dict[str, Any] = {"method": "GET", "uri": "https://api.test/v1/me", "headers": {}, "body": None}
SAID: dict[str, Any] = {
    "status": {"code": 200, "message": "OK"},
    "headers": {"Content-Type": ["application/json"]},
    "body": {"string": '{"me": 1}'},
}
GET = Request("GET", "https://api.test/v1/me", (("Accept", "*/*"),))
PLAIN = b'{"me": 1}'


def written(folder: Path, *pairs: tuple[dict[str, Any], dict[str, Any]], name: str = "tape.yaml") -> Path:
    """A cassette file of these requests and responses, each laid over the usual one."""
    kept = [{"request": {**ASKED, **asked}, "response": {**SAID, **said}} for asked, said in pairs]
    text = (
        yaml.dump({"version": 1, "interactions": kept}) if name.endswith("yaml") else json.dumps({"interactions": kept})
    )
    path = folder / name
    path.write_text(text)
    return path


def only(folder: Path, said: dict[str, Any], asked: dict[str, Any] | None = None) -> Reply:
    """What a cassette of one interaction answers."""
    path = written(folder, (asked or {}, said))
    kept = Cassette(path)._recording.interactions[0]
    return kept.reply


def refused(path: Path) -> CassetteError:
    """The error with which a file is refused."""
    with pytest.raises(CassetteError) as caught:
        Cassette(path)
    return caught.value


def body_named(number: int) -> dict[str, Any]:
    """A response that says which it is."""
    return {"body": {"string": f"{number}"}}


def interaction(number: int, url: str = GET.url, method: str = "GET", body: Any = None) -> dict[str, Any]:
    """One recorded exchange whose answer is its number."""
    return {
        "request": {"method": method, "uri": url, "body": body, "headers": {"Accept": ["*/*"]}},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/plain"], "Content-Length": ["999"], "Content-Encoding": ["gzip"]},
            "body": {"string": str(number)},
        },
    }


def tape(folder: Path, *interactions: dict[str, Any], name: str = "tape.yaml") -> str:
    """A cassette file of these."""
    path = folder / name
    path.write_text(yaml.dump({"version": 1, "interactions": list(interactions)}))
    return str(path)


def digest(path: str) -> tuple[bytes, int]:
    """What must not change about a file."""
    return sha256(Path(path).read_bytes()).digest(), Path(path).stat().st_mtime_ns
