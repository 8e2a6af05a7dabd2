"""What the one rule says of a ticket, here and now, with all that the server knows; and validating, which changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.domain.server_gate import is_server_gate, server_gate_id
from server.services.classify import Seen, generations_in
from server.services.context import Context
from server.services.ingest_lines import seen_before
from server.services.ports import Unit
from server.services.problems import TicketUnknown
from server.services.problems_access import FirstUse, GateElsewhere
from server.services.rows import EventRow, HandleRow, TicketRow, TicketTypeRow
from server.services.rows_gates import ConflictRow, GateRow
from server.services.scan_code import Scanned, read_code
from shared.admission.policy import Place
from shared.admission.presence import Admission, Presence, fold
from shared.admission.rule import Facts, decide
from shared.admission.verdict import Direction, Reason, Verdict, refuse
from shared.clock import from_unix_ms
from shared.codes.capsule import CodePolicy
from shared.ids import EventId, GateId, TicketId, TicketTypeId
from shared.problems import Internal
from shared.tickets.lifecycle import State

CodeText = Annotated[str, Meta(min_length=1, max_length=2048)]
MISMATCH = "ticket_mismatch"
"""The reason when a code is another ticket's than the one the address names; gates, which know no address, never say it."""

ReasonText = Annotated[str, Meta(extra_json_schema={"enum": [*(reason.value for reason in Reason), MISMATCH]})]


class ValidateRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What was scanned, and where: at a gate of the event, or (None) at no gate in particular."""

    code: CodeText
    gate_id: GateId | None = None
    direction: Direction | None = None


class Validated(Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether the ticket would be admitted here and now, and what it is; what is not known of it is null."""

    valid: bool
    reason: ReasonText
    ticket_id: TicketId | None = None
    status: State | None = None
    event_id: EventId | None = None
    event_name: str | None = None
    ticket_type_id: TicketTypeId | None = None
    ticket_type_name: str | None = None
    seat: str | None = None
    last_entry: FirstUse | None = None
    wait_seconds: int | None = None


class Known(Struct, frozen=True, kw_only=True):
    """A ticket with everything the rule and its answer need."""

    event: EventRow
    ticket: TicketRow
    ticket_type: TicketTypeRow
    seen: Sequence[Seen]
    hot: frozenset[bytes] = frozenset()
    conflicts: Sequence[ConflictRow] = ()

    @property
    def presence(self) -> Presence:
        """Return where its holder is by the admissions that count everywhere."""
        counted = [one for one in self.seen if one.counts]
        return fold([one.admission for one in counted], self.event.policy.double_read_s, generations_in(counted))


class Spot(Struct, frozen=True, kw_only=True):
    """Where somebody stands: a gate of the event or the server's own, which way they go, and the gate's rules."""

    gate: GateId
    direction: Direction
    zones: int = 0
    products: tuple[int, ...] = ()


class Crowd(Struct, frozen=True, kw_only=True):
    """How many are inside, and by gate; None where no rule of the event asks."""

    inside: int | None = None
    bodies: Mapping[GateId, int] | None = None

    def after(self, gate: GateId, direction: Direction) -> Crowd:
        """Return how it is once one more went through a gate."""
        step = 1 if direction is Direction.ENTRY else -1
        inside = None if self.inside is None else max(0, self.inside + step)
        bodies = None if self.bodies is None else {**self.bodies, gate: self.bodies.get(gate, 0) + step}
        return Crowd(inside=inside, bodies=bodies)


