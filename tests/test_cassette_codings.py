"""A recorded content coding is believed only where the bytes have it."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import pytest
from _tapes import PLAIN, only

from pytest_agentfault.upstreams import _repair


def raw_deflate(data: bytes) -> bytes:
    """Deflate without zlib's wrapping, as some servers send it."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


@pytest.mark.parametrize(
    ("coding", "body", "kept"),
    [
        ("gzip", gzip.compress(PLAIN, mtime=0), True),
        ("x-gzip", gzip.compress(PLAIN, mtime=0), True),
        ("deflate", zlib.compress(PLAIN), True),
        ("deflate", raw_deflate(PLAIN), True),
        ("br, gzip", gzip.compress(PLAIN, mtime=0), True),
        ("identity", PLAIN, True),
        ("zstd", b"\x28\xb5\x2f\xfd rest", True),
        ("br", b"\x8b\x04\x80\xff\xfe", True),
        ("gzip", PLAIN, False),
        ("deflate", PLAIN, False),
        ("zstd", PLAIN, False),
        ("br", PLAIN, False),
        ("gzip, br", PLAIN, False),
        ("gzip", b"", False),
    ],
)
def test_a_content_coding_is_kept_only_where_the_bytes_have_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coding: str, body: bytes, kept: bool
) -> None:
    """A gzip header over plain bytes, which recorders leave behind, does not reach the client."""
    monkeypatch.setattr(_repair, "_brotli", lambda: None)
    reply = only(tmp_path, {"headers": {"Content-Encoding": [coding]}, "body": {"string": body}})
    assert (reply.header("content-encoding"), reply.body) == (coding if kept else "", body)


class FakeBrotli:
    """A brotli that knows one coded text."""

    error = ValueError

    @staticmethod
    def decompress(data: bytes) -> bytes:
        """Refuse everything but the one."""
        if data != b"coded":
            raise ValueError
        return PLAIN


@pytest.mark.parametrize(("body", "kept"), [(b"coded", "br"), (b"plain", "")])
def test_where_brotli_is_installed_it_is_the_judge_of_br(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes, kept: str
) -> None:
    """With the module there, bytes are brotli exactly when it can decode them."""
    monkeypatch.setattr(_repair, "_brotli", lambda: FakeBrotli)
    reply = only(tmp_path, {"headers": {"Content-Encoding": ["br"]}, "body": {"string": body}})
    assert reply.header("content-encoding") == kept


def test_brotli_is_looked_for_under_both_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """brotli, else brotlicffi, else none."""
    found = {"brotlicffi": FakeBrotli}

    def importing(name: str) -> Any:
        if name not in found:
            raise ImportError(name)
        return found[name]

    monkeypatch.setattr(_repair, "import_module", importing)
    assert _repair._brotli() is FakeBrotli
    found.clear()
    assert _repair._brotli() is None


def test_brotli_is_asked_about_br_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another coding that nobody here can undo is believed of any bytes that are no text."""
    monkeypatch.setattr(_repair, "_brotli", lambda: FakeBrotli)
    packed = b"\x8b\x04\x80\xff\xfe"
    reply = only(tmp_path, {"headers": {"Content-Encoding": ["compress"]}, "body": {"string": packed}})
    assert (reply.header("content-encoding"), reply.body) == ("compress", packed)
