"""A cassette named by a marker: played once each in order, matched as vcrpy matches, never written."""

from __future__ import annotations

import gc
import json
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest
import vcr.matchers
from _tapes import ASKED, GET, PLAIN, SAID, body_named, refused, written

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._reply import Request
from pytest_agentfault.upstreams import _recording
from pytest_agentfault.upstreams.cassette import MATCH_ON, Cassette, Recordings


def test_matching_recordings_are_played_once_each_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Like vcrpy: the same request gets the first unplayed recording, others are not held up by it."""
    other = {"uri": "https://api.test/v1/other"}
    path = written(tmp_path, ({}, body_named(1)), (other, body_named(2)), ({}, body_named(3)))
    cassette = Cassette(path)
    assert cassette.unplayed == [1, 2, 3]
    assert cassette.send(GET).body == b"1"
    assert cassette.send(GET).body == b"3"
    assert cassette.unplayed == [2]
    assert cassette.send(Request("GET", other["uri"])).body == b"2"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://api.test/?b=2&a=1"),
        ("GET", "https://API.test:443?a=1&b=2#part"),
        ("GET", "https://api.test/?a=1&b=%32"),
        ("POST", "https://api.test/?a=1&b=2"),
        ("GET", "http://api.test/?a=1&b=2"),
        ("GET", "https://api.test:8443/?a=1&b=2"),
        ("GET", "https://api.test//?a=1&b=2"),
        ("GET", "https://api.test/?a=1&b=2&b=2"),
        ("GET", "https://api.test/?a=1&b=3"),
    ],
)
def test_what_matches_is_what_vcrpys_default_matchers_say(tmp_path: Path, method: str, url: str) -> None:
    """Query order, a default port and an empty path do not matter; all else does."""
    path = written(tmp_path, ({"uri": "https://api.test/?a=1&b=2"}, {}))
    cassette = Cassette(path)
    request = Request(method, url, (("Accept", "a"), ("accept", "b")))
    stored = cassette._recording.interactions[0].request
    matchers = [getattr(vcr.matchers, name) for name in MATCH_ON]
    if vcr.matchers.requests_match(_recording.as_vcr(request), stored, matchers):
        assert cassette.send(request).status == 200
    else:
        with pytest.raises(CassetteError, match="no recording for"):
            cassette.send(request)


def test_a_request_without_a_recording_is_told_the_nearest(tmp_path: Path) -> None:
    """The whole text: which recordings come near, and what differs."""
    long = "https://api.test/v1/me?q=" + "x" * 100
    path = written(
        tmp_path, ({"uri": "https://other.test/"}, {}), ({}, {}), ({"method": "POST"}, {}), ({"uri": long}, {})
    )
    with pytest.raises(CassetteError) as caught:
        Cassette(path).send(Request("GET", "https://api.test/v1/you"))
    assert str(caught.value) == (
        f"no recording for GET https://api.test/v1/you in {path}\n"
        "  there is: nearest: interaction 2: GET https://api.test/v1/me differs in path (/v1/you != /v1/me); "
        "interaction 1: GET https://other.test/ differs in host (api.test != other.test), path (/v1/you != /); "
        "interaction 3: POST https://api.test/v1/me differs in method (GET != POST), path (/v1/you != /v1/me)\n"
        "  to do: record this request too, or name another cassette"
    )
    far = {"uri": "https://far.test/", "method": "PUT"}
    path = written(tmp_path, (far, {}), ({"uri": long + "y" * 100}, {}))
    with pytest.raises(CassetteError) as caught:
        Cassette(path).send(GET)
    assert caught.value.there.startswith(
        f"nearest: interaction 2: GET {long + 'y' * 100} differs in query; interaction 1"
    )


@pytest.mark.parametrize(("length", "shown"), [(114, True), (115, False)])
def test_a_difference_that_is_longer_than_it_is_helpful_is_only_named(tmp_path: Path, length: int, shown: bool) -> None:
    """Up to 120 characters of what differs are told."""
    recorded = "/" + "x" * (length - 1)
    path = written(tmp_path, ({"uri": f"https://api.test{recorded}"}, {}))
    with pytest.raises(CassetteError) as caught:
        Cassette(path).send(Request("GET", "https://api.test/a"))
    assert caught.value.there.endswith(f"differs in path (/a != {recorded})" if shown else "differs in path")


def test_a_request_too_many_is_told_that_all_was_played(tmp_path: Path) -> None:
    """The whole text, for one recording and for more."""
    path = written(tmp_path, ({}, {}), ({"method": "POST"}, {}), ({}, {}))
    cassette = Cassette(path)
    cassette.send(GET)
    cassette.send(GET)
    with pytest.raises(CassetteError) as caught:
        cassette.send(GET)
    assert str(caught.value) == (
        f"no recording for GET https://api.test/v1/me in {path}\n"
        "  there is: all 2 matching recordings were played (interactions 1, 3)\n"
        "  to do: the code asked more often than it did when this was recorded: record it anew, or ask less often "
        "(only a request whose last reply was struck is given the same recording again)"
    )
    post = Request("POST", GET.url)
    cassette.send(post)
    with pytest.raises(CassetteError) as caught:
        cassette.send(post)
    assert caught.value.there == "the one matching recording was played (interaction 2)"


@pytest.mark.parametrize(
    ("url", "served"),
    [
        ("https://api.test/", True),
        ("https://anything.else/", True),
        ("http://localhost:8000/recorded", True),
        ("http://localhost:8001/", False),
        ("http://app.localhost/", False),
        ("http://127.0.0.1:8000/", False),
        ("http://[::1]/", False),
        ("http://10.0.0.1/", True),
    ],
)
def test_a_cassette_answers_for_every_host_but_an_unrecorded_loopback_server(
    tmp_path: Path, url: str, served: bool
) -> None:
    """A test's own local server is left alone unless it was recorded."""
    path = written(tmp_path, ({}, {}), ({"uri": "http://localhost:8000/recorded"}, {}))
    assert Cassette(path).serves(Request("GET", url)) is served


