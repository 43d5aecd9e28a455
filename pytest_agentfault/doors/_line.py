"""
One client's connection in memory: its bytes go in, steps come out.

What the blocking socket and the asyncio transport have in common. It decides
nothing itself: the conversation reads, the plan strikes, the script says what
happens; both ends only perform it.
"""

from __future__ import annotations

import os
import socket
import ssl
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Final, Protocol, TypeVar

from .._baseline import Relay, Upstream
from .._errors import UnreachableError, UpstreamError, WouldBlockForeverError
from .._exchange import Claim, Exchange
from .._plan import CONNECT, Plan, drive
from .._reply import Reply, Request
from .._rule import authority
from .._script import Conversation, Send, Stall, Step, speaks_http
from .._seams import PassedOn, Thrown, asked_above, client_tls
from ._asking import Following, ask

Answer = TypeVar("Answer")
PATIENCE_SECONDS: Final = 30.0  # with a live server, for a client that has none of its own


class Clock(Protocol):
    """What a door asks of a clock."""

    def now(self) -> float:
        """Seconds."""
        ...

    def wait(self, seconds: float, who: str = "wire") -> None:
        """Let `seconds` pass."""
        ...

    def may_move_here(self) -> None:
        """The current thread takes part in the test."""
        ...

    def when_stuck(self, wake: Callable[[], None]) -> None:
        """Call `wake` when an event loop could only wait for ever."""
        ...

    def busy(self) -> AbstractContextManager[None]:
        """Work is under way that no loop knows of."""
        ...


class Signals:
    """Two file descriptors that a client may poll: one always readable, one never.

    A connection in memory has no descriptor of its own, but pools ask the
    system whether an idle connection has something to read.
    """

    @cached_property
    def readable(self) -> int:
        """Always readable: its other end is closed."""
        mine, other = socket.socketpair()
        other.close()
        return self._kept(mine)[0]

    @cached_property
    def silent(self) -> int:
        """Never readable: its other end is open, and says nothing."""
        return self._kept(*socket.socketpair())[0]

    def _kept(self, *ends: socket.socket) -> list[int]:
        fds = [end.detach() for end in ends]
        weakref.finalize(self, _close_all, fds, os.getpid())
        return fds


def _close_all(fds: Sequence[int], owner: int) -> None:
    if os.getpid() == owner:  # a forked child has copies of its own
        for fd in fds:
            socket.close(fd)


