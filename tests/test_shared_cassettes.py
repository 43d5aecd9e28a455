"""Every recording of a real service loads and plays true, or is refused with file, interaction and cause."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from _h11_client import over_the_wire
from vcr.serialize import deserialize
from vcr.serializers import jsonserializer, yamlserializer

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._reply import Request
from pytest_agentfault.upstreams._recording import load
from pytest_agentfault.upstreams.cassette import Cassette, Recordings

pytestmark = pytest.mark.shared

# Not cassettes at all: HAR archives, fixtures of PHP and Elixir tools, a websocket log, one bare exchange,
# and one that only runs Python objects out of its tags.
REFUSED = {
    "anthropic/openllmetry-js__should-set-attributes-in-span-for-messages-streaming.har": "the file as a whole: "
    "it is a HAR archive",
    "openai/openllmetry-js__should-capture-OpenAI-provider-spans-correctly-with-recording.har": "the file as a whole: "
    "it is a HAR archive",
    "openai/openllmetry-js__should-set-attributes-in-span-for-streaming-chat.har": "the file as a whole: "
    "it is a HAR archive",
    "linear/linearavel__issues.json": "the file as a whole: it is a Saloon fixture",
    "linear/linearavel__teams.json": "the file as a whole: it is a Saloon fixture",
    "slack/juvet__invalid_code.json": "the file as a whole: it is a bare list",
    "salesforce/CumulusCI__GET_sobjects_Custom__c_describe.yaml": "the file as a whole: it is one exchange alone",
    "misc/pydantic-ai__test_history_seeding_parity_google-current_.yaml": "interaction 1: it has no request",
    "misc/vcrpy__old_cassette.yaml": "interaction 1: line 1 has the unsafe tag !!python/object:vcr.request.Request",
}


def index(shared_dir: Path) -> list[dict[str, Any]]:
    """The entries of INDEX.json."""
    entries: list[dict[str, Any]] = json.loads((shared_dir / "cassettes" / "INDEX.json").read_text())
    return entries


def all_files(shared_dir: Path) -> list[Path]:
    """Every recording, the rewritten twins included."""
    folder = shared_dir / "cassettes"
    entries = index(shared_dir)
    names = [e["file"] for e in entries] + [e["normalized"] for e in entries if e.get("normalized")]
    return [folder / name for name in names]


def recorded(path: Path) -> list[tuple[Any, Any]]:
    """The interactions as vcrpy itself reads them."""
    serializer = jsonserializer if path.suffix == ".json" else yamlserializer
    requests, responses = deserialize(path.read_text(), serializer)[:2]
    return list(zip(requests, responses, strict=True))


def plain(body: bytes | None) -> Any:
    """A body with its coding undone, as JSON where it is JSON."""
    body = body or b""
    if body.startswith(b"\x1f\x8b"):
        body = gzip.decompress(body)
    try:
        return json.loads(body)
    except ValueError:
        return body


def test_each_recording_loads_or_is_refused_by_name(shared_dir: Path) -> None:
    """All but the nine that are no cassettes load; those are refused with file, place and cause."""
    refused = {}
    files = all_files(shared_dir)
    for path in files:
        try:
            assert load(path).interactions
        except CassetteError as error:
            refused[str(path.relative_to(shared_dir / "cassettes"))] = error
    assert {name: error.there[: len(REFUSED[name])] for name, error in refused.items()} == REFUSED
    for name, error in refused.items():
        assert error.what == f"the cassette {shared_dir / 'cassettes' / name} cannot be played"
        assert error.do
    assert len(files) - len(refused) >= 85


def test_each_reply_reaches_a_real_parser_whole(shared_dir: Path) -> None:
    """A client reads the recorded status off the wire, and a body that decodes."""
    seen = 0
    for path in all_files(shared_dir):
        if str(path.relative_to(shared_dir / "cassettes")) in REFUSED:
            continue
        for kept in load(path).interactions:
            read = over_the_wire(kept.reply, kept.request.method)
            assert read.status == kept.reply.status
            assert read.raw == kept.reply.body
            assert not kept.reply.body or read.decoded
            seen += 1
    assert seen >= 250


def test_a_recording_that_vcrpy_loads_says_the_same(shared_dir: Path) -> None:
    """Method, URI, status, header values and decoded body are what vcrpy read."""
    seen = 0
    for entry in index(shared_dir):
        if entry["vcrpy_load"] != "ok" or entry["file"].startswith("misc/"):  # misc: values that are no lists
            continue
        path = shared_dir / "cassettes" / entry["file"]
        for kept, (request, response) in zip(load(path).interactions, recorded(path), strict=True):
            assert (kept.request.method, kept.request.uri) == (request.method, request.uri)
            assert kept.reply.status == response["status"]["code"]
            read = over_the_wire(kept.reply, request.method)
            assert plain(read.decoded) == plain(response["body"]["string"])
            sent = {(name.lower(), value) for name, value in read.headers}
            for name, values in response["headers"].items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "content-encoding"):
                    lines = values if isinstance(values, list) else [values]
                    assert {(name.lower(), value.strip()) for value in lines} <= sent
            seen += 1
    assert seen >= 100


def test_a_repaired_recording_says_what_its_rewritten_twin_says(shared_dir: Path) -> None:
    """Where vcrpy cannot load a file, we read from it what vcrpy reads from the twin made for it."""
    seen = 0
    for entry in index(shared_dir):
        if not entry.get("normalized") or entry["file"] in REFUSED:
            continue
        ours = load(shared_dir / "cassettes" / entry["file"]).interactions
        twin = recorded(shared_dir / "cassettes" / entry["normalized"])
        for kept, (request, response) in zip(ours, twin, strict=True):
            assert (kept.request.method, kept.request.uri) == (request.method, request.uri)
            assert kept.reply.status == response["status"]["code"]
            read = over_the_wire(kept.reply, request.method)
            assert plain(read.decoded) == plain(response["body"]["string"])
            seen += 1
    assert seen >= 70


def test_each_recording_plays_once_and_is_left_as_it_was(shared_dir: Path) -> None:
    """Asked for in the order of the file, every interaction is played, then none; no byte of the file changes."""
    recordings = Recordings()
    for path in all_files(shared_dir):
        before = sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns
        try:
            kept = recordings.load(path).interactions
        except CassetteError:
            kept = ()
        else:
            cassette = Cassette(path, recordings)
            asked = [Request(one.request.method, one.request.uri) for one in kept]
            assert all(cassette.serves(request) for request in asked)
            assert [cassette.send(request) for request in asked] == [one.reply for one in kept]
            assert cassette.unplayed == []
            with pytest.raises(CassetteError, match="played"):
                cassette.send(asked[0])
        assert (sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before
