"""The fault `wrong_charset`: a page whose label and bytes do not agree."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from _said import BODYLESS, GET, arrives, document, gzipped, refusal, stream, three
from bs4 import BeautifulSoup

from pytest_agentfault._reply import Reply
from pytest_agentfault._rule import verbs_of
from pytest_agentfault.faults.wrong_charset import WrongCharset

META = '<html><meta charset="utf-8"><p>5 € für Größe</p></html>'
UTF_8 = (("Content-Type", "text/html; charset=utf-8"),)


def read(reply: Reply) -> tuple[str, str]:
    """What httpx makes of the text by its head, and BeautifulSoup of the bytes by what they say."""
    got = httpx.Response(200, headers=list(reply.headers), content=arrives(reply))
    return BeautifulSoup(got.text, "html.parser").get_text(), BeautifulSoup(got.content, "html.parser").get_text()


@pytest.mark.parametrize("label", ["text/html; charset=utf-8", "text/html", "Text/HTML;charset=UTF-8"])
def test_a_wrong_label_misleads_who_believes_it(label: str) -> None:
    """Not a byte of the page changes."""
    reply = Reply.of(200, META.encode(), (("Content-Type", label),))
    said = WrongCharset().alter(GET, reply)
    assert said.body == reply.body
    assert said.header("content-type") == f"{label.partition(';')[0]}; charset=iso-8859-1"
    assert read(said) == ("5 â\x82¬ fÃ¼r GrÃ¶Ã\x9fe", "5 € für Größe")


def test_other_bytes_mislead_who_believes_the_old_label() -> None:
    """The label and the page's own word are those of the page as it was."""
    said = WrongCharset("bytes", "windows-1252").alter(GET, Reply.of(200, META.encode(), UTF_8))
    assert said.body == META.encode("windows-1252")
    assert said.headers[0] == UTF_8[0]
    assert read(said)[0] == "5 \ufffd f\ufffdr Gr\ufffd\ufffde"


def test_a_compressed_page_is_read() -> None:
    """The label changes, or the bytes beneath the coding."""
    reply = gzipped(Reply.of(200, META.encode(), UTF_8))
    assert WrongCharset().alter(GET, reply).body == reply.body
    assert (
        WrongCharset("bytes", "latin-1")
        .alter(GET, reply)
        .body.startswith(b'<html><meta charset="utf-8"><p>5 &#8364; f\xfc')
    )


@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        *((WrongCharset(how), reply) for how in ("label", "bytes") for reply in (*BODYLESS, document({"a": "ü"}))),
        (WrongCharset(), stream("ü")),
        (WrongCharset(), Reply.of(200, b"<html>plain", UTF_8)),
        (WrongCharset("bytes"), Reply.of(200, b"<html>plain", UTF_8)),
        (WrongCharset("label", "utf-8"), Reply.of(200, META.encode(), UTF_8)),
        (WrongCharset("bytes", "utf-8"), Reply.of(200, META.encode(), UTF_8)),
        (WrongCharset("bytes"), Reply.of(200, "<html>ランプ".encode(), UTF_8)),  # all of it would become references
    ],
)
def test_what_reads_the_same_is_not_struck(fault: WrongCharset, reply: Reply) -> None:
    """The same reply comes back."""
    assert fault.alter(GET, reply) is reply
    assert verbs_of(fault) == ("alter",)


@pytest.mark.parametrize(
    ("chosen", "text"),
    [
        ({"how": "both"}, three("wrong_charset: unknown `how`", "'both'", "known: bytes, label")),
        *(
            (
                {"charset": wrong},
                three(
                    "wrong_charset: `charset` must be a charset",
                    repr(wrong),
                    'name one, such as "iso-8859-1", "windows-1252", "shift_jis" or "utf-8"',
                ),
            )
            for wrong in ("latin-99", "hex", "")
        ),
        ({"charset": None}, three("wrong_charset: `charset` must be a text", "None", "put it in quotes")),
    ],
)
def test_a_wrong_setting_is_refused(chosen: dict[str, Any], text: str) -> None:
    """What, what is there, and what to do."""
    assert refusal(WrongCharset, chosen) == text
