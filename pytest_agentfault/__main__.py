"""
`python -m pytest_agentfault`: the faults without pytest, for clients that one starts by hand.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ._errors import AgentFaultError

TEACHES: Final = """\
Examples:

  Two 429s as OpenAI sends them, then what was recorded:
    python -m pytest_agentfault serve openai/rate-limit --cassette run.yaml --port 8080
    OPENAI_BASE_URL=http://127.0.0.1:8080/https://api.openai.com/v1 python my_agent.py

  A client with hard-coded URLs goes through the same port as a proxy:
    python -m pytest_agentfault serve any/connection-reset --port 8080 --env agentfault.env
    . ./agentfault.env; python my_agent.py

  A server of your own, with every body cut where parsers break:
    python -m pytest_agentfault serve any/chunk-split --upstream http://127.0.0.1:9000 --port 8080
    curl http://127.0.0.1:8080/stream

Who answers: what a scenario answers itself (a 429) is never asked of anybody. Everything else comes
from the cassette, or, without one, from the real server that the request names. The server listens
on 127.0.0.1 only. Each request is a line: time, number, method and URL as the vendor would have got
them, what came of it, and what struck in brackets.
"""


def main(arguments: Sequence[str] | None = None, wait: Callable[[], Any] | None = None) -> int:
    """Run one command; its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.command == "list":
            from ._listing import listing
            from .scenario import Library

            _say(listing(Library(asked.scenarios), "json" if asked.json else "text"))
        else:
            _serve(asked, wait or _until_told())
    except AgentFaultError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:  # before there was anything to end
        return 130
    except BrokenPipeError:  # of `| head`
        sys.stderr.close()
    return 0


def _serve(asked: argparse.Namespace, wait: Callable[[], Any]) -> None:
    from ._serve import Asked, serve

    serve(
        Asked(
            scenarios=asked.scenario,
            cassette=asked.cassette,
            upstream=asked.upstream,
            port=asked.port,
            seed=str(asked.seed),
            folders=asked.scenarios,
            certificate=asked.certificate,
            environment=asked.env,
        ),
        _say,
        wait,
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _until_told() -> Callable[[], Any]:
    """From here on Ctrl-C, or to be asked to end, is an interrupt; what waits for it."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)  # a shell starts what runs in the background deaf to it
    return threading.Event().wait


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pytest_agentfault",
        description="True production failures for any HTTP client, from a server on this machine.",
        epilog=TEACHES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    server = commands.add_parser(
        "serve",
        help="serve scenarios as base URL, proxy and reverse proxy, until Ctrl-C",
        description="Serve scenarios on one port of 127.0.0.1: as a base URL, as a proxy, as a reverse proxy.",
        epilog=TEACHES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    server.add_argument("scenario", nargs="+", help="names of scenarios, as `list` shows them; they act together")
    server.add_argument("--cassette", type=Path, metavar="FILE", help="a recording that answers in the servers' place")
    server.add_argument("--upstream", metavar="URL", help="what requests straight to the server are meant for")
    server.add_argument("--port", type=int, default=0, metavar="N", help="default: one that is free")
    server.add_argument("--seed", type=int, default=0, metavar="N", help="of every random choice; default 0")
    server.add_argument("--env", type=Path, metavar="FILE", help="write there what a client's shell should read first")
    server.add_argument(
        "--certificate",
        default="trusted",
        metavar="KIND",
        help="what https clients are shown: trusted (default), untrusted, expired, wrong_name",
    )
    shown = commands.add_parser("list", help="show all scenarios", description="Show all scenarios, a line each.")
    shown.add_argument("--json", action="store_true", help="as JSON: name, title, damages, confidence, source")
    for command in (server, shown):
        command.add_argument(
            "--scenarios",
            type=Path,
            action="append",
            default=[],
            metavar="DIR",
            help="a folder with scenarios of your own",
        )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
