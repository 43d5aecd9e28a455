"""What a cassette file says, in every spelling of the recorders, or why it is refused."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from _h11_client import over_the_wire
from _tapes import ASKED, SAID, only, refused, written

from pytest_agentfault._reply import Data, End, Head, Reply
from pytest_agentfault.upstreams import _repair
from pytest_agentfault.upstreams.cassette import Cassette


def test_an_interaction_is_a_whole_reply_with_its_framing_left_to_the_encoder(tmp_path: Path) -> None:
    """Status, reason, repeated headers and one piece of body; content-length, chunking and connection are dropped."""
    headers = {
        "Set-Cookie": ["a=1", "b=2"],
        "Content-Length": ["999"],
        "transfer-encoding": ["chunked"],
        "Connection": ["keep-alive"],
        "X-Plain": "not a list",
        "X-Number": 7,
        "X-Nothing": None,
    }
    reply = only(tmp_path, {"headers": headers, "status": {"code": 201, "message": "Made"}})
    assert reply.events == (
        Head(
            201,
            (
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
                ("X-Nothing", ""),
                ("X-Number", "7"),
                ("X-Plain", "not a list"),
            ),
            "Made",
        ),
        Data(b'{"me": 1}'),
        End(),
    )


@pytest.mark.parametrize(
    ("method", "status", "headers", "kept"),
    [
        ("HEAD", 200, {"Content-Length": ["42"]}, (("Content-Length", "42"),)),
        ("GET", 304, {"content-length": ["42"], "Connection": ["close"]}, (("content-length", "42"),)),
        ("GET", 204, {"Content-Length": ["0"]}, (("Content-Length", "0"),)),
        ("HEAD", 200, {"Content-Length": ["many"]}, ()),
        ("HEAD", 200, {"Content-Encoding": ["gzip"]}, (("Content-Encoding", "gzip"),)),
    ],
)
def test_a_reply_without_a_body_keeps_the_length_nobody_can_recompute(
    tmp_path: Path, method: str, status: int, headers: dict[str, Any], kept: tuple[tuple[str, str], ...]
) -> None:
    """HEAD, 204 and 304 promise a length for a body that is not there, even where one was recorded."""
    reply = only(tmp_path, {"status": {"code": status, "message": ""}, "headers": headers}, {"method": method})
    assert (reply.headers, reply.body) == (kept, b"")
    assert over_the_wire(reply, method).raw == b""


@pytest.mark.parametrize(
    ("said", "body"),
    [
        ({"body": {"string": b"\xff\x00"}}, b"\xff\x00"),
        ({"body": "text alone"}, b"text alone"),
        ({"body": b"bytes alone"}, b"bytes alone"),
        ({"body": None}, b""),
        ({"body": {}}, b""),
        ({"body": {"string": None}}, b""),
        ({"body": {"string": 42}}, b"42"),
        ({"body": {"base64_string": base64.b64encode(b"\x00packed").decode()}}, b"\x00packed"),
        ({"body": {"base64_string": "", "string": "", "encoding": "utf-8"}}, b""),
        ({"body": {"string": "\u00e9", "encoding": "ISO-8859-1"}}, b"\xe9"),
        ({"body": {"string": "\u20ac", "encoding": "US-ASCII"}}, "\u20ac".encode()),
        ({"body": {"string": "x", "encoding": "no-such-codec"}}, b"x"),
        ({"parsed_body": {"a": ["\u00e9"]}, "body": None}, '{"a": ["\u00e9"]}'.encode()),
    ],
)
def test_bodies_in_every_spelling_of_the_recorders(tmp_path: Path, said: dict[str, Any], body: bytes) -> None:
    """Text, bytes, base64, another charset, parsed JSON, nothing."""
    assert only(tmp_path, said).body == body


def test_the_oldest_and_the_neighbours_formats_load(tmp_path: Path) -> None:
    """vcrpy's old httpx stub, its old tornado stub, Ruby's VCR, betamax, go-vcr, pydantic-ai's parsed bodies."""
    path = tmp_path / "wild.yaml"
    path.write_text(
        dedent(
            """
            http_interactions:
            - request: {method: get, uri: 'https://api.test/a', body: {encoding: UTF-8, string: ''}}
              response: {content: old, status_code: 200, http_version: HTTP/1.1, headers: {A: [b]}}
            - request: {method: GET, url: 'https://api.test/b', body: !!python/object/apply:builtins.iter {args: [[x]]}}
              response:
                headers: [!!python/tuple [A, [b, c]], 'D: e']
                body: {string: !!python/unicode ''}
                status: {code: '500', message: !!python/unicode OOPS}
            - request: {method: POST, url: 'https://api.test/c', parsed_body: {a: 1}, headers: null}
              response: {status: 404 Not Found, code: 404, body: gone, headers: {When: 2026-01-02}}
            - request:
                method: PUT
                uri: https://api.test/d
                body: !!python/object/new:_io.BytesIO {state: !!python/tuple [upload, 0, null]}
              response: {status: 200, parsed_body: {day: 2026-01-02}}
            """
        )
    )
    kept = Cassette(path)._recording.interactions
    assert [(k.request.method, k.request.uri, k.request.body) for k in kept] == [
        ("GET", "https://api.test/a", b""),
        ("GET", "https://api.test/b", b"x"),
        ("POST", "https://api.test/c", b'{"a": 1}'),
        ("PUT", "https://api.test/d", b"upload"),
    ]
    assert [k.reply for k in kept] == [
        Reply.of(200, b"old", {"A": "b"}),
        Reply.of(500, b"", (("A", "b"), ("A", "c"), ("D", "e")), "OOPS"),
        Reply.of(404, b"gone", {"When": "2026-01-02"}, "Not Found"),
        Reply.of(200, b'{"day": "2026-01-02"}'),
    ]


