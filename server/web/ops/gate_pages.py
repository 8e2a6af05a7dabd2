"""The gates' wall, one gate, taking it out of service, and a code for a new one."""

from __future__ import annotations

import io
from enum import StrEnum

import segno
from aiohttp import web
from markupsafe import Markup

from server.domain.access import Scope
from server.domain.deeds import describe
from server.domain.names import read_name
from server.domain.server_gate import is_server_gate
from server.services.audit import Deed, audited
from server.services.enrol import Enrolment, GateWish, IssuedCode
from server.services.events import read_event
from server.services.gate_commands import Commander, CommandWish, give_command
from server.services.gate_wall import GateWall, read_gate, read_wall
from server.services.gates_now import MOST_ON_PAGE
from server.services.ports import Unit
from server.web.ops.paging import read_number
from server.web.ops.visit import Page, Visit, see_other
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId
from shared.sync.command import CommandKind

_QUIET_ZONE = 4


class _Telling(StrEnum):
    """What a gate is told by way of the page."""

    HOLD = "hold"
    RESUME = "resume"
    MESSAGE = "message"
    RESYNC = "resync"


_FARTHEST_PAGE = 100_000


class GatePages:
    """What is seen of gates and done with them."""

    def pages(self) -> list[Page]:
        """Return the addresses."""
        see, run = Scope.GATES_READ, Scope.GATES_MANAGE
        enrol = "/ops/events/{event}/enrol"
        return [
            Page(
                method="GET", path="/ops/events/{event}/gates", handler=self.wall, scope=see, summary="The gates' wall"
            ),
            Page(method="GET", path=enrol, handler=self.ask_code, scope=run, summary="Ask for an enrolment code"),
            Page(method="POST", path=enrol, handler=self.make_code, scope=run, summary="Make an enrolment code"),
            Page(method="GET", path="/ops/gates/{gate}", handler=self.show, scope=see, summary="One gate"),
            Page(
                method="POST",
                path="/ops/gates/{gate}/revoke",
                handler=self.revoke,
                scope=run,
                summary="Take a gate out of service",
            ),
            Page(
                method="POST",
                path="/ops/gates/{gate}/command",
                handler=self.command,
                scope=run,
                summary="Hold a gate, have it go on, show its staff a message, or have it load everything anew",
            ),
            Page(
                method="POST",
                path="/ops/events/{event}/message",
                handler=self.tell_all,
                scope=run,
                summary="Show the staff of all gates a message",
            ),
        ]

    async def wall(self, visit: Visit) -> web.StreamResponse:
        """Show an event's gates, those that need a look first, a page at a time."""
        event_id, context = EventId(visit.id("event")), visit.means.context
        number = read_number(visit, _FARTHEST_PAGE)
        wanted = visit.request.query.get("name", "").strip()[:100]
        wall: GateWall = await read_wall(context, visit.worker.tenant, event_id, wanted)
        pages = max(1, -(-len(wall.gates) // MOST_ON_PAGE))
        number = min(number, pages)
        shown = wall.gates[(number - 1) * MOST_ON_PAGE : number * MOST_ON_PAGE]
        event = await read_event(context, visit.worker.user, event_id)
        return visit.show("gates.html", event=event, wall=wall, shown=shown, number=number, pages=pages, wanted=wanted)

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show one gate."""
        context, tenant = visit.means.context, visit.worker.tenant
        found = await read_gate(context, tenant, GateId(visit.id("gate")))
        event = await read_event(context, visit.worker.user, found.event)
        return visit.show("gate.html", event=event, gate=found.gate)

    async def revoke(self, visit: Visit) -> web.StreamResponse:
        """Take a gate out of service for good."""
        gate, context = GateId(visit.id("gate")), visit.means.context
        async with audited(context, visit.worker, Deed(action="gate.revoke", subject=str(gate))):
            await _enrolment(visit).revoke(visit.worker.tenant, gate, context.clock.now())
        return see_other(f"/ops/gates/{gate}", "gate_revoked")

    async def command(self, visit: Visit) -> web.StreamResponse:
        """Have one gate do something."""
        gate, kind = GateId(visit.id("gate")), visit.choice("kind", _Telling)
        text = visit.text("text", 200) if kind in {_Telling.HOLD, _Telling.MESSAGE} else None
        wish = CommandWish(kind=CommandKind(kind.value), text=text)
        deed = Deed(action="gate.command", subject=str(gate), detail=describe({"kind": kind.value, "text": text}))
        await _tell(visit, deed, wish, gate)
        return see_other(f"/ops/gates/{gate}", "command_given")

    async def tell_all(self, visit: Visit) -> web.StreamResponse:
        """Show the staff of every gate in service a message: all of them are told, or none."""
        event, text = EventId(visit.id("event")), visit.text("text", 200)
        deed = Deed(
            action="gate.command", subject="all gates", event=event, detail=describe({"kind": "message", "text": text})
        )
        await _tell(visit, deed, CommandWish(kind=CommandKind.MESSAGE, text=text))
        return see_other(f"/ops/events/{event}/manage", "commands_given")

    async def ask_code(self, visit: Visit) -> web.StreamResponse:
        """Ask what the new gate is to be."""
        return await _show_code(visit, None)

    async def make_code(self, visit: Visit) -> web.StreamResponse:
        """Show a code, this once."""
        context, event_id = visit.means.context, EventId(visit.id("event"))
        name = read_name(visit.text("name", 100), 100, "gate's name")
        wish = GateWish(event=event_id, name=name, direction=visit.choice("direction", Direction))
        deed = Deed(action="gate.enrolment_code", event=event_id, detail=describe({"name": name}))
        async with audited(context, visit.worker, deed):
            issued = await _enrolment(visit).issue_code(visit.worker.tenant, wish, context.clock.now())
        return await _show_code(visit, issued)


async def _tell(visit: Visit, deed: Deed, wish: CommandWish, gate: GateId | None = None) -> None:
    """Have one gate do something, or all that are in service at the deed's event: all of them are told, or none."""
    context, tenant = visit.means.context, visit.worker.tenant
    by = Commander(tenant=tenant, name=visit.worker.staff.name)
    async with audited(context, visit.worker, deed), context.db.tenant(tenant) as tx:
        for one in [gate] if gate is not None else await _in_service(tx, EventId(visit.id("event"))):
            await give_command(context, tx, by, one, wish)


async def _in_service(tx: Unit, event: EventId) -> list[GateId]:
    """Return an event's gates that can be told something, in one order for all: nobody waits for another in a circle."""
    rows = await tx.gates.of_event(event)
    return sorted(row.id for row in rows if row.revoked_at is None and not is_server_gate(row.id, event))


async def _show_code(visit: Visit, issued: IssuedCode | None) -> web.StreamResponse:
    event = await read_event(visit.means.context, visit.worker.user, EventId(visit.id("event")))
    if issued is None:
        return visit.show("enrol.html", event=event, code=None)
    symbol = draw_symbol(issued.code)
    return visit.show("enrol.html", event=event, code=issued.code, symbol=symbol, expires_at=issued.expires_at)


def draw_symbol(text: str) -> Markup:
    """Return the QR symbol of a text as an SVG element, with the quiet zone ISO/IEC 18004 asks for."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=_QUIET_ZONE, light="#fff", svgclass="symbol"
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - made of modules, the text is not in it


def _enrolment(visit: Visit) -> Enrolment:
    context = visit.means.context
    return Enrolment(context.db, context.vault, context.random_bytes)
