"""The conflict inbox: admissions that were one too many, with their evidence, to be settled by a person."""

from __future__ import annotations

from aiohttp import web
from msgspec import to_builtins

from server.domain.access import Scope
from server.domain.deeds import describe
from server.services.audit import Deed, audited
from server.services.conflict_care import Decider, Finding, Resolution, acknowledge, read_conflict, resolve
from server.services.events import read_event
from server.services.rows import Page as ListPage
from server.services.stats import list_conflicts
from server.services.ticket_desk import read_ticket
from server.web.ops.paging import read_place
from server.web.ops.visit import Page, Visit, see_other
from shared.ids import ConflictId, EventId

_SHOWN = 50


class ConflictPages:
    """What is seen of conflicts and done about them."""

    def pages(self) -> list[Page]:
        """Return the addresses."""
        settle = Scope.CONFLICTS_RESOLVE
        one = "/ops/conflicts/{conflict}"
        return [
            Page(
                method="GET",
                path="/ops/events/{event}/conflicts",
                handler=self.inbox,
                scope=Scope.SCANS_READ,
                summary="An event's conflicts",
            ),
            Page(method="GET", path=one, handler=self.show, scope=Scope.SCANS_READ, summary="One conflict's evidence"),
            Page(
                method="POST",
                path=one + "/acknowledge",
                handler=self.acknowledge,
                scope=settle,
                summary="Say that it is being looked into",
            ),
            Page(method="POST", path=one + "/resolve", handler=self.resolve, scope=settle, summary="Settle a conflict"),
        ]

    async def inbox(self, visit: Visit) -> web.StreamResponse:
        """Show an event's conflicts, the newest first."""
        event_id, context = EventId(visit.id("event")), visit.means.context
        page = ListPage(after=read_place(visit), limit=_SHOWN)
        listed = await list_conflicts(context, visit.worker.user, event_id, page)
        event = await read_event(context, visit.worker.user, event_id)
        return visit.show("conflicts.html", event=event, conflicts=listed.items, next_after=listed.next_after)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show one conflict."""
        context, worker = visit.means.context, visit.worker
        conflict = await read_conflict(context, worker.tenant, ConflictId(visit.id("conflict")))
        ticket = await read_ticket(context, worker.tenant, conflict.ticket_id)
        event = await read_event(context, worker.user, ticket.event_id)
        return visit.show("conflict.html", event=event, conflict=conflict, ticket=ticket, resolutions=list(Resolution))

    async def acknowledge(self, visit: Visit) -> web.StreamResponse:
        """Note that somebody looks into it."""
        conflict = ConflictId(visit.id("conflict"))
        async with audited(
            visit.means.context, visit.worker, Deed(action="conflict.acknowledge", subject=str(conflict))
        ):
            await acknowledge(visit.means.context, _decider(visit), conflict)
        return see_other(f"/ops/conflicts/{conflict}", "acknowledged")

    async def resolve(self, visit: Visit) -> web.StreamResponse:
        """Settle it."""
        conflict = ConflictId(visit.id("conflict"))
        note = visit.text("note", 500, needed=False)
        finding = Finding(resolution=visit.choice("resolution", Resolution), note=note or None)
        deed = Deed(action="conflict.resolve", subject=str(conflict), detail=describe(to_builtins(finding)))
        async with audited(visit.means.context, visit.worker, deed):
            await resolve(visit.means.context, _decider(visit), conflict, finding)
        return see_other(f"/ops/conflicts/{conflict}", "resolved")


def _decider(visit: Visit) -> Decider:
    return Decider(tenant=visit.worker.tenant, name=visit.worker.staff.name)
