"""Is this server well: checks that look, not ones that hope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from aiohttp import web
from msgspec import Struct

from server.api.exchange import reply
from server.api.routes import Also, Auth, Route
from shared.problems import TicketTokenError

Check = Callable[[], Awaitable[None]]
"""Returns if a part works, raises a TicketTokenError if it does not."""

_CHECK_TIMEOUT_S = 3.0
_KEPT_S = 1.0


class Verdict(StrEnum):
    """How a part or the whole is."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


_WORSE = (Verdict.OK, Verdict.DEGRADED, Verdict.DOWN)


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
    """The four health addresses.

    ``needed`` are the parts without which the server cannot serve; without a ``soft`` one it serves, less well. Anybody may ask,
    so a flood of questions costs no more than one: whoever asks while the parts are being looked at gets that look's answer, and
    what was seen counts for ``kept_s``.
    """

    def __init__(self, needed: Mapping[str, Check], soft: Mapping[str, Check], *, kept_s: float = _KEPT_S) -> None:
        self._needed = needed
        self._kept_s = kept_s
        self._look: asyncio.Task[Health] | None = None
        self._seen_s = 0.0
        self._soft = soft
        self._started = False
        self._stopping = False

    def mark_started(self) -> None:
        """Say that everything that has to start has started."""
        self._started = True

    @property
    def stopping(self) -> bool:
        """Tell whether no more requests should be sent here."""
        return self._stopping

    def mark_stopping(self) -> None:
        """Say that no more requests should be sent here; those under way are finished."""
        self._stopping = True

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
        if self._stopping or not self._started:
            return _reply(Health(status=Verdict.DOWN, parts={}))
        return _reply(await self._health())

    async def _health(self) -> Health:
        """Return how the parts are, as of a moment ago at most."""
        look = self._look
        if look is None or (look.done() and time.monotonic() - self._seen_s >= self._kept_s):
            look = self._look = asyncio.create_task(self._look_at_all(), name="health")
        # Shielded: whoever asked first may go away, the others still get the answer.
        return await asyncio.shield(look)

    async def _look_at_all(self) -> Health:
        looks = [_look(check, Verdict.DOWN) for check in self._needed.values()]
        looks += [_look(check, Verdict.DEGRADED) for check in self._soft.values()]
        found = await asyncio.gather(*looks)
        # What was measured in parallel is told by name; the worst part says how the whole is.
        parts = dict(zip([*self._needed, *self._soft], found, strict=True))
        self._seen_s = time.monotonic()
        return Health(status=max((part.status for part in found), key=_WORSE.index), parts=parts)


async def _look(check: Check, failed: Verdict) -> PartHealth:
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
    return PartHealth(status=failed if code else Verdict.OK, took_ms=took_ms, code=code)


def _route(path: str, handler: Callable[[web.Request], Awaitable[web.Response]], summary: str) -> Route:
    also = () if path.endswith("/live") else (Also(status=503, answer=Health),)
    return Route(method="GET", path=path, handler=handler, auth=Auth.PUBLIC, summary=summary, answer=Health, also=also)


def _reply(health: Health) -> web.Response:
    status = 503 if health.status is Verdict.DOWN else 200
    return reply(health, status=status, headers={"Cache-Control": "no-store"})
