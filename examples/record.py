"""
Record every cassette of the examples anew, from the reference server: `python examples/record.py`.

Rule: the code under test is the code that is recorded; only its base URLs point
at the loopback server, and what vcrpy writes is turned back into the vendor's own
URL. Nothing that differs between two runs (versions, dates, credentials) is kept,
so a second recording changes no byte.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import vcr
from vcr.request import Request

from reference_server.server import VENDORS, running

HERE = Path(__file__).parent
KEPT = ("accept", "content-type")  # of a request: the rest holds versions or credentials


def main() -> None:
    """Record all, and say where each cassette lies."""
    with running() as base:
        for path, run in cassettes(base).items():
            path.unlink(missing_ok=True)
            with recorder(base).use_cassette(str(path)):
                run()
            print(path.relative_to(HERE))


def cassettes(base: str) -> dict[Path, Callable[[], object]]:
    """Each cassette, and the code that makes it."""
    return {
        **_of_triage_agent(base),
        **_of_hand_rolled_sse(base),
        **_of_custom_scenario(base),
        **_of_booking_agent(base),
        **_of_page_reader(base),
        **_of_refund_chain(base),
        **_of_two_providers(base),
    }


def recorder(base: str) -> vcr.VCR:
    """A vcrpy that writes the vendors' URLs for the reference server's."""

    def to_vendor(request: Request) -> Request:
        if not request.uri.startswith(base):  # vcrpy asks again with what it was given
            return request
        prefix, _, rest = request.uri.removeprefix(f"{base}/").partition("/")
        headers = {name: value for name, value in request.headers.items() if name.lower() in KEPT}
        return Request(request.method, f"{VENDORS[prefix][0]}/{rest}", request.body, headers)

    return vcr.VCR(record_mode="all", before_record_request=to_vendor)


def _of_triage_agent(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("triage_agent")
    agent, cassettes = import_module("agent"), HERE / "triage_agent/tests/cassettes"
    linear, model = f"{base}/linear/graphql", f"{base}/openai/v1"
    cloud = agent.Endpoints(model, f"{base}/cloud", linear)
    data_center = agent.Endpoints(model, f"{base}/datacenter", linear, None)

    def doing(at: Any, what: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> object:
            with agent.TriageAgent(lambda vendor: "not-a-secret", at) as one:
                return what(one)

        return run

    return {
        cassettes / "triage_known_issue.yaml": doing(cloud, lambda one: one.triage("PROJ-1")),
        cassettes / "triage_with_three_tools.yaml": doing(cloud, lambda one: one.triage("PROJ-2")),
        cassettes / "triage_on_data_center.yaml": doing(data_center, lambda one: one.triage("PROJ-1")),
        cassettes / "linear_note.yaml": doing(cloud, lambda one: one.linear.note("ENG-42", "Also reported as PROJ-1")),
    }


def _of_hand_rolled_sse(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("hand_rolled_sse")
    fixed = import_module("fixed")
    cassette = HERE / "hand_rolled_sse/tests/cassettes/greeting.yaml"
    return {cassette: lambda: fixed.ask("Greet me.", base=f"{base}/openai/v1")}


def _of_custom_scenario(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("custom_scenario")
    parcels = import_module("parcels")
    cassettes = HERE / "custom_scenario/tests/cassettes"
    return {
        cassettes / "where_is.yaml": lambda: parcels.where_is("42", base=f"{base}/parcel"),
        cassettes / "label.yaml": lambda: parcels.label("Ada, Köln", base=f"{base}/parcel"),
    }


def _of_page_reader(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("page_reader")
    careful = import_module("careful")
    cassette = HERE / "page_reader/tests/cassettes/lamps.yaml"
    return {cassette: lambda: careful.cheapest(site=f"{base}/shop")}


def _of_booking_agent(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("booking_agent")
    careful, trip = import_module("careful"), import_module("stay").Trip("Hamburg", nights=3, most_cents=50_000)
    cassette = HERE / "booking_agent/tests/cassettes/booking.yaml"
    return {cassette: lambda: careful.book(trip, base=f"{base}/stay")}


def _of_refund_chain(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("refund_chain")
    chain, cassettes = import_module("chain"), HERE / "refund_chain/tests/cassettes"

    def refund() -> object:
        with chain.Desk("first", base=f"{base}/desk") as desk:
            return chain.refund(desk, 7)

    return {
        cassettes / "refund.yaml": refund,
        cassettes / "letter.yaml": lambda: chain.letter(lambda: "not-a-secret", base=f"{base}/openai/v1"),
    }


def _of_two_providers(base: str) -> dict[Path, Callable[[], object]]:
    _import_from("two_providers")
    failover = import_module("failover")
    cassette = HERE / "two_providers/tests/cassettes/both.yaml"

    def both() -> object:
        models = failover.Models(openai=f"{base}/openai/v1", anthropic=f"{base}/anthropic")
        return [ask("Sum it up.") for ask in models.providers.values()]

    return {cassette: both}


def _import_from(example: str) -> None:
    for module in (file.stem for file in (HERE / example).glob("*.py")):
        sys.modules.pop(module, None)  # another example may have one of that name
    sys.path.insert(0, str(HERE / example))


if __name__ == "__main__":
    main()