async def validate(
    context: Context, user: User, request: ValidateRequest, ticket_id: TicketId | None = None
) -> Validated:
    """Return what the rule says of a code, changing nothing.

    Raises:
        TicketUnknown: the address names a ticket that is none of the caller's tenant or event.
        GateElsewhere: the gate that is named is none of the event's in service.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        named = None if ticket_id is None else await find_ticket(tx, user, ticket_id)
        scanned = await read_code(context, tx, request.code, now, event=named.event if named else user.event)
        return await _answer(tx, request, scanned, named, now)


async def _answer(
    tx: Unit, request: ValidateRequest, scanned: Scanned, named: TicketRow | None, now: datetime
) -> Validated:
    if scanned.handle is None or scanned.event is None:
        return Validated(valid=False, reason=scanned.refusal or Reason.UNKNOWN_TICKET)
    if named is not None and scanned.handle.ticket != named.id:
        return Validated(valid=False, reason=MISMATCH, ticket_id=named.id)
    ticket = await tx.tickets.get(scanned.handle.ticket)
    if ticket is None:
        raise Internal("A code's ticket cannot be found: the database is damaged.")
    gates = {} if request.gate_id is None else await tx.gates.get_all({request.gate_id})
    spot = pick_spot(scanned.event, request.gate_id, request.direction, gates)
    known = await load(tx, scanned.event, ticket)
    verdict = judge(known, scanned, spot, await count_crowd(tx, known.event), now)
    last = known.presence.last_entry
    return Validated(
        valid=verdict.admitted,
        reason=verdict.reason,
        ticket_id=ticket.id,
        status=ticket.state,
        event_id=known.event.id,
        event_name=known.event.name,
        ticket_type_id=known.ticket_type.id,
        ticket_type_name=known.ticket_type.name,
        seat=ticket.seat or None,
        last_entry=None if last is None else describe_first(last, await tx.gates.get_all({last.gate})),
        wait_seconds=verdict.wait_s,
    )


async def find_ticket(tx: Unit, user: User, ticket_id: TicketId) -> TicketRow:
    """Return a ticket the caller may scan.

    Raises:
        TicketUnknown: the tenant has none of this id, or the caller's key is for another event.
    """
    ticket = await tx.tickets.get(ticket_id)
    if ticket is None or (user.event is not None and ticket.event != user.event):
        raise TicketUnknown("There is no such ticket.")
    return ticket


def pick_spot(
    event: EventRow, gate_id: GateId | None, direction: Direction | None, gates: Mapping[GateId, GateRow]
) -> Spot:
    """Return where somebody stands; a gate's own direction counts unless another is named.

    Raises:
        GateElsewhere: the gate is none of the event's in service.
    """
    if gate_id is None:
        return Spot(gate=server_gate_id(event.id), direction=direction or Direction.ENTRY)
    gate = gates.get(gate_id)
    if gate is None or gate.event != event.id or gate.revoked_at is not None or is_server_gate(gate.id, event.id):
        raise GateElsewhere("This gate is none of the event's in service: see the list of gates.")
    return Spot(gate=gate.id, direction=direction or gate.direction, zones=gate.zones, products=gate.products)


async def load(tx: Unit, event: EventRow, ticket: TicketRow) -> Known:
    """Return what is stored of a ticket's type and admissions."""
    ticket_type = await tx.stock.get(ticket.ticket_type)
    if ticket_type is None:
        raise Internal("A ticket's type cannot be found: the database is damaged.")
    seen = [seen_before(one, event.id) for one in await tx.scans.admissions([ticket.id])]
    hot = frozenset(await tx.conflicts.hot_of_tickets([ticket.id]))
    return Known(event=event, ticket=ticket, ticket_type=ticket_type, seen=seen, hot=hot)


async def count_crowd(tx: Unit, event: EventRow) -> Crowd:
    """Return as much of who is inside as the event's rules ask for."""
    inside = bodies = None
    if event.policy.capacity is not None:
        sums = await tx.scans.tally(event.id)
        inside = max(0, sums.entries - sums.exits)
    if event.policy.area_limits:
        bodies = {one.gate: one.entries - one.exits for one in await tx.scans.tally_gates(event.id)}
    return Crowd(inside=inside, bodies=bodies)


def judge(known: Known, scanned: Scanned, spot: Spot, crowd: Crowd, now: datetime) -> Verdict:
    """Return what the rule says, after the code itself."""
    if scanned.refusal is not None or scanned.handle is None:
        return refuse(scanned.refusal or Reason.UNKNOWN_TICKET)
    place = Place(
        gate=spot.gate,
        direction=spot.direction,
        zones=spot.zones,
        products=spot.products,
        online=True,
        inside=crowd.inside,
        bodies=crowd.bodies,
    )
    return decide(_facts(known, scanned.handle, scanned), known.presence, known.event.policy, place, now)


def _facts(known: Known, handle: HandleRow, scanned: Scanned) -> Facts:
    ticket, kind = known.ticket, known.ticket_type
    return Facts(
        known=True,
        superseded=handle.generation < ticket.generation,
        state=ticket.state,
        locked=ticket.locked is not None,
        product=kind.product,
        zones=kind.zones,
        valid_from=ticket.valid_from,
        valid_until=ticket.valid_until,
        entries=kind.entries,
        code_policy=CodePolicy(kind.code_policy),
        static_code=scanned.is_static,
        suspect=handle.handle_hash in known.hot,
    )


def describe_first(admission: Admission, gates: Mapping[GateId, GateRow]) -> FirstUse:
    """Return an admission for people; ``gates`` has its gate."""
    gate = gates.get(admission.gate)
    name = "" if gate is None else gate.name
    return FirstUse(at=from_unix_ms(admission.at_ms), gate_id=admission.gate, gate_name=name)