def test_header_lines_are_made_fit_for_a_parser(tmp_path: Path) -> None:
    """Folded lines are one, HTTP/2's pseudo-headers go, text beyond Latin-1 is sent as UTF-8."""
    headers = {" Folded ": ["a\r\n  b"], ":status": ["200"], "Wide": ["\u20ac"], "Bytes": [b"raw"]}
    reply = only(tmp_path, {"headers": headers, "status": {"code": 200, "message": "O\r\nK"}})
    assert dict(reply.headers) == {"Folded": "a b", "Wide": "\u20ac".encode().decode("latin-1"), "Bytes": "raw"}
    assert over_the_wire(reply).reason == "O K"
    snowman = only(tmp_path, {"status": {"code": 200, "message": "\u2603"}})
    assert over_the_wire(snowman).reason == "OK", "the standard phrase, where a parser could not read the recorded one"
    assert only(tmp_path, {"status": {"code": 200, "message": "\u20ac"}}).headers == (
        ("Content-Type", "application/json"),
    )


FILES = {
    "empty.yaml": (" \n", "the file as a whole: it is empty"),
    "none.yaml": ("interactions: []\nversion: 1\n", "the file as a whole: it is empty: it holds no interaction"),
    "null.yaml": ("interactions:\nversion: 1\n", "the file as a whole: it is empty: it holds no interaction"),
    "text.yaml": ("just words", "the file as a whole: it holds a str, not a table with `interactions`"),
    "table.yaml": (
        "interactions: {a: 1}",
        "the file as a whole: its `interactions` are a dict, not a list",
    ),
    "other.yaml": (
        "b: 1\na: 2",
        "the file as a whole: it has no `interactions` (its keys: b, a)",
    ),
    "eight.yaml": (
        "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1}",
        "the file as a whole: it has no `interactions` (its keys: a, b, c, d, e, f, g, h)",
    ),
    "nine.yaml": (
        "{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1, h: 1, i: 1}",
        "the file as a whole: it has no `interactions` (its keys: a, b, c, d, e, f, g, h ...)",
    ),
    "web.har": (
        '{"log": {"entries": []}}',
        "the file as a whole: it is a HAR archive (HTTP Archive, as browsers and Polly.JS write it)",
    ),
    "saloon.json": (
        '{"statusCode": 200, "data": ""}',
        "the file as a whole: it is a Saloon fixture: one response without its request",
    ),
    "wiremock.json": ('{"mappings": []}', "the file as a whole: it is a WireMock mapping"),
    "alone.yaml": (
        "request: {}\nresponse: {}",
        "the file as a whole: it is one exchange alone, without `interactions`",
    ),
    "list.json": (
        "[{}]",
        "the file as a whole: it is a bare list: a cassette of vcrpy before 1.0, of ExVCR or of nock",
    ),
    "broken.json": ('{"a"', "the file as a whole: it is not JSON: Expecting ':' delimiter: line 1 column 5 (char 4)"),
    "broken.yaml": (
        "interactions:\n- a: 1\n- b: [\n",
        "interaction 2: it is neither YAML nor JSON: line 4: did not find expected node content",
    ),
    "date.yaml": (
        "interactions:\n- a: 2026-99-99\n",
        "the file as a whole: a value cannot be read: month must be in 1..12",
    ),
    "deep.json": ("[" * 100_000, "the file as a whole: it is nested too deeply to be a recording"),
    "deep.yaml": ("interactions:\n" + "- " * 100_000, "the file as a whole: it is nested too deeply to be a recording"),
    "deeper.yaml": ("a:" + " [{a: " * 50_000, "the file as a whole: it is nested too deeply to be a recording"),
    "lfs.yaml": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "the file as a whole: it is a Git LFS pointer, not the file itself",
    ),
    "unsafe.yaml": (
        "interactions:\n- request: {}\n- request: !!python/object/apply:os.abort []\n",
        "interaction 2: line 3 has the unsafe tag !!python/object/apply:os.abort; it was not executed",
    ),
    "item.yaml": (
        "version: 1\ninteractions:\n- !!python/name:os.abort ''\n",
        "interaction 1: line 3 has the unsafe tag !!python/name:os.abort; it was not executed",
    ),
    "base64.yaml": (
        "interactions:\n- request: !!binary 'xyz'\n",
        "interaction 1: line 2: failed to decode base64 data: Incorrect padding",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_cassette_is_refused_with_its_cause(tmp_path: Path, name: str) -> None:
    """Empty, foreign, broken and unsafe files; nothing in them is executed."""
    text, there = FILES[name]
    path = tmp_path / name
    path.write_text(text)
    error = refused(path)
    assert error.what == f"the cassette {path} cannot be played"
    assert error.there.startswith(there)
    assert error.do


@pytest.mark.parametrize(
    ("data", "there"),
    [
        (b"caf\xe9: 1", "the file as a whole: it is not UTF-8 at byte 3"),
        (
            gzip.compress(b"interactions: []", mtime=0)[:2] + b"\xff",
            "the file as a whole: it is not UTF-8 at byte 1 (it is compressed)",
        ),
    ],
)
def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path, data: bytes, there: str) -> None:
    """Another charset, or a packed file, with the byte that gives it away."""
    path = tmp_path / "tape.yaml"
    path.write_bytes(data)
    assert refused(path).there == there