class Line:
    """The state of one connection through the memory door.

    Args:
        plan: what strikes.
        upstreams: where healthy replies come from, asked in order.
        clock: what waits are told to.
        host: the name the client dialled.
        port: the port it dialled.
    """

    def __init__(self, plan: Plan, upstreams: Sequence[Upstream], clock: Clock, host: str, port: int) -> None:
        self.plan, self.upstreams, self.clock = plan, upstreams, clock
        self.host, self.port = host, port
        self.tls: ssl.SSLContext | None = None
        self.is_tls = False
        self.steps: deque[Step] = deque()
        self.hung_up = False
        self._conversation: Conversation | None = None
        self._relay: Relay | None = None
        self._following: Following

    @property
    def authority(self) -> str:
        """`scheme://host[:port]` as dialled."""
        return authority("https" if self.is_tls else "http", self.host, self.port)

    @property
    def is_untouched(self) -> bool:
        """True until the client has sent anything."""
        return self._conversation is None

    def is_http(self, first: bytes) -> bool:
        """Whether the client's first bytes are a request; later bytes always belong to it."""
        return self._conversation is not None or speaks_http(first)

    def requests(self, data: bytes) -> Iterator[Request]:
        """Read the client's bytes; queue interim steps, yield each finished request."""
        if self._conversation is None:
            self._conversation = Conversation(self.authority)
        try:
            for item in self._conversation.receive(data):
                if isinstance(item, Send):
                    self.steps.append(item)
                elif item.method == CONNECT:
                    self._tunnel(item)
                else:
                    self.plan.check_budget()  # a kept connection can loop for ever too
                    yield item
        except UnreachableError as error:
            self.plan.problems.append(error)
            raise

    def _tunnel(self, request: Request) -> None:
        """The client dialled its proxy (RFC 9110 section 9.3.6): from here on it speaks with the host behind it."""
        host, _, port = request.url.rpartition("/")[2].rpartition(":")
        self.host, self.port = host.strip("[]"), int(port)
        self._conversation = None
        self.steps.append(Send(b"HTTP/1.1 200 Connection established\r\n\r\n"))

    def serving(self, request: Request) -> Upstream | None:
        """The first upstream that serves a request."""
        return next((upstream for upstream in self.upstreams if upstream.serves(request)), None)

    def asking(self, request: Request) -> Iterator[Upstream]:
        """The upstreams that serve a request, in order; there must be one that does not pass it on."""
        yield from (upstream for upstream in self.upstreams if upstream.serves(request))
        raise UpstreamError(
            f"nobody answers {request.method} {request.url}",
            "no cassette, mock or server for it in this test",
            'name a recording: @pytest.mark.fault(..., cassette="path.yaml")',
        )

    def answer(self, request: Request) -> None:
        """Run the exchange of one request, blocking where its upstream blocks."""
        self.clock.may_move_here()
        claim = self.claim(request)
        if claim.due:
            self.queue(self.kept(lambda: drive(self.plan.exchange(request, claim), self.ask)))
            return
        healthy = self.kept(lambda: self.ask_untouched(request))
        if isinstance(healthy, Reply):
            self.queue(self.passed_on(claim, healthy))
        else:
            self._relay, self._following = healthy, Following(self.plan, claim)

    def claim(self, request: Request) -> Claim:
        """The rules that are due for a request; none for what a door above has asked the plan about already."""
        if asked_above.get() == (request.method, request.url):
            return Claim(0, request, (), self.clock.now())
        return self.plan.claim(request)

    def passed_on(self, claim: Claim, healthy: Reply) -> Exchange:
        """The exchange of a request that no rule touches."""
        return drive(self.plan.exchange(claim.request, claim), lambda _: healthy)

    def ask(self, request: Request) -> Reply:
        """The healthy reply to one request."""
        return self._asked(request, lambda upstream: self.ask_one(upstream, request))

    def ask_untouched(self, request: Request) -> Reply | Relay:
        """The healthy reply to one request, as it comes where its upstream can do that."""

        def asked(upstream: Upstream) -> Reply | Relay:
            relay: Callable[[Request], Relay] | None = getattr(upstream, "relay", None)
            return self.ask_one(upstream, request) if relay is None else self.as_client(lambda: relay(request))

        return self._asked(request, asked)

    def _asked(self, request: Request, ask_one: Callable[[Upstream], Answer]) -> Answer:
        for upstream in self.asking(request):
            try:
                return ask_one(upstream)
            except PassedOn:
                continue
        raise AssertionError("asking() ends in an error")

    def ask_one(self, upstream: Upstream, request: Request) -> Reply:
        """The healthy reply of one upstream."""
        return self.as_client(lambda: ask(self.plan, upstream, request))

    def as_client(self, run: Callable[[], Answer]) -> Answer:
        """Run, with the client's own idea of whom to trust."""
        token = client_tls.set(self.tls)
        try:
            return run()
        finally:
            client_tls.reset(token)

    @property
    def relay(self) -> Relay | None:
        """The reply that is still coming, for a client that reads it as it comes."""
        return self._relay

    def next_step(self, seconds: float | None) -> Step:
        """What is to be performed next; where nothing is queued and a reply still comes, its next bytes."""
        if self.steps:
            return self.steps.popleft()
        if self._relay is None:
            return Stall()
        try:
            step = self._relay.read(PATIENCE_SECONDS if seconds is None else seconds)
        except TimeoutError:
            if seconds is None:
                raise self.would_block() from None
            raise
        self._following.heard(self._relay)
        over = self._relay.over
        if over is not None and isinstance(step, Send):
            self.steps.append(over)
        if over is not None or not isinstance(step, Send):
            self.end_relay()
        return step

    def hang_up(self) -> None:
        """The test is over."""
        self.hung_up = True
        self.end_relay()

    def end_relay(self) -> None:
        """Nobody reads on."""
        relay, self._relay = self._relay, None
        if relay is not None:
            self._following.ended(relay)
            relay.close()

    def kept(self, run: Callable[[], Answer]) -> Answer:
        """Run; whatever goes wrong is kept for the end of the test, however the client takes it."""
        try:
            return run()
        except Thrown:
            raise
        except BaseException as error:
            self.plan.problems.append(error)
            raise

    def queue(self, exchange: Exchange) -> None:
        """Line up what the client is to meet."""
        self.steps.extend(exchange.script.steps)

    def would_block(self) -> WouldBlockForeverError:
        """The error for a read that nothing will ever end."""
        last = self.plan.log[-1] if self.plan.log else None
        under = f" ({', '.join(s.name for s in last.struck)} struck it)" if last and last.struck else ""
        error = WouldBlockForeverError(
            f"a client waits for ever on {self.authority}",
            f"the script is silent from here on{under}, and the client has set no time limit for reading",
            "give the client a read timeout, as it needs one in production too",
        )
        self.plan.problems.append(error)
        return error