def test_a_file_is_parsed_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of a session shares the parse, none shares what was played."""
    path = written(tmp_path, ({}, body_named(1)))
    loads = []
    really = _recording.load
    monkeypatch.setattr(_recording, "load", lambda p: loads.append(p) or really(p))
    recordings = Recordings()
    first, second = Cassette(path, recordings), Cassette(path, recordings)
    assert first.send(GET) is second.send(GET)
    assert loads == [path]
    written(tmp_path, ({}, body_named(1)), ({}, body_named(2)))
    assert Cassette(path, recordings).unplayed == [1, 2]
    assert loads == [path, path]


@pytest.mark.parametrize("collecting", [True, False])
def test_the_garbage_collector_is_left_as_it_was(tmp_path: Path, collecting: bool) -> None:
    """It rests while a cassette is loaded, also when that fails, and works again only where it did before."""
    was = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        Cassette(written(tmp_path, ({}, {})))
        assert gc.isenabled() is collecting
        refused(tmp_path / "missing.yaml")
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was else gc.disable)()


def test_a_cassette_is_never_written(tmp_path: Path) -> None:
    """Loaded, played and run dry, the file is the same byte for byte."""
    for name in ("tape.yaml", "tape.json"):
        path = written(tmp_path, ({}, {}), name=name)
        before = sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns
        cassette = Cassette(path)
        assert cassette.send(GET).body == PLAIN
        with pytest.raises(CassetteError):
            cassette.send(GET)
        assert (sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before


def test_braces_may_open_json_or_yaml_whatever_the_file_is_called(tmp_path: Path) -> None:
    """JSON under a YAML name takes the fast road; YAML's own braces still load."""
    path = tmp_path / "tape.yaml"
    path.write_text(json.dumps({"interactions": [{"request": ASKED, "response": SAID}]}))
    assert Cassette(path).send(GET).body == PLAIN
    path.write_text(
        "{interactions: [{request: {method: GET, uri: 'https://api.test/v1/me'}, response: {status: 200}}]}"
    )
    assert Cassette(path).send(GET).status == 200


def test_threads_never_play_one_recording_twice(tmp_path: Path) -> None:
    """Forty recordings, four threads: each is heard once."""
    path = written(tmp_path, *[({}, body_named(number)) for number in range(40)])
    cassette, heard = Cassette(path), []
    threads = [Thread(target=lambda: heard.extend(cassette.send(GET).body for _ in range(10))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, heard)) == list(range(40))


def test_finding_a_recording_does_not_walk_through_the_cassette(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Playing a thousand interactions asks no matcher at all."""
    path = written(
        tmp_path, *[({"uri": f"https://api.test/{n // 2}"}, body_named(n)) for n in range(1000)], name="t.json"
    )
    cassette = Cassette(path)
    monkeypatch.setattr(vcr.matchers, "get_matchers_results", None)
    assert [cassette.send(Request("GET", f"https://api.test/{n // 2}")).body for n in range(1000)] == [
        f"{n}".encode() for n in range(1000)
    ]
