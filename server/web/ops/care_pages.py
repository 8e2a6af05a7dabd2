"""Running an event: opening and closing it, its keys; and what was done on the operations page."""

from __future__ import annotations

from aiohttp import web

from server.domain.access import Scope
from server.domain.deeds import describe
from server.services.audit import Deed, audited, list_deeds
from server.services.endings import EndingOrder, begin_ending
from server.services.events import open_event, read_event
from server.services.key_rotation import rotate_event
from server.services.rows import ActorRef
from server.services.rows import Page as ListPage
from server.services.rows_organiser import EndingKind
from server.web.ops.paging import read_place
from server.web.ops.visit import FormUnusable, Page, Visit, see_other
from shared.ids import EventId
from shared.tickets.lifecycle import Actor

SOURCE = "operations page"
_SURE = "cancel"
_SHOWN = 100


class CarePages:
    """What changes an event as a whole."""

    def pages(self) -> list[Page]:
        """Return the addresses."""
        run, keys = Scope.EVENTS_MANAGE, Scope.KEYS_MANAGE
        one = "/ops/events/{event}"
        return [
            Page(
                method="GET",
                path=one + "/manage",
                handler=self.show,
                scope=run,
                summary="What can be done with an event",
            ),
            Page(method="POST", path=one + "/open", handler=self.open, scope=run, summary="Open an event"),
            Page(method="POST", path=one + "/close", handler=self.close, scope=run, summary="Close an event"),
            Page(method="POST", path=one + "/cancel", handler=self.cancel, scope=run, summary="Call an event off"),
            Page(method="POST", path=one + "/keys", handler=self.rotate, scope=keys, summary="Give an event new keys"),
            Page(method="GET", path="/ops/audit", handler=self.audit, scope=run, summary="What was done here"),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show what can be done with an event."""
        event = await read_event(visit.means.context, visit.worker.user, EventId(visit.id("event")))
        return visit.show("manage.html", event=event)

    async def open(self, visit: Visit) -> web.StreamResponse:
        """Open it."""
        event = EventId(visit.id("event"))
        async with audited(visit.means.context, visit.worker, Deed(action="event.open", event=event)):
            await open_event(visit.means.context, visit.worker.user, event)
        return see_other(f"/ops/events/{event}/manage", "event_opened")

    async def close(self, visit: Visit) -> web.StreamResponse:
        """Close it; before its end only with a reason."""
        event = EventId(visit.id("event"))
        reason = visit.text("reason", 500, needed=False)
        await _end(visit, event, EndingKind.CLOSE, reason)
        return see_other(f"/ops/events/{event}/manage", "event_closed")

    async def cancel(self, visit: Visit) -> web.StreamResponse:
        """Call it off, once the word for it was typed: nothing on the page does more."""
        event = EventId(visit.id("event"))
        reason = visit.text("reason", 500)
        if visit.text("confirm", 20).lower() != _SURE:
            raise FormUnusable(f"Type “{_SURE}” to say that every ticket is to be cancelled. Nothing was done.")
        await _end(visit, event, EndingKind.CANCEL, reason)
        return see_other(f"/ops/events/{event}/manage", "event_cancelled")

    async def rotate(self, visit: Visit) -> web.StreamResponse:
        """Give it new keys, from the next epoch on or at once."""
        event = EventId(visit.id("event"))
        at_once = visit.form.get("when") == "at_once"
        deed = Deed(action="keys.rotate", event=event, detail="at once" if at_once else "from the next epoch")
        async with audited(visit.means.context, visit.worker, deed):
            await rotate_event(visit.means.context, visit.worker.tenant, event, at_once=at_once)
        return see_other(f"/ops/events/{event}/manage", "keys_replaced" if at_once else "keys_rotated")

    async def audit(self, visit: Visit) -> web.StreamResponse:
        """Show what was done, the newest first."""
        page = ListPage(after=read_place(visit), limit=_SHOWN)
        listed = await list_deeds(visit.means.context, visit.worker.tenant, None, page)
        return visit.show("audit.html", deeds=listed.items, next_after=listed.next_after)


async def _end(visit: Visit, event: EventId, kind: EndingKind, reason: str) -> None:
    order = EndingOrder(
        event=event,
        kind=kind,
        reason=reason,
        actor=ActorRef(kind=Actor.ORGANISER, id=str(visit.worker.staff.id)),
        source=SOURCE,
        force=bool(reason),
    )
    async with audited(
        visit.means.context,
        visit.worker,
        Deed(action=f"event.{kind}", event=event, detail=describe({"reason": reason})),
    ):
        await begin_ending(visit.means.context, visit.worker.tenant, order)