def test_a_missing_file_names_its_nearest_neighbour(tmp_path: Path) -> None:
    """The whole text, as the user reads it."""
    written(tmp_path, ({}, {}), name="summary.yaml")
    path = tmp_path / "sumary.yaml"
    assert str(refused(path)) == (
        f"the cassette {path} cannot be played\n"
        "  there is: the file as a whole: there is no such file\n"
        "  to do: did you mean 'summary.yaml'? known: summary.yaml"
    )
    alone = tmp_path / "void" / "tape.yaml"
    assert refused(alone).there == f"the file as a whole: there is no folder {alone.parent}"
    assert refused(alone).do == "name a file that is there, or record one with vcrpy"
    assert refused(tmp_path).there == "the file as a whole: it cannot be read: Is a directory"


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"request": None}, "it has no request (its keys: request, response)"),
    ({"request": {**ASKED, "method": None}}, "its request's method is None"),
    ({"request": {**ASKED, "uri": ""}}, "its request's uri is ''"),
    ({"request": {**ASKED, "uri": "/v1/me"}}, "its request's uri '/v1/me' has no host"),
    (
        {"request": {**ASKED, "uri": "http://h:port/"}},
        "its request's uri 'http://h:port/' cannot be read: Port could not be cast to integer value as 'port'",
    ),
    ({"response": {**SAID, "status": None}}, "its response's status is None"),
    ({"response": {**SAID, "status": {"message": "OK"}}}, "its response's status is {'message': 'OK'}"),
    ({"response": {**SAID, "status": 101}}, "its response's status 101 ends no exchange in HTTP/1.1"),
    ({"response": {**SAID, "headers": "A: b"}}, "its headers are a str, not a table"),
    ({"response": {**SAID, "headers": ["A"]}}, "its header line 'A' is not a name and a value"),
    ({"response": {**SAID, "headers": {"A": [{"b": 1}]}}}, "its headers hold a dict where a text must be"),
    ({"response": {**SAID, "headers": {"A b": "c"}}}, "'A b' is not a header's name (RFC 9110 section 5.6.2)"),
    ({"response": {**SAID, "headers": {"A": "\0"}}}, "the value of its header A holds a control character"),
    ({"response": {**SAID, "body": {"text": 1}}}, "its body is a table without a `string` (its keys: text)"),
    ({"response": {**SAID, "body": {"string": {"a": 1}}}}, "its body is a table without a `string` (its keys: string)"),
    ({"response": {**SAID, "body": {"base64_string": "a"}}}, "its base64_string is not base64: "),
    ({"response": {**SAID, "body": ["a"]}}, "its body is a list, not text or bytes"),
    (
        {"response": {"status": 200, "parsed_body": {"a": b"\xff"}}},
        "its parsed_body is not JSON: a bytes stands in it",
    ),
]


