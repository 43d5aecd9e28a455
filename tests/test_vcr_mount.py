"""A cassette that the test itself has entered is asked from below, and vcrpy's own account of it stays true."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
from _tapes import GET, digest, interaction, tape
from vcr.serializers import yamlserializer

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._seams import Patches
from pytest_agentfault.upstreams._recording import Recordings
from pytest_agentfault.upstreams.vcr import Vcr

URL = GET.url


@pytest.fixture
def mount() -> Iterator[Vcr]:
    """The mount in place, as it is for the length of a test under a fault."""
    patches, mount = Patches(), Vcr()
    mount.install(patches)
    yield mount
    patches.undo()
    mount.release()


def test_counts_are_kept_as_vcrpy_keeps_them(mount: Vcr, tmp_path: Path) -> None:
    """Each interaction is played once, in order; play_count, play_counts and all_played say so."""
    other = Request("POST", URL)
    path = tape(tmp_path, interaction(1), interaction(2, method="POST"), interaction(3))
    with vcr.use_cassette(path, record_mode="none") as cassette:
        assert [mount.send(GET).body, mount.send(GET).body] == [b"1", b"3"]
        assert (cassette.play_count, dict(cassette.play_counts), cassette.all_played) == (2, {0: 1, 2: 1}, False)
        assert mount.send(other).body == b"2"
        assert (cassette.play_count, cassette.all_played, cassette.dirty) == (3, True, False)
        with pytest.raises(CassetteError) as caught:
            mount.send(GET)
        assert caught.value.what == f"no recording for GET {URL} in {path}"
        assert caught.value.there == "all 2 matching recordings were played (interactions 1, 3)"
        cassette.rewind()
        assert mount.send(GET).body == b"1"


def test_a_played_cassette_says_what_vcrpy_itself_says(tmp_path: Path) -> None:
    """The same requests in the same order, once through vcrpy's own stub and once through the mount."""
    urls = [URL, URL + "?b=2&a=1", URL, "https://other.test", "https://other.test/x"]
    path = tape(tmp_path, *(interaction(n, url) for n, url in enumerate(urls)))
    asked = [URL, "https://other.test/", URL + "?a=1&b=2", URL, "https://other.test/x"]

    def plain(url: str) -> bytes:
        with httpx.Client() as client, client.stream("GET", url) as response:
            return b"".join(response.iter_raw())

    with vcr.use_cassette(path, record_mode="none"):
        theirs = [plain(url) for url in asked]
    patches, mount = Patches(), Vcr()
    mount.install(patches)
    try:
        with vcr.use_cassette(path, record_mode="none"):
            assert [mount.send(Request("GET", url)).body for url in asked] == theirs
    finally:
        patches.undo()


@pytest.mark.parametrize(
    ("options", "recorded", "asked", "played"),
    [
        ({}, interaction(1), Request("GET", URL + "?token=x"), False),
        ({"filter_query_parameters": ["token"]}, interaction(1), Request("GET", URL + "?token=x"), True),
        ({"match_on": ["method", "host", "path"]}, interaction(1), Request("GET", URL + "?q=1"), True),
        ({"match_on": ["method", "uri"]}, interaction(1, "https://a.test"), Request("GET", "https://a.test/"), True),
        ({"match_on": ["uri"]}, interaction(1), Request("DELETE", URL), True),
        ({"match_on": ["method"]}, interaction(1), Request("GET", "https://any.test/"), True),
        ({"match_on": ["method", "body"]}, interaction(1, body=None), GET, True),
        ({"match_on": ["method", "body"]}, interaction(1, body=""), GET, True),
        ({"match_on": ["method", "body"]}, interaction(1, body="a"), Request("GET", URL, body=b"a"), True),
        ({"match_on": ["method", "body"]}, interaction(1, body="a"), Request("GET", URL, body=b"b"), False),
        ({"match_on": ["method", "body"]}, interaction(1, body="a"), GET, False),
        ({"match_on": ["headers"]}, interaction(1), GET, True),
        (
            {"match_on": ["headers"], "filter_headers": ["x-no"]},
            interaction(1),
            Request("GET", URL, (*GET.headers, ("X-No", "1"))),
            True,
        ),
        (
            {"before_record_request": lambda r: type(r)(r.method, URL, r.body, r.headers)},
            interaction(1),
            Request("GET", "https://renamed.test/"),
            True,
        ),
    ],
)
def test_the_cassettes_own_filters_and_matchers_decide(
    mount: Vcr, tmp_path: Path, options: dict[str, Any], recorded: dict[str, Any], asked: Request, played: bool
) -> None:
    """Whatever a suite told vcrpy to compare, to filter and to leave out holds below as well."""
    with vcr.use_cassette(tape(tmp_path, recorded), record_mode="none", **options):
        assert mount.serves(asked)
        if played:
            assert mount.send(asked).body == b"1"
        else:
            with pytest.raises(CassetteError, match="nearest: interaction 1"):
                mount.send(asked)


