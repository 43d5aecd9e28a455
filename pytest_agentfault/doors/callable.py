"""
The door for what is not HTTP: functions, methods and tools, named in `to="CALL package.module:name"`.

The arguments are the request, the result is the reply. A fault that answers
stands in the function's place, which is then not called; a fault that alters
changes what it returned; a reply that is lost or an error is raised.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .._baseline import Upstream
from .._errors import AgentFaultError, RuleError
from .._exchange import Exchange
from .._plan import Plan, adrive, drive
from .._reply import Reply, Request
from .._seams import Patches
from ._calls import Arguments, Result, error_of, result_of, silence
from ._line import Clock
from ._targets import Target, checked, is_call


class CallableDoor:
    """Puts the plan between the callables that its rules name and their callers.

    Args:
        plan: what strikes.
        upstreams: not asked: the callable itself is where the healthy result comes from.
        clock: what waits are told to.
    """

    name = "callable"

    def __init__(self, plan: Plan, upstreams: Sequence[Upstream], clock: Clock, **_: Any) -> None:
        self.plan, self.clock = plan, clock
        self._replaced: set[str] = set()

    def install(self, patches: Patches) -> None:
        """Put the door before every callable that a rule names; again when rules have been added.

        Raises:
            RuleError: there is no such callable, or a fault needs a wire.
        """
        for rule in self.plan.rules:
            if is_call(rule.to):
                for target in checked(rule):
                    where = f"{target.name}.{target.attribute}"
                    if where not in self._replaced:
                        self._replaced.add(where)
                        self._replace(target, patches)

    def _replace(self, target: Target, patches: Patches) -> None:
        try:
            patches.set(target.owner, target.attribute, self._before(target))
        except (AttributeError, TypeError, ValueError) as error:
            raise RuleError(
                f"{target.name} cannot be replaced where it is",
                f"a {type(target.owner).__name__}; {type(error).__name__}: {error}",
                "name it where the agent looks it up: in its class, or in its module",
            ) from error

    def hang_up(self) -> None:
        """Nothing is held; the patches are undone by whoever keeps them."""
        self._replaced.clear()

    def _before(self, target: Target) -> Any:
        if isinstance(target.found, classmethod | staticmethod):
            return type(target.found)(
                self._around(target, target.found.__func__, isinstance(target.found, classmethod))
            )
        return self._around(target, target.found, target.is_method)

    def _around(self, target: Target, function: Callable[..., Any], has_owner: bool) -> Callable[..., Any]:
        """The function, with the plan before it; its own kind, name and signature stay."""
        if _is_async(function):

            async def awaited(*args: Any, **kwargs: Any) -> Any:
                calling = self._calling(target, function, args, kwargs, has_owner)

                async def send(request: Request) -> Reply:
                    with calling.inside(request) as (positional, named):
                        return calling.came_to(await function(*positional, **named))

                with calling.kept():
                    done = await adrive(self.plan.exchange(calling.asked), send)
                await self._pass(silence(done.reply))
                return calling.outcome(done)

            return _like(function, awaited)

        def called(*args: Any, **kwargs: Any) -> Any:
            calling = self._calling(target, function, args, kwargs, has_owner)

            def send(request: Request) -> Reply:
                with calling.inside(request) as (positional, named):
                    return calling.came_to(function(*positional, **named))

            with calling.kept():
                done = drive(self.plan.exchange(calling.asked), send)
            if seconds := silence(done.reply):
                self.clock.wait(seconds)
            return calling.outcome(done)

        return _like(function, called)

    def _calling(self, target: Target, function: Any, args: Any, kwargs: Any, has_owner: bool) -> _Calling:
        self.plan.check_budget()
        self.clock.may_move_here()
        leading, given = args[:has_owner], args[has_owner:]
        return _Calling(self.plan, leading, Arguments.of(target.name, function, leading, given, kwargs))

    async def _pass(self, seconds: float) -> None:
        """Let time pass where the caller's own time limits can end it."""
        if not seconds:
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # trio's time is its own
            self.clock.wait(seconds)
        else:
            await asyncio.sleep(seconds)


class _Calling:
    """One call through the door."""

    def __init__(self, plan: Plan, leading: tuple[Any, ...], arguments: Arguments) -> None:
        self._plan, self._leading, self._arguments = plan, leading, arguments
        self.asked = arguments.request()
        self._result: Result | None = None
        self._own: BaseException | None = None  # an error of the function itself: a healthy answer, too

    @contextmanager
    def inside(self, request: Request) -> Iterator[tuple[tuple[Any, ...], Mapping[str, Any]]]:
        """The arguments to call with: the caller's own objects, but for what a fault has changed."""
        try:
            args, kwargs = self._arguments.args, self._arguments.kwargs
            if request.body != self.asked.body:
                args, kwargs = self._arguments.changed(request.body)
            yield (*self._leading, *args), kwargs
        except BaseException as error:
            self._own = error
            raise

    def came_to(self, value: Any) -> Reply:
        """What the function returned, as a reply."""
        self._result = Result(value)
        return self._result.reply

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Whatever goes wrong in us is kept for the end of the test, however the caller takes it."""
        try:
            yield
        except BaseException as error:
            if error is not self._own or isinstance(error, AgentFaultError):
                self._plan.problems.append(error)
            raise

    def outcome(self, done: Exchange) -> Any:
        """What the caller meets: the result, changed or not, or an error that says what struck."""
        try:
            error = error_of(done.reply) if done.struck else None
            if error is not None:
                raise next((make(done.reply) for make in _own_errors(done)), error)
            return self._result.of(done.reply) if self._result else result_of(done.reply)
        except Exception as raised:
            names = ", ".join(dict.fromkeys(s.name for s in done.struck))
            raised.add_note(f"pytest-agentfault: {names} struck this call")
            raise


def _own_errors(done: Exchange) -> Iterator[Callable[[Reply], Exception]]:
    """How the rules that struck want a failure raised, where they say so."""
    for strike in done.struck:
        raises = getattr(strike.rule.to, "raises", None)
        if raises is not None:
            yield raises


def _is_async(function: Any) -> bool:
    inner = inspect.unwrap(function)
    own_call = inspect.getattr_static(type(inner), "__call__", None)
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(own_call)


def _like(function: Any, around: Callable[..., Any]) -> Callable[..., Any]:
    return functools.update_wrapper(around, function) if hasattr(function, "__name__") else around