@pytest.mark.parametrize(("broken", "cause"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_interaction_is_named_by_its_number(tmp_path: Path, broken: dict[str, Any], cause: str) -> None:
    """File, number and cause, whatever is wrong with it."""
    path = tmp_path / "tape.yaml"
    whole = {"request": ASKED, "response": SAID}
    path.write_text(yaml.dump({"interactions": [whole, {**whole, **broken}]}, sort_keys=False))
    error = refused(path)
    assert error.what == f"the cassette {path} cannot be played"
    assert error.there.startswith(f"interaction 2: {cause}")
    assert error.do == "mend that interaction, or record the cassette again"


def test_an_interaction_that_is_no_table_is_refused(tmp_path: Path) -> None:
    """A list of words is no recording."""
    path = tmp_path / "tape.yaml"
    path.write_text("interactions: [word]")
    assert refused(path).there == "interaction 1: it is a str, not a table of request and response"


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("&a [*a]", "its parsed_body is not JSON: Circular reference detected"),
        (
            "{a: &a [xxxxxxxx, xxxxxxxx], b: &b [*a, *a, *a], c: [*b, *b, *b]}",
            "its parsed_body is more than 0 MiB of JSON",
        ),
    ],
)
def test_aliases_that_stand_for_more_than_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, cause: str
) -> None:
    """A few lines of YAML can stand for gigabytes, or for no end at all."""
    monkeypatch.setattr(_repair, "BODY_LIMIT", 100)
    path = tmp_path / "tape.yaml"
    path.write_text(
        "interactions:\n"
        "- request: {method: GET, uri: 'https://api.test/'}\n"
        f"  response: {{status: 200, parsed_body: {value}}}\n"
    )
    assert refused(path).there == f"interaction 1: {cause}"
