"""The pack `web`: all of it, over three readers of a page that know nothing of faults, and what becomes of each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from _project import Project
from _scenarios import SHIPPED

from pytest_agentfault import Reply, Request
from pytest_agentfault._errors import CassetteError
from pytest_agentfault._plan import Plan, drive
from pytest_agentfault.faults._pages import page_of
from pytest_agentfault.scenario import bind
from pytest_agentfault.testing._samples import PAGE
from pytest_agentfault.upstreams.cassette import Recordings

# By class and as the head says; by place and as the page says; by what a cell holds, whatever surrounds it.
READERS = """
import asyncio
import re

import aiohttp
import httpx
import lxml.html
import pytest
import requests
from bs4 import BeautifulSoup
from selectolax.lexbor import LexborHTMLParser

URL = "https://shop.example/lamps"
NAME = "N\\u00e4chtliche"
HONEST = (httpx.HTTPError, requests.HTTPError, LookupError)
EVERY = pytest.mark.fault_matrix("web/*", cassette="tape.yaml", raises=HONEST)

@EVERY
def test_soup():
    reply = httpx.get(URL).raise_for_status()
    soup = BeautifulSoup(reply.text, "html.parser")
    assert [tag.get_text() for tag in soup.select("a.name")][-1] == NAME

@EVERY
def test_lxml():
    reply = requests.get(URL)
    reply.raise_for_status()
    rows = lxml.html.document_fromstring(reply.content).xpath("//table//tr[td]")
    assert rows[1].xpath("td[2]")[0].text_content() == "89.00"
    assert rows[1].xpath("td[1]")[0].text_content() == NAME

async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(URL) as reply:
        return await reply.text()

@EVERY
def test_lexbor():
    text = LexborHTMLParser(asyncio.run(by_aiohttp())).body.text(separator=" ")
    prices = sorted(float(p.replace(",", "")) for p in re.findall(r"[\\d,]+\\.\\d\\d", text))
    assert prices in ([], [89.0, 1249.5])
