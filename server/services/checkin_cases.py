"""One check-in, without what it takes to store it: the call, the case before it is decided, its record and its answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import Scope, User, check_scope
from server.services.problems_access import CodeNeeded, ForceUnexplained
from server.services.scan_code import Scanned
from server.services.scanning import MISMATCH, CodeText, Known, ReasonText, Spot
from shared.admission.override import OverrideReason, may_override
from shared.admission.presence import Admission
from shared.admission.verdict import Direction, Reason, Verdict
from shared.clock import unix_ms
from shared.ids import EventId, GateId, RandomBytes, ScanId, TicketId, uuid7
from shared.sync.hlc import MAX_AHEAD_MS, physical_ms, tick
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


class Visit(Struct, frozen=True, kw_only=True):
    """Somebody at the door: who asks, for which ticket, with what, and in which request."""

    user: User
    ticket: TicketId
    request: CheckinRequest
    trace: str | None = None


class Case(Struct, frozen=True, kw_only=True):
    """A visit with what is known of it: the ticket and its past, what the code said, where it was scanned."""

    visit: Visit
    known: Known
    scanned: Scanned
    spot: Spot

    @property
    def mismatched(self) -> bool:
        """Whether the code is another ticket's than the one the call names."""
        return self.scanned.handle is not None and self.scanned.handle.ticket != self.known.ticket.id


class Decided(Struct, frozen=True, kw_only=True):
    """A case and what the rule says of it."""

    case: Case
    verdict: Verdict

    @property
    def forced(self) -> bool:
        """Whether a supervisor's word goes before the rule's, or stands for a code that nobody saw."""
        request = self.case.visit.request
        unseen = self.verdict.admitted and request.code is None
        return request.force and (unseen or may_override(self.verdict.reason))

    @property
    def admitted(self) -> bool:
        """Whether somebody passes."""
        return self.verdict.admitted or self.forced

    @property
    def reason(self) -> Reason:
        """Return why, or why not."""
        if not self.forced:
            return self.verdict.reason
        return Reason.EXIT_OK if self.case.spot.direction is Direction.EXIT else Reason.OK

    @property
    def repeated(self) -> bool:
        """Whether somebody who is in already was told so."""
        return not self.admitted and self.reason in _REPEATED


class Page(Struct, frozen=True, kw_only=True):
    """Where in the server's log a record comes to stand, and how far the event's feed was then."""

    seq: int
    feed_seq: int
    now: datetime


def check_request(user: User, request: CheckinRequest) -> None:
    """Return if this is something the caller may ask for.

    Raises:
        CodeNeeded, ForceUnexplained: no code although nothing is forced, or forced without a reason.
        ScopeMissing: forcing is not the caller's right.
    """
    if not request.force and request.code is None:
        raise CodeNeeded("Send the `code` that was scanned.")
    if request.force:
        check_scope(user, Scope.TICKETS_FORCE)
        if request.reason is None:
            raise ForceUnexplained(f"Forcing needs a `reason`: one of {', '.join(OverrideReason)}.")


def make_record(decided: Decided, page: Page, random_bytes: RandomBytes) -> ScanRecord:
    """Return what is written down of a decision."""
    case, visit = decided.case, decided.case.visit
    user, request, event = visit.user, visit.request, case.known.event
    who = f"user:{user.user}" if user.key is None else f"key:{user.key}"
    override = None
    if decided.forced and request.reason is not None:
        override = Override(supervisor=who, reason=request.reason)
    return ScanRecord(
        scan=ScanId(uuid7(page.now, random_bytes)),
        gate_seq=page.seq,
        hlc=_stamp(page.now, [one.admission for one in case.known.seen]),
        at_ms=unix_ms(page.now),
        unsure_ms=_UNSURE_MS,
        event=event.id,
        handle_hash=case.scanned.handle_hash,
        code_hash=hash_code(request.code or ""),
        direction=case.spot.direction,
        admitted=decided.admitted,
        reason=decided.reason,
        mode=Mode.ONLINE,
        feed_seq=page.feed_seq,
        policy_version=event.policy.version,
        proof=case.scanned.proof,
        operator=who,
        override=override,
    )


def _stamp(now: datetime, seen: list[Admission]) -> int:
    """Return a stamp after everything that is known of a ticket, as far as that lies in no impossible future."""
    now_ms = unix_ms(now)
    known = [one.hlc for one in seen if physical_ms(one.hlc) - now_ms <= MAX_AHEAD_MS]
    return tick(max(known, default=0), now_ms)


def describe_mismatch(case: Case) -> CheckedIn:
    """Return the answer to a code of another ticket, of which nothing is written down."""
    return _describe(case, MISMATCH)


def describe_decided(decided: Decided, record: ScanRecord, status: State, now: datetime) -> CheckedIn:
    """Return the answer to a decision that is written down; ``status`` is the ticket's state after it."""
    return replace(
        _describe(decided.case, decided.reason),
        admitted=decided.admitted,
        status=status,
        forced=decided.forced,
        at=now if decided.admitted else None,
        scan_id=record.scan,
        wait_seconds=None if decided.admitted else decided.verdict.wait_s,
    )


def first_gates(decided: Sequence[Decided]) -> set[GateId]:
    """Return the gates at which those who are in already came in."""
    entries = [one.case.known.presence.first_entry for one in decided if one.repeated]
    return {entry.gate for entry in entries if entry is not None}


def _describe(case: Case, reason: str) -> CheckedIn:
    known = case.known
    return CheckedIn(
        admitted=False,
        reason=reason,
        ticket_id=known.ticket.id,
        status=known.ticket.state,
        event_id=known.event.id,
        event_name=known.event.name,
        ticket_type_name=known.ticket_type.name,
        seat=known.ticket.seat or None,
        direction=case.spot.direction,
    )
