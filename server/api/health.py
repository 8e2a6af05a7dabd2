"""Is this server well: checks that look, not ones that hope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from aiohttp import web
from msgspec import Struct

from server.api.exchange import reply
from server.api.routes import Auth, Route
from shared.problems import TicketTokenError

Check = Callable[[], Awaitable[None]]
"""Returns if a part works, raises a TicketTokenError if it does not."""

_CHECK_TIMEOUT_S = 3.0


class Verdict(StrEnum):
    """How a part or the whole is."""

    OK = "ok"
    DOWN = "down"


class PartHealth(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one part is, and the code of what is wrong with it."""

    status: Verdict
    took_ms: float
    code: str | None = None


class Health(Struct, frozen=True, kw_only=True, rename="camel"):
    """How the server is."""

    status: Verdict
    parts: dict[str, PartHealth]


class HealthApi:
    """The four health addresses. ``checks`` are the parts without which the server cannot serve."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._started = False

    def mark_started(self) -> None:
        """Say that everything that has to start has started."""
        self._started = True

    def routes(self) -> list[Route]:
        """Return the addresses; they say nothing that a stranger may not know."""
        return [
            _route("/health", self.ready, "How the server is"),
            _route("/health/live", self.live, "Whether the process answers at all"),
            _route("/health/ready", self.ready, "Whether requests should be sent here"),
            _route("/health/startup", self.startup, "Whether the start is complete"),
        ]

    async def live(self, _: web.Request) -> web.Response:
        """Answer: that is the whole check."""
        return _reply(Health(status=Verdict.OK, parts={}))

    async def startup(self, _: web.Request) -> web.Response:
        """Tell whether the start is complete."""
        return _reply(Health(status=Verdict.OK if self._started else Verdict.DOWN, parts={}))

    async def ready(self, _: web.Request) -> web.Response:
        """Look at every part."""
        if not self._started:
            return _reply(Health(status=Verdict.DOWN, parts={}))
        names = list(self._checks)
        found = await asyncio.gather(*(_look(self._checks[name]) for name in names))
        well = all(part.status is Verdict.OK for part in found)
        return _reply(Health(status=Verdict.OK if well else Verdict.DOWN, parts=dict(zip(names, found, strict=True))))


async def _look(check: Check) -> PartHealth:
    begun = time.perf_counter()
    code = None
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            await check()
    except TimeoutError:
        code = "timeout"
    except TicketTokenError as problem:
        code = problem.code
    took_ms = round((time.perf_counter() - begun) * 1000, 1)
    return PartHealth(status=Verdict.DOWN if code else Verdict.OK, took_ms=took_ms, code=code)


def _route(path: str, handler: Callable[[web.Request], Awaitable[web.Response]], summary: str) -> Route:
    return Route(method="GET", path=path, handler=handler, auth=Auth.PUBLIC, summary=summary, answer=Health)


def _reply(health: Health) -> web.Response:
    status = 200 if health.status is Verdict.OK else 503
    return reply(health, status=status, headers={"Cache-Control": "no-store"})
