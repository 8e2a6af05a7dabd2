"""An event's figures as they change, over HTTP."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.event_stream import USUAL, stream_figures
from server.api.exchange import read_id, read_query
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.services.live import LiveDesk, TooManyViewers
from server.services.problems import EventUnknown
from shared.ids import EventId


class LiveQuery(Struct, frozen=True, kw_only=True):
    """For how many seconds to watch before the stream ends by itself; ``known`` is as the header Last-Event-ID, for pages."""

    seconds: Annotated[int, Meta(ge=1, le=900)] = int(USUAL.longest_s)
    known: Annotated[str, Meta(max_length=200)] | None = None


class LastEventId(Struct, frozen=True, kw_only=True, rename={"known": "Last-Event-ID"}):
    """The id of the last event the caller has, from which to go on."""

    known: Annotated[str, Meta(max_length=200)] | None = None


class LiveApi:
    """What pages and programs that watch an event call."""

    def __init__(self, desk: LiveDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the address."""
        return [
            Route(
                method="GET",
                path="/api/v1/events/{event}/live",
                handler=self.watch,
                auth=Auth.SCANNER,
                scope=Scope.SCANS_READ,
                summary="An event's figures as they change",
                query=LiveQuery,
                headers=LastEventId,
                answer=bytes,
                media=("text/event-stream",),
                raises=(EventUnknown, TooManyViewers),
                timeout_s=None,
            )
        ]

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """Send the figures now and whenever they change: events `figures` with the parts that differ, `beat` in the quiet."""
        query = read_query(request, LiveQuery)
        async with self._desk.watch(request[USER].tenant, EventId(read_id(request, "event"))) as watch:
            return await stream_figures(request, watch, pace=replace(USUAL, longest_s=query.seconds))
