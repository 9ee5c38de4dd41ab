"""The interceptors, in the order a call meets them, composed once per method when a server is built.

telemetry → errors → deadline → request id → authentication → authorisation → validation → handler

Telemetry and errors go around everything within, so that a refusal is counted and logged like any
other outcome. The rest are checks that pass or raise :class:`~mesh.errors.Problem`; a check that a
method does not need is left out of its chain.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from mesh import deadline
from mesh.rpc.call import Call, current
from mesh.rpc.failures import as_problem
from mesh.rpc.method import Method, Shape
from mesh.rpc.observe import Observer

Check = Callable[[Call, Any], Awaitable[None] | None]
"""Looks at a call and its request; raises to refuse. May be a coroutine function."""
CheckFactory = Callable[[Method], Check | None]
"""Makes the check that a method needs, or None."""
_END = object()
Handler = Callable[[Any, Call], Any]
"""(request, call) → an awaitable answer, or an async iterator of answers for a server stream."""


class Chain:
    """Wraps handlers in the interceptors."""

    def __init__(self, checks: Sequence[CheckFactory], message_check: CheckFactory) -> None:
        self._checks = checks
        self._message_check = message_check

    def compose(self, method: Method, handler: Handler) -> Handler:
        """The handler with everything in front of it."""
        checks = [check for factory in self._checks if (check := factory(method))]
        per_message = self._message_check(method)
        if method.shape is Shape.SERVER_STREAM:
            return _stream(method, handler, checks, per_message)
        return _single(method, handler, checks, per_message)


async def _run(checks: Sequence[Check], call: Call, request: Any) -> None:
    for check in checks:
        if waiting := check(call, request):
            await waiting


async def _checked(messages: AsyncIterator[Any], check: Check, call: Call) -> AsyncIterator[Any]:
    """A client's stream, each message validated as it comes."""
    async for message in messages:
        check(call, message)
        yield message


def _single(method: Method, handler: Handler, checks: list[Check], per_message: Check | None) -> Handler:
    observer = Observer(method)
    client_stream = method.shape is Shape.CLIENT_STREAM
    if per_message and not client_stream:
        checks = [*checks, per_message]

    async def checked(request: Any, call: Call) -> Any:
        await _run(checks, call, request)
        if client_stream and per_message:
            request = _checked(request, per_message, call)
        return await handler(request, call)

    async def answer(request: Any, call: Call) -> Any:
        token = current.set(call)
        started = time.perf_counter()
        try:
            result = await deadline.run(call.timeout_s or method.timeout_s, checked, request, call)
        except asyncio.CancelledError:
            observer.cancelled(started)
            raise
        except Exception as error:
            problem = as_problem(error, method)
            observer.refused(call, problem, started)
            raise problem from error
        else:
            observer.answered(started)
            return result
        finally:
            current.reset(token)

    async def traced(request: Any, call: Call) -> Any:
        with observer.span(call):
            return await answer(request, call)

    return traced if observer.traced else answer


def _stream(method: Method, handler: Handler, checks: list[Check], per_message: Check | None) -> Handler:
    observer = Observer(method)
    if per_message:
        checks = [*checks, per_message]

    async def answers(request: Any, call: Call) -> AsyncGenerator[Any]:
        # Set without a reset: a stream is always driven by a task (or a context) of its own.
        current.set(call)
        started = time.perf_counter()
        try:
            with deadline.limit(call.timeout_s or method.timeout_s):
                await deadline.bounded(_run(checks, call, request))
                async with contextlib.aclosing(handler(request, call)) as messages:
                    while (message := await deadline.bounded(anext(messages, _END))) is not _END:
                        yield message
        except (asyncio.CancelledError, GeneratorExit):
            observer.cancelled(started)
            raise
        except Exception as error:
            problem = as_problem(error, method)
            observer.refused(call, problem, started)
            raise problem from error
        else:
            observer.answered(started)

    async def traced(request: Any, call: Call) -> AsyncIterator[Any]:
        with observer.span(call):
            async with contextlib.aclosing(answers(request, call)) as messages:
                async for message in messages:
                    yield message

    return traced if observer.traced else answers
