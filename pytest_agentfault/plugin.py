"""
The pytest side.

Light by rule: this file imports pytest and the standard library only, and
nothing of the rest before a test asks for a fault. Everything it keeps lives in
the stash of config and item; nothing is global.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ._stash import ACTIVE, ON_CLOCK, PLACED, RUN
from ._summary import Summary
from ._unittest import VARIANT, is_test_case, variant_names, variant_of, with_variants

if TYPE_CHECKING:
    from ._placing import Placement
    from ._run import Faults, Run
    from ._variants import Variant
    from .scenario import Library
    from .serving import FaultServer

LIBRARY = pytest.StashKey["Library"]()
RECORDINGS = pytest.StashKey[Any]()
CERTIFICATES = pytest.StashKey[Any]()
OWN_FIXTURES: Final = frozenset({"faults", "fault_server"})

MARKERS: Final = (
    "fault(*what, to=, times=, after=, every=, probability=, until=, after_seconds=, for_seconds=, raises=, "
    "cassette=, checks=, waive=, clock=): run the test under these faults: names of scenarios (`pytest --fault-list`) "
    "or fault objects; fault(clock=True): under none, with waits that cost nothing.",
    "fault_matrix(*patterns, raises=, ...): run the test once as it is and once per scenario that a pattern names.",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("agentfault", "failures injected into tests")
    group.addoption(
        "--fault",
        action="append",
        default=[],
        metavar="PATTERN",
        help="also run every test that has no fault of its own under each scenario of this pattern, "
        "such as 'any/*' or 'openai/rate-limit'; can be given several times",
    )
    group.addoption(
        "--fault-list",
        nargs="?",
        const="text",
        choices=["text", "json"],
        help="list the scenarios (as json: for a CI matrix) and exit",
    )
    group.addoption(
        "--fault-seed", type=int, default=0, metavar="N", help="seed of every random choice of a fault; default 0"
    )
    group.addoption(
        "--fault-off",
        action="store_true",
        help="place no faults: every test meets its healthy replies (as for recording cassettes)",
    )
    group.addoption(
        "--fault-shrink",
        type=int,
        default=60,
        metavar="N",
        help="look with up to N silent reruns for the smallest part of a fault that a test fails under, such as one "
        "split of hundreds; default 60, 0: do not",
    )
    group.addoption(
        "--fault-replay",
        metavar="ID",
        help="run one place or one smallest plan again, by the id that its failure gave",
    )
    parser.addini("fault_scenarios", "directories with scenarios of your own", type="paths", default=[])
    parser.addini(
        "fault_hosts",
        "self-hosted bases, one vendor a line: jira = https://jira.example.com",
        type="linelist",
        default=[],
    )
    parser.addini("fault_budget_calls", "calls a test may make under a fault before it counts as hung", default="100")
    parser.addini(
        "fault_budget_seconds",
        "real seconds a test under a fault may wait without a call, for what the clock cannot move, before it counts "
        "as hung",
        default="30",
    )


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import _hooks

    pluginmanager.add_hookspecs(_hooks)


def pytest_configure(config: pytest.Config) -> None:
    for line in MARKERS:
        config.addinivalue_line("markers", line)
    config.pluginmanager.register(Summary(), "pytest_agentfault_summary")
    replayed = config.option.fault_replay
    if replayed and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args[:] = [str(config.rootpath / replayed.partition("::")[0])]


def pytest_report_header(config: pytest.Config) -> str:
    off = ", off" if config.option.fault_off else ""
    doors = ", ".join(sorted(file.stem for file in Path(__file__).parent.glob("doors/[!_]*.py")))
    return f"agentfault: seed {config.option.fault_seed}, doors {doors}{off}"


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    if not config.option.fault_list:
        return None
    from ._errors import AgentFaultError
    from ._listing import listing

    try:
        print(listing(_library(config), config.option.fault_list))  # noqa: T201  # what the option is for
    except AgentFaultError as error:
        raise pytest.UsageError(str(error)) from error
    return 0


def pytest_collectstart(collector: pytest.Collector) -> None:
    if is_test_case(collector):
        collector.collect = with_variants(collector.collect, _variants_of)  # type: ignore[method-assign]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = _variants_of(metafunc.definition)
    if not found:
        return
    # Nothing requests the fixture: its value is read from the item's callspec.
    metafunc.fixturenames.append(VARIANT)
    metafunc.parametrize(VARIANT, [None, *found], ids=[pytest.HIDDEN_PARAM, *(v.name for v in found)])


def _variants_of(definition: pytest.Function) -> list[Variant]:
    config = definition.config
    marks, asked = list(definition.iter_markers("fault_matrix")), config.option.fault
    if not (marks or asked) or config.option.fault_off:
        return []
    if not marks and definition.get_closest_marker("fault"):
        return []
    from ._variants import variants

    return variants(marks, asked, _library(config), definition)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.fault_off:
        return
    wrong: list[str] = []
    _budget_calls(config)
    _budget_seconds(config)
    for item in items:
        marks = list(item.iter_markers("fault"))
        variant = variant_of(item)
        if marks or variant or not OWN_FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            _place(item, marks, variant, wrong)
    if wrong:
        raise pytest.UsageError("\n".join(wrong))
    if config.option.fault_replay or any(PLACED in item.stash for item in items):
        from ._reruns import prepare

        prepare(config, items)


def _place(item: pytest.Item, marks: Iterable[pytest.Mark], variant: Any, wrong: list[str]) -> None:
    from ._errors import AgentFaultError
    from ._explore import check_exploring
    from ._placing import place

    placed = list(variant.placements) if variant else []
    for mark in marks:
        try:
            placed += place(mark.args, mark.kwargs, _library(item.config), item.path.parent)
            for placement in placed:
                check_exploring(placement)
        except AgentFaultError as error:
            path, line, _ = item.location
            wrong.append(f"{path}:{(line or 0) + 1}: {item.name}: @pytest.mark.fault: {error}")
    item.stash[ON_CLOCK] = any("clock" in mark.kwargs for mark in marks)
    item.stash[PLACED] = tuple(placed)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # An interrupt ends the session without the teardown of the item it came upon.
    run = session.config.stash.get(ACTIVE, None)
    if run is not None:
        run.stop()
        del session.config.stash[ACTIVE]


@pytest.hookimpl(wrapper=True, trylast=True)  # after what other plugins prepare, before any fixture
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, None, None]:
    placed = item.stash.get(PLACED, None)
    if placed is None:
        return (yield)
    _start(item, placed)
    run = item.stash[RUN]
    try:
        result = yield
    except BaseException as error:
        wrong = None
        if run.struck or run.plan.why_hung:
            from ._judging import after_error

            wrong = after_error(item, run, error)  # an error stays; its outcome is told
        if not run.plan.why_hung or not wrong:
            raise
    else:
        return result
    pytest.fail("\n".join(wrong), pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    run = item.stash.get(RUN, None)
    if run is None:
        return (yield)
    from ._judging import after_error, after_pass, conclude

    run.watchdog.enter("call")
    try:
        yield
    except BaseException as error:
        wrong = after_error(item, run, error)
        if wrong is None:
            raise
    else:
        wrong = after_pass(item, run)
    finally:
        run.watchdog.enter("teardown")
    conclude(run, wrong)


def pytest_enter_pdb(config: pytest.Config) -> None:
    run = config.stash.get(ACTIVE, None)
    if run is not None:
        run.watchdog.pause()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    try:
        return (yield)
    finally:
        _stop(item)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    if fixturedef.argname not in ("default_cassette_name", "vcr_cassette_name"):
        return (yield)
    names = variant_names(request.node)
    if not names:
        return (yield)
    from ._variants import bare_name

    # Every variant plays the recording of its baseline, whose name the test's own name decides.
    with bare_name(request.node, names):
        return (yield)


@pytest.fixture
def faults(request: pytest.FixtureRequest) -> Faults:
    """The faults of this test: `add` places more, `log` holds the exchanges, `outcome` the verdict."""
    return _run_of(request, "faults").faults


@pytest.fixture
def fault_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FaultServer:
    """A server on loopback through which this test's faults strike other processes: `url`, `proxy_url`, `env`."""
    from .doors._certificates import Certificates
    from .serving import FaultServer

    run, stash = _run_of(request, "fault_server"), request.config.stash
    if CERTIFICATES not in stash:
        stash[CERTIFICATES] = Certificates(lambda: tmp_path_factory.mktemp("agentfault"))
    return FaultServer(run.serve(stash[CERTIFICATES]), run.faults)


