"""Visits of one organiser's tickets checked in together: in one transaction, in a number of statements that they share.

What a gate does with a scan happens here: decide, write the record down, settle the ticket, tell the others. So gates learn
of it by the feed, and a collision with a gate that was offline becomes a conflict like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from server.domain.server_gate import server_gate_id
from server.services.checkin_cases import (
    Case,
    CheckedIn,
    Decided,
    Visit,
    describe_decided,
    describe_mismatch,
    first_gates,
)
from server.services.checkin_log import Entries, Written, open_log, write_records
from server.services.classify import Seen
from server.services.context import Context
from server.services.ingest_lines import seen_before
from server.services.keys import MasterSecrets
from server.services.ports import Unit
from server.services.problems import EventUnknown, TicketUnknown
from server.services.problems_access import AlreadyCheckedIn, GateElsewhere
from server.services.rows import EventRow, HandleRow
from server.services.rows_gates import ConflictRow, GateRow, LockedTicket
from server.services.scan_code import ReaderShelf, Reading, Scanned, read_codes
from server.services.scanning import Known, Spot, count_crowd, describe_first, judge, pick_spot
from shared.codes.keys import derive_handle, hash_handle
from shared.ids import EventId, GateId, TenantId, TicketId
from shared.problems import TicketTokenError
from shared.sync.ledger import ConflictClass

Outcome = CheckedIn | TicketTokenError
"""What came of a visit: an answer, or the problem its caller is told."""

_Outcomes = dict[TicketId, Outcome]


class _Hall(Struct, frozen=True, kw_only=True, eq=False):
    """The means of one transaction."""

    context: Context
    tx: Unit
    shelf: ReaderShelf
    now: datetime
    locked: Mapping[TicketId, LockedTicket]
    masters: MasterSecrets


async def check_in_all(
    context: Context, shelf: ReaderShelf, tenant: TenantId, visits: Sequence[Visit]
) -> list[Outcome]:
    """Check visits in, each of another ticket, and return what came of each; durable when this returns.

    Raises:
        TicketTokenError: nothing of any of them was kept.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        # Whoever was at one of these tickets before has written down what they did. Logs are locked after tickets, by whoever
        # locks both, so nobody waits for a ticket while holding a log that its holder needs.
        locked = {one.ticket.id: one for one in await tx.scans.lock_tickets(sorted(one.ticket for one in visits))}
        outcomes: _Outcomes = {}
        by_event: defaultdict[EventId, list[Visit]] = defaultdict(list)
        for visit in visits:
            found = locked.get(visit.ticket)
            if found is None or visit.user.event not in {None, found.ticket.event}:
                outcomes[visit.ticket] = TicketUnknown("There is no such ticket.")
            else:
                by_event[found.ticket.event].append(visit)
        if by_event:
            masters = await context.vault.masters(tx)
            hall = _Hall(context=context, tx=tx, shelf=shelf, now=now, locked=locked, masters=masters)
            for event_id in sorted(by_event):
                outcomes |= await _admit(hall, event_id, by_event[event_id])
    return [outcomes[one.ticket] for one in visits]


async def _admit(hall: _Hall, event_id: EventId, visits: Sequence[Visit]) -> _Outcomes:
    event = await hall.tx.events.get(event_id)
    if event is None:
        return {one.ticket: EventUnknown("There is no such event.") for one in visits}
    scanned = await _read(hall, event, visits)
    named = {one.request.gate_id for one in visits if one.request.gate_id is not None}
    gates = await hall.tx.gates.get_all({server_gate_id(event.id)} | named)
    outcomes: _Outcomes = {}
    spots: dict[TicketId, Spot] = {}
    for one in visits:
        try:
            spots[one.ticket] = pick_spot(event, one.request.gate_id, one.request.direction, gates)
        except GateElsewhere as problem:
            outcomes[one.ticket] = problem
    known = await _recall(hall, event, list(spots))
    cases = [
        Case(visit=one, known=known[one.ticket], scanned=scanned[one.ticket], spot=spots[one.ticket])
        for one in visits
        if one.ticket in spots
    ]
    outcomes |= {one.visit.ticket: describe_mismatch(one) for one in cases if one.mismatched}
    standing = [one for one in cases if not one.mismatched]
    if standing:
        outcomes |= await _decide(hall, event, standing, gates)
    return outcomes


