"""
The server run by hand: `python -m pytest_agentfault serve`.

One plan for as long as it runs, and a line for each request that somebody can
read while it happens. Nothing of pytest is in here.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from ._credentials import shown
from ._errors import AgentFaultError, PlayedError
from ._exchange import Exchange
from ._placing import place
from ._plan import CONNECT, Hung, Plan
from ._reply import Data, End, Head, Lost, Refused, Reply, Request
from .doors._certificates import Certificates
from .doors.server import HOST, ServerDoor
from .scenario import Library, bind
from .serving import environment
from .upstreams.cassette import Cassette
from .upstreams.live import Live

KEPT: Final = 1000  # exchanges; a server may run for days


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for.

    Args:
        scenarios: their names.
        cassette: the recording that answers; None: the real servers do.
        upstream: the base URL that requests straight to the server are meant for.
        port: 0: one that is free.
        seed: every random choice follows from it.
        folders: scenarios of one's own.
        certificate: what TLS clients are shown.
        environment: a file to write the variables of a client to, for a shell to read.
    """

    scenarios: Sequence[str]
    cassette: Path | None = None
    upstream: str | None = None
    port: int = 0
    seed: str = "0"
    folders: Sequence[Path] = ()
    certificate: str = "trusted"
    environment: Path | None = None


def serve(asked: Asked, say: Callable[[str], None], wait: Callable[[], Any]) -> None:
    """Serve until `wait` returns or Ctrl-C.

    Raises:
        AgentFaultError: a name, file, base or port cannot be used.
    """
    plan = Plan(seed=asked.seed, bind=bind(asked.seed, time.time), max_calls=sys.maxsize)
    for placement in place(tuple(asked.scenarios), {}, Library(asked.folders), Path()):
        for rule in placement.rules:
            plan.add(rule)
    upstreams: list[Any] = [Replayed(asked.cassette)] if asked.cassette else []
    upstreams.append(Live(nullcontext))  # there is no shared clock that would have to stand still
    log = Log(say, plan)
    with TemporaryDirectory(prefix="agentfault-") as folder:
        door = ServerDoor(
            plan,
            upstreams,
            Certificates(lambda: Path(folder)),
            time.monotonic,
            everyone=lambda: asked.cassette is not None,
            tell=log.tell,
            patience=None,
        )
        door.base, door.certificate = asked.upstream, asked.certificate
        with door.opened(asked.port), suppress(KeyboardInterrupt):
            say("\n".join(_greeting(door, asked)))
            wait()
        say(log.summary())


def _greeting(door: ServerDoor, asked: Asked) -> list[str]:
    url = f"http://{HOST}:{door.port}"
    lines = [
        f"agentfault serves {', '.join(asked.scenarios)} on {url} (Ctrl-C ends it)",
        f"  as a base URL  {url}/https://api.example.com/v1   (the vendor's own behind the slash)",
        f"  as a proxy     HTTPS_PROXY={url} HTTP_PROXY={url}",
    ]
    try:
        lines.append(f"  https          trust {door.certificates.authority_file}")
        if asked.environment is not None:
            told = environment(door).items()
            asked.environment.write_text("".join(f"export {k}='{v}'\n" for k, v in told), encoding="utf-8")
            lines.append(f"  all of it      . {asked.environment}")
    except AgentFaultError as error:
        lines.append(f"  https          not to be had: {error.there}; {error.do}")
    if door.base is not None:
        lines.append(f"  straight       {url} stands for {door.base}")
    return lines


class Replayed:
    """A cassette that begins anew when all of it was played: a server outlives many runs of its clients."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cassette = Cassette(path)

    def serves(self, request: Request) -> bool:
        """As the cassette says."""
        return self._cassette.serves(request)

    def send(self, request: Request) -> Reply:
        """The next recorded reply that matches, or the first one again."""
        try:
            return self._cassette.send(request)
        except PlayedError:
            self._cassette = Cassette(self._path)
            return self._cassette.send(request)


@dataclass
class Log:
    """A line for each request, and what it all came to."""

    say: Callable[[str], None]
    plan: Plan
    requests: int = 0
    struck: Counter[str] = field(default_factory=Counter)

    def tell(self, said: Exchange | BaseException) -> None:
        """Say what happened."""
        if isinstance(said, Exchange):
            self.requests += 1
            self.struck.update({s.name for s in said.struck})
            self.say(line_of(said))
            del self.plan.log[:-KEPT]
        elif not isinstance(said, Hung):
            self.say(str(said))
            self.plan.problems.clear()

    def summary(self) -> str:
        """What it all came to."""
        struck = ", ".join(f"{name} {times}" for name, times in self.struck.items()) or "nothing"
        return f"{self.requests} requests; struck: {struck}"


def line_of(done: Exchange) -> str:
    """One exchange in a line: when, what was asked, what came of it, what struck."""
    names = ", ".join(dict.fromkeys(s.name for s in done.struck))
    method = "connect" if done.request.method == CONNECT else done.request.method
    asked = f"{time.strftime('%H:%M:%S')} {done.number:>4}  {method:<7} {shown(done.request.url)}"
    line = f"{asked} -> {outcome_of(done.reply)}"
    return f"{line}  [{names}]" if names else line


def outcome_of(reply: Reply) -> str:
    """What the client is given, in words."""
    status = "" if reply.status is None else f"{reply.status}, "
    match reply.last:
        case End():
            return f"{reply.status}"
        case Refused(why):
            return f"no connection ({why.value})"
        case Lost(how):
            got = sum(len(e.data) for e in reply.events if isinstance(e, Data))
            return f"{status}{how.value} {f'after {got} bytes of body' if status else 'before its head'}"
        case Head() | Data() | _:
            raise AssertionError("a reply ends in End, Refused or Lost")