def test_a_matcher_of_the_suites_own_is_asked(mount: Vcr, tmp_path: Path) -> None:
    """A registered matcher, together with vcrpy's or alone, picks the recording."""
    ours = vcr.VCR(record_mode="none")
    ours.register_matcher("last", lambda one, other: one.uri[-1] == other.uri[-1])
    path = tape(tmp_path, interaction(1, "https://a.test/1"), interaction(2, "https://a.test/2"))
    for match_on in (["last"], ["method", "last"]):
        with ours.use_cassette(path, match_on=match_on):
            assert mount.send(Request("GET", "https://far.test/zz2")).body == b"2"


@pytest.mark.parametrize(
    "options",
    [
        {"ignore_hosts": ["api.test"]},
        {"before_record_request": lambda request: None},
    ],
)
def test_a_request_the_cassette_ignores_goes_on_to_the_next_upstream(
    mount: Vcr, tmp_path: Path, options: dict[str, Any]
) -> None:
    """ignore_hosts, ignore_localhost and a filter that drops the request."""
    with vcr.use_cassette(tape(tmp_path, interaction(1)), record_mode="none", **options):
        assert not mount.serves(GET)
    with vcr.use_cassette(tape(tmp_path, interaction(1)), record_mode="none", ignore_localhost=True):
        assert not mount.serves(Request("GET", "http://localhost:8000/"))
        assert mount.serves(GET)


def test_repeats_are_played_where_the_suite_allows_them(mount: Vcr, tmp_path: Path) -> None:
    """allow_playback_repeats plays the first match again and again, and counts it."""
    with vcr.use_cassette(tape(tmp_path, interaction(1)), record_mode="none", allow_playback_repeats=True) as cassette:
        assert [mount.send(GET).body for _ in range(3)] == [b"1"] * 3
        assert (cassette.play_count, len(cassette._played_interactions)) == (3, 1)


def test_of_nested_cassettes_the_innermost_that_can_play_answers(mount: Vcr, tmp_path: Path) -> None:
    """The outer one is asked for what the inner does not have, and for all of it when the inner is gone."""
    outer = tape(tmp_path, interaction(1), interaction(2, "https://outer.test/"))
    inner = tape(tmp_path, interaction(3), name="inner.yaml")
    with vcr.use_cassette(outer, record_mode="none"):
        with vcr.use_cassette(inner, record_mode="none"):
            assert mount.send(GET).body == b"3"
            assert mount.send(Request("GET", "https://outer.test/")).body == b"2"
            assert mount.send(GET).body == b"1"
            with pytest.raises(CassetteError, match=r"inner\.yaml"):
                mount.send(GET)
        assert mount.serves(GET)


