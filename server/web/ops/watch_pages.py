"""The events of a tenant, and one of them live."""

from __future__ import annotations

from aiohttp import web
from msgspec import to_builtins

from server.domain.access import Scope
from server.services.events import list_events, read_event
from server.services.live_state import read_figures_of
from server.services.problems_staff import SessionOver
from server.services.rows import Page as ListPage
from server.services.sign_in import tell_worker
from server.web.ops.chart import HEIGHT, WIDTH, draw_bars
from server.web.ops.labels import LIVE
from server.web.ops.paging import read_place
from server.web.ops.visit import Page, Visit
from shared.ids import EventId

_EVENTS_SHOWN = 50


class WatchPages:
    """What is looked at while the doors are open."""

    def pages(self) -> list[Page]:
        """Return the addresses."""
        watch = Scope.SCANS_READ
        return [
            Page(method="GET", path="/ops", handler=self.events, scope=Scope.EVENTS_READ, summary="The events"),
            Page(method="GET", path="/ops/events/{event}", handler=self.overview, scope=watch, summary="An event live"),
            Page(
                method="GET",
                path="/ops/events/{event}/live",
                handler=self.stream,
                scope=watch,
                summary="The figures as they change, for the page's own scripts",
            ),
        ]

    async def events(self, visit: Visit) -> web.StreamResponse:
        """Show the tenant's events."""
        page = ListPage(after=read_place(visit), limit=_EVENTS_SHOWN)
        listed = await list_events(visit.means.context, visit.worker.user, page)
        return visit.show("events.html", events=listed.items, next_after=listed.next_after)

    async def overview(self, visit: Visit) -> web.StreamResponse:
        """Show one event as it stands; the page's scripts go on from there."""
        event_id = EventId(visit.id("event"))
        state = await visit.means.live.current(visit.worker.tenant, event_id)
        figures = read_figures_of(state)
        return visit.show(
            "overview.html",
            event=await read_event(visit.means.context, visit.worker.user, event_id),
            figures=figures,
            state_id=state.id,
            bars=draw_bars(figures.arrivals.per_minute),
            chart=(WIDTH, HEIGHT),
            words=dict(LIVE),
            arrivals=to_builtins(figures.arrivals, str_keys=True),
        )

    async def stream(self, visit: Visit) -> web.StreamResponse:
        """Send the figures now and as they change, for as long as the session lasts."""

        async def still_good() -> bool:
            try:
                await tell_worker(visit.means.context, visit.cookie)
            except SessionOver:
                return False
            return True

        async with visit.means.live.watch(visit.worker.tenant, EventId(visit.id("event"))) as watch:
            return await visit.means.stream(visit.request, watch, still_good)
