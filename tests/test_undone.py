"""Everything that is put in place for a test is gone after it, however the test ended."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

# Runs in a process of its own: notes every name the plugin patches, and compares after each test.
WATCHING = """
    import pytest
    from pytest_agentfault._seams import Patches

    patched = {}

    real = Patches.set

    def spy(self, target, name, value):
        before = real(self, target, name, value)
        patched.setdefault((id(target), name), (target, name, before))
        return before

    Patches.set = spy

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(session):
        left = [f"{t!r}.{n}" for t, n, before in patched.values() if getattr(t, n) != before]
        print("PATCHED", len(patched), "LEFT", left)
"""

ENDINGS = {
    "passes": ('httpx.get("https://api.example.com/")', 0),
    "raises": ('raise RuntimeError("no")', 1),
    "is interrupted": ("raise KeyboardInterrupt", 2),
    "exits": ('pytest.exit("enough")', 2),
    "is skipped": ('pytest.skip("later")', 0),
    "hangs": ('\n    while True: httpx.get("https://api.example.com/")', 1),
    "leaves a client open": ('keep.append(httpx.Client()); keep[0].get("https://api.example.com/")', 0),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_patch_is_undone(pytester: pytest.Pytester, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a test that passes, raises, hangs, exits or is interrupted, every patched name is what it was."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    code, exit_code = ENDINGS[ending]
    pytester.makeconftest(textwrap.dedent(WATCHING))
    pytester.makepyfile(
        "import httpx, pytest, aiohttp, requests, urllib3, anyio.streams.tls, vcr\nkeep = []\n"
        '@pytest.mark.fault("any/expired-session")\n'
        f"def test_it():\n    {code.strip()}\n"
    )
    result = pytester.runpytest_subprocess("-p", "pytest_agentfault.plugin", "-s")
    assert result.ret == exit_code
    line = next(line for line in result.outlines if "PATCHED" in line)
    assert int(line.partition("PATCHED")[2].split()[0]) > 10, line
    assert line.endswith("LEFT []"), line


def test_a_door_that_cannot_be_opened_leaves_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a seam of a library has moved, the test ends in an error and nothing stays patched."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(
        textwrap.dedent(WATCHING)
        + "\nimport anyio.streams.tls, urllib3.util.connection\ndel urllib3.util.connection.create_connection\n"
    )
    pytester.makepyfile(
        'import pytest\n@pytest.mark.fault("any/rate-limit")\ndef test_it(): pass\ndef test_next(): pass\n'
    )
    result = pytester.runpytest_subprocess("-s", "-p", "pytest_agentfault.plugin")
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*the way into urllib3 has moved", "*AttributeError: *create_connection*"])
    line = next(line for line in result.outlines if "PATCHED" in line)
    assert line.endswith("LEFT []"), line


def test_unused_costs_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test without a fault is run with no patch and without anything of the plugin but its hooks."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import sys
        def test_it():
            ours = sorted(m for m in sys.modules if m.startswith("pytest_agentfault"))
            assert ours == [
                "pytest_agentfault", "pytest_agentfault._hooks", "pytest_agentfault._stash",
                "pytest_agentfault._summary", "pytest_agentfault._unittest", "pytest_agentfault.plugin",
            ]
            assert not {"respx", "vcr", "faker", "freezegun", "h11", "httpx"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "pytest_agentfault.plugin").assert_outcomes(passed=1)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts descriptors where the system lists them")
def test_no_file_descriptor_outlives_its_test(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tests under faults, each with a pool that asks whether its connections are idle, leave none open."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import httpx, os, pytest

        @pytest.mark.parametrize("n", range(30))
        @pytest.mark.fault("any/rate-limit")
        def test_it(n):
            with httpx.Client() as client:
                assert [client.get("https://api.example.com/").status_code for _ in "12"] == [429, 429]

        def test_descriptors():
            import gc
            gc.collect()
            assert len(os.listdir("/proc/self/fd")) < 40
        """
    )
    result = pytester.runpytest_subprocess("-p", "pytest_agentfault.plugin", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=31)
