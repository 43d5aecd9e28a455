"""The mount is put on and taken off without a trace, never writes, and tells of a cassette above it."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_recording._vcr
import urllib3
import vcr
from _tapes import GET, digest, interaction, tape
from vcr.serializers import yamlserializer

from pytest_agentfault._errors import CassetteError
from pytest_agentfault._reply import Reply, Request
from pytest_agentfault._seams import Patches
from pytest_agentfault.upstreams.vcr import MARKS, RECORD_FIRST, Vcr

URL = GET.url


@pytest.fixture
def mount() -> Iterator[Vcr]:
    """The mount in place, as it is for the length of a test under a fault."""
    patches, mount = Patches(), Vcr()
    mount.install(patches)
    yield mount
    patches.undo()
    mount.release()


def names_patched() -> list[Any]:
    """What vcrpy and we put ourselves over."""
    found = [vcr.patch.CassettePatcherBuilder.build, vcr.cassette.Cassette._save, yamlserializer.deserialize]
    for module, owner, method in MARKS:
        thing = getattr(sys.modules.get(module), owner, None)
        found.append(getattr(thing, method, None) if method else thing)
    return found


def test_an_entered_cassette_patches_no_client_and_answers_from_below(mount: Vcr, tmp_path: Path) -> None:
    """Inside the cassette every client is its own, and the recorded answer is had through the mount."""
    before = names_patched()
    assert (mount.active, mount.serves(GET)) == (False, False)
    with vcr.use_cassette(tape(tmp_path, interaction(1)), record_mode="none"):
        assert names_patched() == before
        assert (mount.active, mount.serves(GET)) == (True, True)
        assert mount.send(GET) == Reply.of(200, b"1", {"Content-Type": "text/plain"}, "OK")
    assert (mount.active, mount.serves(GET)) == (False, False)


def test_everything_is_taken_off_again() -> None:
    """After the test each patched name is what it was."""
    before = names_patched()
    patches, mount = Patches(), Vcr()
    mount.install(patches)
    assert names_patched() != before
    patches.undo()
    mount.release()
    assert names_patched() == before


def test_a_mount_that_nobody_wants_does_not_import_vcrpy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing vcrpy imports every HTTP client; a test without cassettes is spared that."""
    before = names_patched()
    monkeypatch.delitem(sys.modules, "vcr")
    Vcr().install(Patches(), wanted=False)
    assert names_patched() == before
    assert "vcr" not in sys.modules


@pytest.mark.parametrize("options", [{"drop_unused_requests": True}, {"record_mode": "all"}, {}])
def test_no_way_out_of_a_cassette_writes_the_file(mount: Vcr, tmp_path: Path, options: dict[str, Any]) -> None:
    """vcrpy would drop what a fault left unplayed, or save new metadata: not while a fault is in."""
    path = tape(tmp_path, interaction(1), interaction(2, "https://other.test/"))
    before = digest(path)
    with vcr.use_cassette(path, **{"record_mode": "new_episodes", **options}) as cassette:
        if options.get("record_mode") != "all":
            assert mount.send(GET).body == b"1"
        cassette.get_metadata("seed", 7)
        assert cassette.dirty
    assert digest(path) == before


def test_another_cassette_is_saved_as_ever(mount: Vcr, tmp_path: Path) -> None:
    """Only cassettes that are mounted are kept from being written."""
    path = tape(tmp_path, interaction(1))
    own = vcr.cassette.Cassette.load(path=path)
    own.append(vcr.request.Request("GET", "https://new.test/", None, {}), interaction(2)["response"])
    own._save()
    assert "https://new.test/" in Path(path).read_text()


@pytest.mark.parametrize(
    ("mode", "exists"),
    [("new_episodes", True), ("all", True), ("any", True), ("once", False), ("new_episodes", False), ("all", False)],
)
def test_recording_is_refused_while_a_fault_is_in(mount: Vcr, tmp_path: Path, mode: str, exists: bool) -> None:
    """What vcrpy would send to the vendor and write down is an error instead, in so many words."""
    path = tape(tmp_path, interaction(1)) if exists else str(tmp_path / "new" / "tape.yaml")
    url = URL if mode == "all" else URL + "/else"
    with vcr.use_cassette(path, record_mode=mode), pytest.raises(CassetteError) as caught:
        assert mount.serves(Request("GET", url))
        mount.send(Request("GET", url))
    assert str(caught.value) == (
        f"GET {url} would be recorded into {path}, which is refused under a fault\n"
        f"  there is: record mode {mode!r} and {int(exists)} recorded interactions\n"
        "  to do: record the healthy run first, without the fault, then play it with the fault"
    )
    assert Path(path).exists() is exists


def test_a_cassette_that_is_not_there_is_told(mount: Vcr, tmp_path: Path) -> None:
    """vcrpy takes a missing or empty file for an empty cassette."""
    path = tmp_path / "tape.yaml"
    with vcr.use_cassette(str(path), record_mode="none"), pytest.raises(CassetteError) as caught:
        mount.send(GET)
    assert (caught.value.what, caught.value.there, caught.value.do) == (
        f"no recording for GET {URL} in {path}",
        "vcrpy found no cassette there, or an empty one",
        RECORD_FIRST,
    )


def test_a_cassette_that_outlives_the_test_is_given_back_to_vcrpy(tmp_path: Path) -> None:
    """A module-scoped cassette first entered under a fault answers the next test through vcrpy again."""
    before = names_patched()
    patches, mount = Patches(), Vcr()
    mount.install(patches)
    with vcr.use_cassette(tape(tmp_path, interaction(1), interaction(2)), record_mode="none") as cassette:
        assert mount.send(GET).body == b"1"
        patches.undo()
        mount.release()
        assert not mount.active
        with httpx.Client() as client, client.stream("GET", URL) as response:
            assert b"".join(response.iter_raw()) == b"2"
        assert cassette.all_played
    assert names_patched() == before


