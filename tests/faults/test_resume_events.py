"""The fault `resume_events`, and `any/sse-reconnect`: who reconnects as the format has it, and who does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from _heard import READERS
from _project import Project
from _said import BODYLESS, GET, SSE, arrives, document, gzipped, lines, pieces, refusal, stream, three

from pytest_agentfault._reply import Reply, Request
from pytest_agentfault.faults.resume_events import ResumeEvents

TOLD = [{"text": text} for text in ("Ren\u00e9", " is", " here")]
WELL = stream(*TOLD)


def asking(seen: str) -> Request:
    """A client that says the last id that it has seen."""
    return replace(GET, headers=(("Last-Event-ID", seen),))


def ids(reply: Reply) -> list[str]:
    """The ids of a body, in order."""
    return [line.removeprefix("id: ") for line in reply.body.decode().splitlines() if line.startswith("id: ")]


@pytest.mark.parametrize("reader", READERS.values(), ids=list(READERS))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_all_events_are_there_and_numbered(reader: object, end: str, mark: str) -> None:
    """Two parsers that are not ours hear the very events; each has an id, and the first says how long to wait."""
    base = stream(*TOLD, end=end)
    base = base.with_data([mark.encode() + base.body])
    struck = ResumeEvents(retry_ms=1500).alter(GET, base)
    assert reader(arrives(struck)) == reader(base.body)  # type: ignore[operator]
    assert ids(struck) == ["1", "2", "3", "4"]
    assert struck.body.decode().removeprefix("\ufeff").startswith(f"retry: 1500{end}id: 1{end}data: ")
    assert struck.body.count(b"retry") == 1


@pytest.mark.parametrize(("seen", "left"), [("1", 3), ("3", 1), ("", 4), ("5", 4), ("0", 4), ("one", 4)])
def test_who_says_the_last_id_gets_what_follows(seen: str, left: int) -> None:
    """Who says none, or one that is not there, gets all of it; joined, what was had and what follows is the whole."""
    whole = pieces(ResumeEvents().alter(GET, WELL))
    rest = ResumeEvents().alter(asking(seen), WELL)
    assert pieces(rest) == whole[len(whole) - left :]
    assert arrives(rest) == rest.body


def test_who_has_it_all_is_told_to_stop() -> None:
    """204, and no body: a client that keeps the format does not ask again."""
    assert ResumeEvents(retry_ms=5).alter(asking("4"), WELL) == Reply.of(204)


def test_ids_of_the_vendor_stay() -> None:
    """Events that have one keep it, and are found by it; comments have none."""
    body = b": hello\n\nid: a-1\ndata: 1\n\ndata: 2\n\nid:a-3\ndata: 3\n\ndata: cut o"
    reply = Reply.of(200, body, SSE)
    assert ids(ResumeEvents().alter(GET, reply)) == ["a-1", "2"]
    assert ResumeEvents().alter(GET, reply).body == body.replace(b"data: 2", b"id: 2\ndata: 2")
    assert ResumeEvents().alter(asking("2"), reply).body == b"id:a-3\ndata: 3\n\ndata: cut o"
    assert ResumeEvents().alter(asking("a-3"), reply).body == b"data: cut o"
    named = Reply.of(200, b"id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n", SSE)
    assert ResumeEvents().alter(GET, named) is named


@pytest.mark.parametrize("reply", [*BODYLESS, document([1]), lines({"a": 1}, {"b": 2})])
def test_what_is_no_stream_of_server_sent_events_stays(reply: Reply) -> None:
    """Lines of JSON have no ids."""
    assert ResumeEvents(retry_ms=3).alter(asking("1"), reply) is reply


def test_a_compressed_stream_is_numbered_as_text() -> None:
    """And sent plain."""
    assert ids(ResumeEvents().alter(GET, gzipped(WELL))) == ["1", "2", "3", "4"]


def test_a_wrong_setting_is_refused() -> None:
    """What, what is there, and what to do."""
    assert refusal(ResumeEvents, {"retry_ms": -1}) == three(
        "resume_events: `retry_ms` must be a whole number", "-1", "give 0 or more"
    )


# After the recipe in the documentation of httpx-sse: it waits as long as it is told, and says the last id it has seen.
CLIENTS = """
import json
import time

import httpx
import httpx_sse
import pytest

def events(resumes, keeps=True):
    got, last, delay = [], "", 0.0
    for _ in range(3):
        time.sleep(delay)
        headers = {"Last-Event-ID": last} if last and resumes else {}
        try:
            with httpx.Client() as client:
                with httpx_sse.connect_sse(client, "GET", "https://api.test/feed", headers=headers) as source:
                    for event in source.iter_sse():
                        last = event.id
                        delay = event.retry / 1000 if event.retry is not None else delay
                        got.append(json.loads(event.data)["n"])
            return got
        except httpx.TransportError:
            got = got if keeps else []
    raise AssertionError("no stream came to its end")

cut = pytest.mark.fault("any/sse-reconnect", cassette="tape.yaml")

@cut
def test_resumes(faults):
    assert events(resumes=True) == [0, 1, 2, 3, 4, 5]
    assert [slept.seconds for slept in faults.clock.slept] == [2.0]
    assert [x.request.header("last-event-id") for x in faults.log] == ["", "3"]
    assert [x.reply.whole for x in faults.log] == [False, True]

@cut
def test_begins_anew():
    assert events(resumes=False, keeps=False) == [0, 1, 2, 3, 4, 5]

@cut
def test_hands_up_twice():
    assert events(resumes=False) == [0, 1, 2, 3, 4, 5]

@cut
def test_does_not_care():
    with httpx.Client() as client:
        try:
            client.get("https://api.test/feed")
        except httpx.TransportError:
            pass
"""


def test_a_client_that_reconnects_recovers(project: Project) -> None:
    """It waits, says its last id and reads on; one that begins anew recovers too, one that adds up twice fails."""
    body = "".join(f'data: {{"n": {n}}}\n\n' for n in range(6))
    said = {
        "request": {"method": "GET", "uri": "https://api.test/feed", "headers": {}, "body": None},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/event-stream"], "Transfer-Encoding": ["chunked"]},
            "body": {"string": body},
        },
    }
    project.write("tape.yaml", yaml.dump({"version": 1, "interactions": [said]}))
    result = project.run(CLIENTS, above="")
    result.assert_outcomes(passed=3, failed=1)
    assert "assert [0, 1, 2, 0, 1, 2, ...] == [0, 1, 2, 3, 4, 5]" in result.stdout.str()
    found = [line.split() for line in result.stdout.lines if " any/sse-reconnect (" in line]
    assert {test.partition("::test_")[2]: outcome for outcome, test, *_ in found} == {
        "resumes": "recovered",
        "begins_anew": "recovered",
        "hands_up_twice": "crashed",
        "does_not_care": "unnoticed",
    }
