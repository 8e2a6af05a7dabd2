"""Server-sent events (HTML standard, 9.2): one viewer's stream, beats in the quiet, and an end for whoever is too slow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from msgspec import Struct

from server.services.live import Watch

RETRY_MS = 1500
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}

_MOST_ID = 200


class Pace(Struct, frozen=True, kw_only=True):
    """How a stream goes, in seconds.

    Something is sent every ``beat_s`` when nothing happens: a page that hears nothing for longer knows that its link is lost.
    After ``longest_s`` a stream ends and is opened again, with everything looked at anew that lets somebody in. A viewer that
    does not take what is sent within ``patience_s`` is dropped, not buffered for.
    """

    beat_s: float = 10.0
    longest_s: float = 900.0
    patience_s: float = 15.0


USUAL = Pace()

StillGood = Callable[[], Awaitable[bool]]

log = structlog.get_logger()


async def stream_figures(
    request: web.Request, watch: Watch, still_good: StillGood | None = None, pace: Pace = USUAL
) -> web.StreamResponse:
    """Send a viewer what is new until it leaves, is too slow, or is not to watch any more."""
    response = web.StreamResponse(headers=HEADERS)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    stream = _Stream(response, pace)
    try:
        await stream.write(b"retry: %d\n\n" % RETRY_MS)
        async with asyncio.timeout(pace.longest_s):
            known = request.headers.get("Last-Event-ID") or request.query.get("known", "")
            await stream.send_all(watch, known[:_MOST_ID], still_good)
    except TimeoutError:
        log.debug("live.renewing")
    except (OSError, _TooSlow) as problem:
        log.info("live.dropped", problem=type(problem).__name__)
        if request.transport is not None:
            request.transport.abort()
    return response


class _TooSlow(Exception):
    """The viewer does not take what is sent."""


class _Stream:
    """What one viewer is sent."""

    def __init__(self, response: web.StreamResponse, pace: Pace) -> None:
        self._response = response
        self._pace = pace

    async def send_all(self, watch: Watch, known: str, still_good: StillGood | None) -> None:
        while True:
            try:
                async with asyncio.timeout(self._pace.beat_s):
                    told = await watch.next(known)
            except TimeoutError:
                if still_good is not None and not await still_good():
                    await self.write(b"event: over\ndata: {}\n\n")
                    return
                await self.write(b"event: beat\ndata: {}\n\n")
                continue
            if told is None:
                return
            known, chunk = told
            await self.write(chunk)

    async def write(self, chunk: bytes) -> None:
        try:
            async with asyncio.timeout(self._pace.patience_s):
                await self._response.write(chunk)
        except TimeoutError as exc:
            raise _TooSlow from exc
