"""What happens around every request: a trace id, one log line, and problems in one form."""

from __future__ import annotations

import logging
import time
from typing import Protocol

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from msgspec import Struct

from server.api.problems import Fault, describe, write_problem
from server.services.correlation import correlating
from shared.ids import RandomBytes
from shared.problems import TicketTokenError
from shared.trace import HEADER, read_trace

TRACE_HEADER = "X-Trace-Id"
TRACE: web.RequestKey[str] = web.RequestKey("trace", str)


class Tally(Struct, frozen=True, kw_only=True):
    """What an answer says of the limit its call was counted in: calls in all and left, seconds until all are back."""

    calls: int
    remaining: int
    reset_s: int


TALLY: web.RequestKey[Tally] = web.RequestKey("tally", Tally)

_HTTP_CODES = {
    404: ("route_not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address knows other methods, see the Allow header."),
    413: ("body_too_large", "The body is larger than one megabyte."),
}

log = structlog.get_logger()


class Watch(Protocol):
    """Who is told of every request; see ``NoWatch`` for nobody."""

    def begin_request(self) -> None:
        """Note that one is being answered."""
        ...

    def end_request(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """Note its answer, by the route's template; None: it lasted as long as it was wanted."""
        ...

    def is_leaving(self) -> bool:
        """Tell whether callers should come back by another connection, which may lead to another server."""
        ...


class NoWatch:
    """Nobody is told, and nobody leaves."""

    def begin_request(self) -> None:
        """Forget it."""

    def end_request(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """Forget it."""

    def is_leaving(self) -> bool:
        """Stay."""
        return False


_NOBODY = NoWatch()
_GONE = 499
"""By this status an answer counts that nobody waited for."""


def trace_requests(random_bytes: RandomBytes, watch: Watch = _NOBODY) -> Middleware:
    """Return the outermost middleware: it names each request, logs and counts it once, and lets no exception pass."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = time.perf_counter()
        watch.begin_request()
        status, took_s = _GONE, None
        try:
            response = await name_and_answer(request, handler, begun)
            status = response.status
            # A link or a stream was begun by its handler, and lasted as long as somebody listened.
            took_s = None if response.prepared else time.perf_counter() - begun
        except web.HTTPException as redirection:
            status = redirection.status
            raise
        finally:
            watch.end_request(request.method, _route_of(request), status, took_s)
        if watch.is_leaving() and not response.prepared:
            response.force_close()
        return response

    async def name_and_answer(request: web.Request, handler: Handler, begun: float) -> web.StreamResponse:
        trace = read_trace(request.headers.get(HEADER, "")) or random_bytes(16).hex()
        request[TRACE] = trace
        with correlating(trace), structlog.contextvars.bound_contextvars(trace=trace):
            response = await _answer(request, handler, trace)
            if not response.prepared:
                mark(request, response)
            log.log(
                _level_of(request),
                "http.request",
                method=request.method,
                route=_route_of(request),
                status=response.status,
                took_ms=round((time.perf_counter() - begun) * 1000, 1),
            )
        structlog.contextvars.clear_contextvars()
        return response

    return middleware


async def _answer(request: web.Request, handler: Handler, trace: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as exc:
        return _describe_http(request, exc, trace)
    except TicketTokenError as problem:
        fault = describe(problem)
        _log_failure(problem, fault)
        return write_problem(request, trace, fault)
    except Exception:
        log.exception("http.crashed")
        detail = "The server has a fault; its log knows more under this trace id."
        return write_problem(request, trace, Fault(status=500, code="internal_error", detail=detail))


def _describe_http(request: web.Request, exc: web.HTTPException, trace: str) -> web.StreamResponse:
    if exc.status < 400:
        raise exc
    code, detail = _HTTP_CODES.get(exc.status, (f"http_{exc.status}", exc.reason))
    response = write_problem(request, trace, Fault(status=exc.status, code=code, detail=detail))
    if "Allow" in exc.headers:
        response.headers["Allow"] = exc.headers["Allow"]
    return response


def _log_failure(problem: TicketTokenError, fault: Fault) -> None:
    if fault.status >= 500:
        # Of an outage the code says enough; of a fault of ours the stack is needed.
        log.error("http.failed", code=problem.code, problem=str(problem), exc_info=fault.status == 500 and problem)


def mark(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that every answer has; whoever begins to send an answer itself calls this before."""
    response.headers[TRACE_HEADER] = request.get(TRACE, "")
    tally = request.get(TALLY)
    if tally is not None:
        response.headers["RateLimit-Limit"] = str(tally.calls)
        response.headers["RateLimit-Remaining"] = str(tally.remaining)
        response.headers["RateLimit-Reset"] = str(tally.reset_s)


def _level_of(request: web.Request) -> int:
    # Whoever watches asks every second or more often: at length that would bury the rest, and fill disks.
    return logging.DEBUG if _route_of(request).startswith("/health") else logging.INFO


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "unknown"