"""
# soup, lxml, lexbor. Crashed: it read something else; unnoticed: it took a wall for an empty page.
OUTCOMES = {
    "web/bot-challenge": ("surfaced", "surfaced", "unnoticed"),
    "web/bot-challenge-200": ("surfaced", "surfaced", "unnoticed"),
    "web/bot-challenge-429": ("surfaced", "surfaced", "unnoticed"),
    "web/consent-wall": ("surfaced", "surfaced", "unnoticed"),
    "web/empty-shell": ("surfaced", "surfaced", "unnoticed"),
    "web/extra-column": ("held", "crashed", "held"),
    "web/localised": ("held", "crashed", "crashed"),
    "web/login-wall": ("surfaced", "surfaced", "unnoticed"),
    "web/moved-element": ("held", "held", "held"),
    "web/renamed-classes": ("surfaced", "held", "held"),
    "web/wrapped-element": ("held", "held", "held"),
    "web/wrong-charset": ("crashed", "held", "held"),
}
LINE = r"^(\w+) +test_agent\.py::test_(\w+)\[\S+ +(web/\S+) \((\d+) of \d+ calls"
HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = Reply.of(200, b'{"html": "<html><p class=a>x</p>"}', {"Content-Type": "application/json"})
ASKED = Request("GET", "https://shop.example/lamps", (("Cookie", "session=1"),))


def tape(path: Path) -> None:
    """The recording of the page."""
    one = {
        "request": {"method": "GET", "uri": ASKED.url, "headers": {}, "body": None},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["text/html; charset=utf-8"]},
            "body": {"string": PAGE},
        },
    }
    path.write_text(yaml.dump({"version": 1, "interactions": [one]}))


def test_what_becomes_of_three_readers(project: Project) -> None:
    """Each scenario strikes each of them, and ends as it should."""
    tape(project.path / "tape.yaml")
    result = project.run(READERS, "--fault-seed=1", "-k", "web", above="")
    told = re.findall(LINE, result.stdout.str(), re.MULTILINE)
    became = {(name, test): outcome for outcome, test, name, _ in told}
    readers = ("soup", "lxml", "lexbor")
    assert {name: tuple(became[name, reader] for reader in readers) for name in OUTCOMES} == OUTCOMES
    assert all(struck == "1" for *_, struck in told)
    assert len(told) == 3 * len(OUTCOMES)


def struck(name: str, reply: Reply, asked: Request = ASKED, times: int = 1) -> list[Any]:
    """So many exchanges of the same request under a scenario."""
    plan = Plan(SHIPPED.get(name).rules, bind=bind("1", lambda: 1.77e9))
    return [drive(plan.exchange(asked), lambda _: reply) for _ in range(times)]


def test_the_pack_is_whole() -> None:
    """Every scenario for pages has its outcome here, and says where it comes from and what it damages."""
    assert list(OUTCOMES) == list(SHIPPED.select("web/*"))
    for scenario in map(SHIPPED.get, OUTCOMES):
        assert all(part.strip().startswith("https://") for part in scenario.source.split(" ; "))
        assert [rule.to for rule in scenario.rules] == ["GET *"]
        assert {fault.damages for fault in scenario.rules[0].faults if hasattr(fault, "damages")} <= {scenario.damages}


@pytest.mark.parametrize("name", OUTCOMES)
def test_only_pages_are_struck(name: str) -> None:
    """A page each time; JSON, an error page and what is no GET never."""
    page = Reply.of(200, PAGE.encode(), HTML)
    assert all(done.struck for done in struck(name, page, times=3))
    for other in (JSON, Reply.of(404, PAGE.encode(), HTML), Reply.of(200, b"%PDF-", HTML)):
        assert not struck(name, other)[0].struck
    assert not struck(name, page, Request("POST", ASKED.url))[0].struck


@pytest.mark.parametrize("name", [name for name in OUTCOMES if "wall" in name or "challenge" in name])
def test_another_cookie_opens_a_wall(name: str) -> None:
    """The wall stands for whoever has met it, and not for one who has another cookie."""
    page = Reply.of(200, PAGE.encode(), HTML)
    plan = Plan(SHIPPED.get(name).rules, bind=bind("1", lambda: 1.77e9))
    known = Request("GET", ASKED.url, (("Cookie", "consent=yes"),))
    done = [drive(plan.exchange(asked), lambda _: page) for asked in (ASKED, ASKED, known, ASKED)]
    assert [bool(each.struck) for each in done] == [True, True, False, True]
    assert all(page_of(ASKED, each.reply) is None or b"price" not in each.reply.body for each in done if each.struck)
    assert not re.search(r"\{(request|faker)", done[0].reply.body.decode())


def test_a_shell_keeps_its_head() -> None:
    """Title and description are those of the page; what it was read for is gone."""
    body = struck("web/empty-shell", Reply.of(200, PAGE.encode(), HTML))[0].reply.body.decode()
    head, _, rest = body.partition("<body>")
    assert head == PAGE.partition("<body>")[0]
    assert '<div id="root"></div>' in rest
    assert "Desk lamp" not in rest


LISTED = """
import sys

import pytest

@pytest.mark.fault_matrix("web/renamed-classes")
def test_page():
    pass
"""


def test_without_the_extra_all_is_listed_and_none_is_placed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--fault-list` needs no extra; a mark that does is refused at collection, with what to install."""
    find = __import__("importlib.util").util.find_spec
    absent = ("bs4", "soupsieve")
    monkeypatch.setattr("pytest_agentfault.faults._markup.find_spec", lambda n: None if n in absent else find(n))
    listed = project.run("", "--fault-list", above="")
    assert "web/renamed-classes" in listed.stdout.str()
    refused = project.run(LISTED, above="")
    assert "drift_html finds elements by BeautifulSoup" in refused.stdout.str()
    assert "to do: pip install 'pytest-agentfault[html]'" in refused.stdout.str()
    assert refused.ret == pytest.ExitCode.INTERRUPTED


@pytest.mark.shared
@pytest.mark.parametrize("name", OUTCOMES)
def test_no_recording_of_an_api_is_taken_for_a_page(shared_dir: Path, name: str) -> None:
    """Over every real recording: what is struck is a page by its bytes, and nothing else is touched."""
    loaded, seen = Recordings(), 0
    for entry in json.loads((shared_dir / "cassettes" / "INDEX.json").read_text()):
        try:
            recording = loaded.load(shared_dir / "cassettes" / entry["file"])
        except CassetteError:
            continue  # tests/test_shared_cassettes.py says which, and why
        for one in recording.interactions:
            asked = Request("GET", one.request.uri)
            done = struck(name, one.reply, asked)[0]
            seen += 1
            assert not done.struck or b"<html" in one.reply.body.lower(), one.request.uri
    assert seen > 100
