"""Checking in by way of the server: a scan of the event's server gate, decided by the same rule, kept in the same log.

What a gate does with a scan happens here in one transaction: decide, write the record down, settle the ticket, tell the
others. So gates learn of it by the feed, and a collision with a gate that was offline becomes a conflict like any other.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import Scope, User, check_scope
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import EventUnknown, TicketUnknown
from server.services.problems_access import AlreadyCheckedIn, CodeNeeded, FirstUse, ForceUnexplained
from server.services.rows import HandleRow, TicketRow
from server.services.scan_code import Scanned, read_code
from server.services.scanning import (
    MISMATCH,
    CodeText,
    Known,
    ReasonText,
    Spot,
    describe_use,
    find_spot,
    find_ticket,
    judge,
    load,
)
from server.services.server_log import ServerLog, open_log, stamp, write_record
from shared.admission.override import OverrideReason, may_override
from shared.admission.verdict import Direction, Reason, Verdict
from shared.clock import unix_ms
from shared.codes.keys import derive_handle, hash_handle
from shared.ids import EventId, GateId, ScanId, TicketId, uuid7
from shared.sync.scan import Mode, Override, ScanRecord, hash_code
from shared.tickets.lifecycle import State

_UNSURE_MS = 50
"""By how much a server's clock may be wrong: servers follow a time server."""

_REPEATED = frozenset({Reason.ALREADY_USED, Reason.ALREADY_USED_ELSEWHERE, Reason.DOUBLE_READ, Reason.MUST_EXIT_FIRST})


class CheckinRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What was scanned and where. ``force`` admits against the rule: a supervisor's decision, which needs a reason.

    Forced, a ticket may come without its code, for a phone that is broken.
    """

    code: CodeText | None = None
    gate_id: GateId | None = None
    direction: Direction | None = None
    force: bool = False
    reason: OverrideReason | None = None


class CheckedIn(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of it: whether somebody may pass, why or why not, and under which id that is in the event's scans."""

    admitted: bool
    reason: ReasonText
    ticket_id: TicketId
    status: State
    event_id: EventId
    event_name: str
    ticket_type_name: str
    seat: str | None
    direction: Direction
    forced: bool = False
    at: datetime | None = None
    scan_id: ScanId | None = None
    wait_seconds: int | None = None


class _Case(Struct, frozen=True, kw_only=True):
    """A decision before it is written down: who asked what, where, of what, and what the rule says."""

    user: User
    request: CheckinRequest
    held: ServerLog
    known: Known
    scanned: Scanned
    spot: Spot
    verdict: Verdict
    now: datetime

    @property
    def forced(self) -> bool:
        """Whether a supervisor's word goes before the rule's, or stands for a code that nobody saw."""
        unseen = self.verdict.admitted and self.request.code is None
        return self.request.force and (unseen or may_override(self.verdict.reason))

    @property
    def admitted(self) -> bool:
        return self.verdict.admitted or self.forced

    @property
    def reason(self) -> Reason:
        if not self.forced:
            return self.verdict.reason
        return Reason.EXIT_OK if self.spot.direction is Direction.EXIT else Reason.OK


class _Outcome(Struct, frozen=True, kw_only=True):
    answer: CheckedIn
    repeated: bool = False
    first: FirstUse | None = None


async def check_in(context: Context, user: User, ticket_id: TicketId, request: CheckinRequest) -> CheckedIn:
    """Admit the holder of a ticket, once; a refusal that is no repetition is an answer as well.

    Raises:
        TicketUnknown: the caller may scan no such ticket.
        AlreadyCheckedIn: it is in already; the problem says since when and by which gate.
        CodeNeeded, ForceUnexplained: no code although nothing is forced, or forced without a reason.
        ScopeMissing: forcing is not the caller's right.
        GateElsewhere: the gate that is named is none of the event's in service.
    """
    _check_request(user, request)
    async with context.db.tenant(user.tenant) as tx:
        outcome = await _check_in(context, tx, user, ticket_id, request)
    if outcome.repeated:
        # Only now: the refused try is in the log by what was just committed.
        raise AlreadyCheckedIn("This ticket is checked in already: look at `first`.", outcome.first)
    return outcome.answer