def _run_of(request: pytest.FixtureRequest, fixture: str) -> Run:
    run: Run | None = request.node.stash.get(RUN, None)
    if run is None:
        pytest.fail(
            f"the fixture `{fixture}` came too late\n  there is: a test that did not name it when it was collected"
            f" (or --fault-off)\n  to do: name `{fixture}` in the test's or a fixture's arguments",
            pytrace=False,
        )
    return run


def _start(item: pytest.Item, placed: tuple[Placement, ...]) -> None:
    from ._errors import AgentFaultError
    from ._run import Run
    from .upstreams.cassette import Recordings

    config = item.config
    wrong = ""
    try:
        run = item.stash[RUN] = config.stash[ACTIVE] = Run(
            placed,
            _library(config),
            config.stash.setdefault(RECORDINGS, Recordings()),
            item.path.parent,
            f"{config.option.fault_seed}/{item.nodeid}",
            _budget_calls(config),
            _budget_seconds(config),
        )
        run.on_clock = item.stash.get(ON_CLOCK, False)
        names = getattr(item, "fixturenames", ())
        run.awaited = not OWN_FIXTURES.isdisjoint(names)
        run.start(lambda tool: tool in names or item.get_closest_marker(tool) is not None)
    except AgentFaultError as error:
        wrong = str(error)
    if wrong:
        pytest.fail(wrong, pytrace=False)


def _budget_calls(config: pytest.Config) -> int:
    given = config.getini("fault_budget_calls")
    if not str(given).isdigit() or int(given) < 1:
        raise pytest.UsageError(
            f"`fault_budget_calls` must be a whole number\n  there is: {given!r}\n  to do: give 1 or more calls"
        )
    return int(given)


def _budget_seconds(config: pytest.Config) -> float:
    given = config.getini("fault_budget_seconds")
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise pytest.UsageError(
            f"`fault_budget_seconds` must be a number of real seconds\n  there is: {given!r}\n  to do: give more than 0"
        )
    return seconds


def _stop(item: pytest.Item) -> None:
    run = item.stash.get(RUN, None)
    if run is not None:
        run.stop()
        del item.stash[RUN]  # its log and its file descriptors would else live as long as the session


def _library(config: pytest.Config) -> Library:
    library = config.stash.get(LIBRARY, None)
    if library is None:
        from ._listing import make_library

        library = config.stash[LIBRARY] = make_library(config)
    return library