@pytest.mark.parametrize(
    "skipped",
    [[], ["httplib"], ["httplib", "urllib3", "requests"], ["httplib", "urllib3", "requests", "httpx"]],
)
def test_a_cassette_of_before_is_taken_over_or_named(mount: Vcr, tmp_path: Path, skipped: list[str]) -> None:
    """It was entered before the mount: its patches are put aside until the end; without that it can be named."""
    path = tape(tmp_path, interaction(1))
    assert mount.active_above() is None
    patches, late = Patches(), Vcr()
    with vcr.use_cassette(tape(tmp_path, interaction(1), name="mounted.yaml"), record_mode="none"):
        assert mount.active_above() is None
    above = vcr.cassette.Cassette.load(path=path, record_mode="none", skip_patchers=skipped)
    for patcher in (patchers := list(real_patchers(above))):
        patcher.__enter__()
    patched = names_patched()
    try:
        assert late.active_above() == path
        late.install(patches)
        assert late.active_above() is None
        assert late.send(Request("GET", URL)).body == b"1"
        assert above.play_count == 1
    finally:
        patches.undo()
        late.release()
        assert (late.active_above(), names_patched()) == (path, patched)
        for patcher in reversed(patchers):
            patcher.__exit__(None, None, None)
    assert mount.active_above() is None


BUILD = vcr.patch.CassettePatcherBuilder.build


def real_patchers(cassette: Any) -> Any:
    """vcrpy's own patchers for a cassette, as if no mount were there."""
    return BUILD(vcr.patch.CassettePatcherBuilder(cassette))


def test_looking_for_a_cassette_above_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where vcrpy was never imported there is nothing above."""
    monkeypatch.delitem(sys.modules, "vcr.cassette")
    assert Vcr.active_above() is None
    assert "vcr.cassette" not in sys.modules
    assert not issubclass(http.client.HTTPConnection, vcr.stubs.VCRConnection)
    assert urllib3.connectionpool.HTTPConnectionPool.ConnectionCls is urllib3.connection.HTTPConnection


MOUNTED = """
    import pytest
    from pytest_agentfault._reply import Request
    from pytest_agentfault._seams import Patches
    from pytest_agentfault.upstreams.vcr import Vcr

    MOUNT = Vcr()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(item):
        item.patches = Patches()
        MOUNT.install(item.patches)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(item):
        item.patches.undo()
        MOUNT.release()

    @pytest.fixture
    def body():
        return MOUNT.send(Request("GET", "https://api.test/v1/me")).body
"""


def test_a_cassette_of_pytest_recording_is_mounted(pytester: pytest.Pytester) -> None:
    """The marker `vcr` on a test is enough; its default cassette answers from below."""
    pytester.makeconftest(MOUNTED)
    pytester.makepyfile(
        test_me="""
        import pytest

        @pytest.mark.vcr
        def test_default(vcr, body):
            assert body == b"1" and vcr.all_played

        @pytest.mark.vcr("extra.yaml")
        def test_extra(vcr, body):
            assert body == b"2"
        """
    )
    folder = pytester.path / "cassettes" / "test_me"
    folder.mkdir(parents=True)
    path = tape(folder, interaction(1), name="test_default.yaml")
    tape(folder, interaction(2), name="extra.yaml")
    before = digest(path)
    pytester.runpytest("-p", "no:randomly", "-p", "no:asyncio").assert_outcomes(passed=2)
    assert digest(path) == before


def test_pytest_recordings_rewrite_mode_does_not_delete_the_file(pytester: pytest.Pytester) -> None:
    """`--record-mode=rewrite` removes a cassette before it is entered: refused at set-up instead."""
    pytester.makeconftest(MOUNTED)
    pytester.makepyfile(
        test_me="""
        import pytest

        @pytest.mark.vcr
        def test_default(body): ...

        @pytest.mark.vcr(record_mode="rewrite")
        def test_marked(body): ...
        """
    )
    folder = pytester.path / "cassettes" / "test_me"
    folder.mkdir(parents=True)
    paths = [tape(folder, interaction(1), name=f"{name}.yaml") for name in ("test_default", "test_marked")]
    before = [digest(path) for path in paths]
    result = pytester.runpytest("-p", "no:randomly", "-p", "no:asyncio", "--record-mode=rewrite")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            f"*CassetteError: the cassette test_default in {folder} would be deleted and recorded anew, "
            "which is refused under a fault",
            "*  there is: record mode 'rewrite'",
            f"*  to do: {RECORD_FIRST}",
        ]
    )
    assert [digest(path) for path in paths] == before


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (vcr.patch.CassettePatcherBuilder, "build"),
        (vcr.patch.CassettePatcherBuilder(vcr.cassette.Cassette("x")), "_cassette"),
        (vcr.cassette.Cassette, "_save"),
        *(
            (vcr.cassette.Cassette("x"), name)
            for name in ("_match_on", "_path", "_loaded_count", "_played_interactions")
        ),
        (yamlserializer, "deserialize"),
        (pytest_recording._vcr, "use_cassette"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_private_seam_is_where_the_mount_leans_on_it(owner: Any, name: str) -> None:
    """When vcrpy or pytest-recording move one, this fails by its name."""
    assert hasattr(owner, name)