def _check_request(user: User, request: CheckinRequest) -> None:
    if not request.force and request.code is None:
        raise CodeNeeded("Send the `code` that was scanned.")
    if request.force:
        check_scope(user, Scope.TICKETS_FORCE)
        if request.reason is None:
            raise ForceUnexplained(f"Forcing needs a `reason`: one of {', '.join(OverrideReason)}.")


async def _check_in(context: Context, tx: Unit, user: User, ticket_id: TicketId, request: CheckinRequest) -> _Outcome:
    now = context.clock.now()
    ticket = await find_ticket(tx, user, ticket_id)
    event = await tx.events.get(ticket.event)
    if event is None:
        raise EventUnknown("There is no such event.")
    scanned = await _read(context, tx, ticket, request, now)
    spot = await find_spot(tx, event, request.gate_id, request.direction)
    held = await open_log(tx, event, now)
    # From here on one at a time: whoever was at this ticket before has written down what they did.
    locked = await tx.scans.lock_tickets([ticket_id])
    if not locked:
        raise TicketUnknown("There is no such ticket.")
    known = await load(tx, event, locked[0].ticket)
    if scanned.handle is not None and scanned.handle.ticket != ticket_id:
        return _Outcome(answer=_describe(known, spot, MISMATCH))
    # The admission is the server gate's, whatever gate's rules it is judged by.
    verdict = await judge(tx, known, scanned, replace(spot, gate=held.gate.id), now)
    case = _Case(
        user=user,
        request=request,
        held=held,
        known=known,
        scanned=scanned,
        spot=spot,
        verdict=verdict,
        now=now,
    )
    return await _write_down(context, tx, case)


async def _read(context: Context, tx: Unit, ticket: TicketRow, request: CheckinRequest, now: datetime) -> Scanned:
    if request.code is not None:
        return await read_code(context, tx, request.code, now, event=ticket.event)
    master = (await context.vault.masters(tx)).of(ticket.master)
    handle_hash = hash_handle(derive_handle(master, ticket.id, ticket.generation))
    handle = HandleRow(event=ticket.event, handle_hash=handle_hash, ticket=ticket.id, generation=ticket.generation)
    return Scanned(refusal=None, handle_hash=handle_hash, handle=handle)


async def _write_down(context: Context, tx: Unit, case: _Case) -> _Outcome:
    record = await _make_record(context, tx, case)
    await write_record(context, tx, case.held, record, case.now)
    after = await tx.tickets.get(case.known.ticket.id) or case.known.ticket
    answer = replace(
        _describe(case.known, case.spot, case.reason),
        admitted=case.admitted,
        status=after.state,
        forced=case.forced,
        at=case.now if case.admitted else None,
        scan_id=record.scan,
        wait_seconds=None if case.admitted else case.verdict.wait_s,
    )
    if case.admitted or case.reason not in _REPEATED:
        return _Outcome(answer=answer)
    entry = case.known.presence.first_entry
    return _Outcome(answer=answer, repeated=True, first=None if entry is None else await describe_use(tx, entry))


async def _make_record(context: Context, tx: Unit, case: _Case) -> ScanRecord:
    event, scanned = case.known.event, case.scanned
    who = f"user:{case.user.user}" if case.user.key is None else f"key:{case.user.key}"
    override = None
    if case.forced and case.request.reason is not None:
        override = Override(supervisor=who, reason=case.request.reason)
    return ScanRecord(
        scan=ScanId(uuid7(case.now, context.random_bytes)),
        gate_seq=case.held.next_seq,
        hlc=stamp(case.now, [one.admission for one in case.known.seen]),
        at_ms=unix_ms(case.now),
        unsure_ms=_UNSURE_MS,
        event=event.id,
        handle_hash=scanned.handle_hash,
        code_hash=hash_code(case.request.code or ""),
        direction=case.spot.direction,
        admitted=case.admitted,
        reason=case.reason,
        mode=Mode.ONLINE,
        feed_seq=await tx.feed.head(event.id),
        policy_version=event.policy.version,
        proof=scanned.proof,
        operator=who,
        override=override,
    )


def _describe(known: Known, spot: Spot, reason: str) -> CheckedIn:
    return CheckedIn(
        admitted=False,
        reason=reason,
        ticket_id=known.ticket.id,
        status=known.ticket.state,
        event_id=known.event.id,
        event_name=known.event.name,
        ticket_type_name=known.ticket_type.name,
        seat=known.ticket.seat or None,
        direction=spot.direction,
    )