async def _read(hall: _Hall, event: EventRow, visits: Sequence[Visit]) -> dict[TicketId, Scanned]:
    """Return what each visit's code says."""
    scanned = {one.ticket: _unseen(hall, one.ticket) for one in visits if one.request.code is None}
    shown = {one.ticket: one.request.code for one in visits if one.request.code is not None}
    if shown:
        reader = await hall.shelf.find(hall.tx, hall.context, event, hall.now)
        reading = Reading(reader=reader, event=event, masters=hall.masters, now=hall.now)
        scanned |= dict(zip(shown, await read_codes(hall.tx, reading, list(shown.values())), strict=True))
    return scanned


def _unseen(hall: _Hall, ticket_id: TicketId) -> Scanned:
    """Return what stands for a code that nobody could show: the ticket's present one."""
    ticket = hall.locked[ticket_id].ticket
    handle_hash = hash_handle(derive_handle(hall.masters.of(ticket.master), ticket.id, ticket.generation))
    handle = HandleRow(event=ticket.event, handle_hash=handle_hash, ticket=ticket.id, generation=ticket.generation)
    return Scanned(refusal=None, handle_hash=handle_hash, handle=handle)


async def _recall(hall: _Hall, event: EventRow, tickets: Sequence[TicketId]) -> dict[TicketId, Known]:
    """Return what is stored of tickets: who was let in with them, and what of them was shown on two phones."""
    seen: defaultdict[TicketId, list[Seen]] = defaultdict(list)
    for stored in await hall.tx.scans.admissions(tickets):
        seen[stored.ticket].append(seen_before(stored, event.id))
    conflicts: defaultdict[TicketId, list[ConflictRow]] = defaultdict(list)
    for one in await hall.tx.conflicts.of_tickets(tickets):
        conflicts[one.ticket].append(one)
    copied = [one for one, found in conflicts.items() if any(row.kind is ConflictClass.CLONE for row in found)]
    hot = frozenset(await hall.tx.conflicts.hot_of_tickets(copied)) if copied else frozenset()
    return {
        one: Known(
            event=event,
            ticket=hall.locked[one].ticket,
            ticket_type=hall.locked[one].ticket_type,
            seen=seen[one],
            hot=hot,
            conflicts=conflicts[one],
        )
        for one in tickets
    }


async def _decide(hall: _Hall, event: EventRow, cases: Sequence[Case], gates: Mapping[GateId, GateRow]) -> _Outcomes:
    """Decide one after the other, write everything down together, and answer."""
    # The log is also the queue of an event: who is inside changes for nobody else from here on.
    held = await open_log(hall.tx, event, gates.get(server_gate_id(event.id)), hall.now)
    crowd = await count_crowd(hall.tx, event)
    decided = []
    for case in cases:
        # The admission is the server gate's, whatever gate's rules it is judged by.
        verdict = judge(case.known, case.scanned, replace(case.spot, gate=held.gate.id), crowd, hall.now)
        decided.append(Decided(case=case, verdict=verdict))
        crowd = crowd.after(held.gate.id, case.spot.direction) if decided[-1].admitted else crowd
    entries = Entries(decided=decided, masters=hall.masters, locked=hall.locked, now=hall.now)
    written = await write_records(hall.context, hall.tx, held, entries)
    first = await hall.tx.gates.get_all(first_gates(decided)) if any(one.repeated for one in decided) else {}
    return {one.case.visit.ticket: _answer(hall, one, written, first) for one in decided}


def _answer(hall: _Hall, decided: Decided, written: Written, gates: Mapping[GateId, GateRow]) -> Outcome:
    if decided.repeated:
        # Its caller is told only once this is committed: the refused try is in the log as well.
        entry = decided.case.known.presence.first_entry
        first = None if entry is None else describe_first(entry, gates)
        return AlreadyCheckedIn("This ticket is checked in already: look at `first`.", first)
    ticket = decided.case.known.ticket
    after = written.changed.get(ticket.id, ticket)
    return describe_decided(decided, written.records[ticket.id], after.state, hall.now)
