"""Looking a ticket up, its whole story, and what can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.domain.access import Scope
from server.domain.deeds import describe
from server.services.audit import Deed, audited
from server.services.events import read_event
from server.services.rows import ActorRef
from server.services.ticket_care import Caretaker, LockReason, lock, revoke, unlock
from server.services.ticket_story import MOST_FOUND, find_tickets, read_story
from server.web.ops.care_pages import SOURCE
from server.web.ops.visit import Page, Visit, see_other
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import Actor, RevocationReason

_MOST_ASKED = 200

Act = Callable[[Caretaker, TicketId], Awaitable[object]]


class TicketPages:
    """What is seen of tickets and done with them."""

    def pages(self) -> list[Page]:
        """Return the addresses."""
        see, care = Scope.TICKETS_READ, Scope.TICKETS_MANAGE
        one = "/ops/tickets/{ticket}"
        return [
            Page(
                method="GET",
                path="/ops/events/{event}/tickets",
                handler=self.look_up,
                scope=see,
                summary="Look a ticket up",
            ),
            Page(method="GET", path=one, handler=self.show, scope=see, summary="A ticket's whole story"),
            Page(method="POST", path=one + "/revoke", handler=self.revoke, scope=care, summary="Take a ticket back"),
            Page(method="POST", path=one + "/lock", handler=self.lock, scope=care, summary="Lock a ticket"),
            Page(method="POST", path=one + "/unlock", handler=self.unlock, scope=care, summary="Free a locked ticket"),
        ]

    async def look_up(self, visit: Visit) -> web.StreamResponse:
        """Show the tickets that fit what was asked for."""
        context, user, event_id = visit.means.context, visit.worker.user, EventId(visit.id("event"))
        asked = "".join(one for one in visit.request.query.get("q", "").strip() if one.isprintable())[:_MOST_ASKED]
        found = await find_tickets(context, user, event_id, asked)
        event = await read_event(context, user, event_id)
        return visit.show("tickets.html", event=event, asked=asked, found=found, most=MOST_FOUND)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show one ticket and everything that happened to it."""
        context = visit.means.context
        story = await read_story(context, visit.worker.tenant, TicketId(visit.id("ticket")))
        event = await read_event(context, visit.worker.user, story.ticket.event_id)
        reasons = {"revoke": list(RevocationReason), "lock": list(LockReason)}
        return visit.show("ticket.html", event=event, story=story, ticket=story.ticket, reasons=reasons)

    async def revoke(self, visit: Visit) -> web.StreamResponse:
        """Take it back for good."""
        reason = visit.choice("reason", RevocationReason)
        context = visit.means.context
        return await _act(visit, "revoke", reason.value, lambda by, one: revoke(context, by, one, reason))

    async def lock(self, visit: Visit) -> web.StreamResponse:
        """Lock it."""
        reason = visit.choice("reason", LockReason)
        context = visit.means.context
        return await _act(visit, "lock", reason.value, lambda by, one: lock(context, by, one, reason))

    async def unlock(self, visit: Visit) -> web.StreamResponse:
        """Free it."""
        reason = visit.text("reason", 200)
        context = visit.means.context
        return await _act(visit, "unlock", reason, lambda by, one: unlock(context, by, one, reason))


async def _act(visit: Visit, what: str, reason: str, act: Act) -> web.StreamResponse:
    ticket = TicketId(visit.id("ticket"))
    by = Caretaker(
        tenant=visit.worker.tenant,
        actor=ActorRef(kind=Actor.ORGANISER, id=str(visit.worker.staff.id)),
        source=SOURCE,
    )
    deed = Deed(action=f"ticket.{what}", subject=str(ticket), detail=describe({"reason": reason}))
    async with audited(visit.means.context, visit.worker, deed):
        await act(by, ticket)
    done = {"revoke": "ticket_revoked", "lock": "ticket_locked", "unlock": "ticket_unlocked"}[what]
    return see_other(f"/ops/tickets/{ticket}", done)