def test_data_changed_by_the_suites_hooks_is_what_is_played(mount: Vcr, tmp_path: Path) -> None:
    """after_load_interaction, interactions appended by hand and a list exchanged altogether."""

    def louder(request: Any, response: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        response["body"]["string"] += b"!"
        return request, response

    path = tape(tmp_path, interaction(1))
    before = digest(path)
    with vcr.use_cassette(path, record_mode="none", after_load_interaction=louder) as cassette:
        assert mount.send(GET).body == b"1!"
        request, response = cassette.data[0]
        cassette.append(request, {**response, "body": {"string": b"by hand"}})
        assert mount.send(GET).body == b"by hand"
        cassette.data = [(request, {**response, "body": {"string": b"anew"}})]
        cassette.rewind()
        assert mount.send(GET).body == b"anew"
    assert digest(path) == before


def test_an_old_or_broken_response_is_read_as_from_a_named_cassette(mount: Vcr, tmp_path: Path) -> None:
    """The httpx stub's old shape plays; one without a status is refused with file and number."""
    old, broken = interaction(1), interaction(2)
    old["response"] = {"content": "old", "headers": {"A": ["b"]}, "status_code": 200, "http_version": "HTTP/1.1"}
    broken["response"].pop("status")
    path = tape(tmp_path, old, broken)
    with vcr.use_cassette(path, record_mode="none"):
        assert mount.send(GET) == Reply.of(200, b"old", {"A": "b"})
        with pytest.raises(CassetteError) as caught:
            mount.send(GET)
    assert caught.value.what == f"the cassette {path} cannot be played"
    assert caught.value.there == "interaction 2: its response's status is None"


def test_a_cassette_around_a_coroutine_is_mounted_too(mount: Vcr, tmp_path: Path) -> None:
    """vcrpy's decorator on an async function."""

    @vcr.use_cassette(tape(tmp_path, interaction(1)), record_mode="none")
    async def asking() -> bytes:
        await asyncio.sleep(0)
        return mount.send(GET).body

    assert asyncio.run(asking()) == b"1"
    assert not mount.active


def test_a_file_is_parsed_once_for_all_tests_of_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs over one cassette parse its YAML once, and neither sees what the other did to it."""
    parsed = []
    really = yamlserializer.deserialize
    monkeypatch.setattr(yamlserializer, "deserialize", lambda text: parsed.append(text) or really(text))
    path, recordings = tape(tmp_path, interaction(1)), Recordings()
    for _ in range(2):
        patches, mount = Patches(), Vcr(recordings)
        mount.install(patches)
        with vcr.use_cassette(path, record_mode="none") as cassette:
            assert mount.send(GET).body == b"1"
            cassette.responses[0]["body"]["string"] = b"spoilt"
        patches.undo()
    assert len(parsed) == 1


def test_what_cannot_be_kept_is_parsed_each_time() -> None:
    """A serializer may construct objects that do not pickle; they are passed on."""
    recordings = Recordings()
    parse = lambda text: [lambda: text]  # noqa: E731
    assert recordings.plain("a", parse)[0]() == recordings.plain("a", parse)[0]() == "a"


def test_finding_a_recording_does_not_walk_through_the_cassette(mount: Vcr, tmp_path: Path) -> None:
    """Played in order, each of 400 interactions is compared once, whether its URI is its own or everybody's."""
    compared = []
    ours = vcr.VCR(record_mode="none")
    ours.register_matcher("counted", lambda one, other: compared.append(other) or True)
    own = tape(tmp_path, *(interaction(n, f"https://api.test/{n}") for n in range(400)))
    same = tape(tmp_path, *(interaction(n) for n in range(400)), name="same.yaml")
    for path in (own, same):
        compared.clear()
        with ours.use_cassette(path, match_on=["method", "uri", "counted"]) as cassette:
            for n in range(400):
                asked = Request("GET", f"https://api.test/{n}" if path is own else URL)
                assert mount.send(asked).body == str(n).encode()
            assert cassette.all_played
        assert len(compared) == 400
