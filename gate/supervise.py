"""The staff's side of a running gate: who is signed in, and what that person may do; everything done is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from gate.deciding import Post
from gate.desk import ScanDesk
from gate.lookup import Lookup
from gate.outcome import Outcome
from gate.overrule import Decision, Overruler
from gate.past import can_be_taken_back, tell_past, undoing
from gate.pins import PinDesk
from gate.ports import Journal
from gate.staff import Obstacle, Past, Peeked, Ruling, Session, SignIn, SupervisorName, Undoable
from shared.admission.override import OverrideReason, StaffAction, UndoReason
from shared.admission.policy import GateRole
from shared.clock import Clock, from_unix_ms, unix_ms
from shared.codes.bundle import SupervisorEntry
from shared.codes.number import looks_like_number, write_number
from shared.ids import ScanId, SupervisorId
from shared.sync.scan import Override

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
SESSION_S = 120.0
"""How long a supervisor stays signed in without doing anything: the gate may be left alone."""

_LOOK_BACK = 500
_MOST_UNDOABLE = 50
_MOST_PAST = 200
_NOBODY = "-"


class Roster(Protocol):
    """Whoever knows the supervisors of this gate."""

    @property
    def supervisors(self) -> Sequence[SupervisorEntry]:
        """Return those who may decide here."""
        ...


class SupervisionParts(Struct, frozen=True, kw_only=True, eq=False):
    """What supervising works with; ``answer`` tells everybody, ``count`` only those who keep numbers."""

    roster: Roster
    pins: PinDesk
    overruler: Overruler
    lookup: Lookup
    post: Post
    journal: Journal
    desk: ScanDesk
    clock: Clock
    answer: Callable[[Outcome], Awaitable[None]]
    count: Callable[[Outcome], None]


class Supervision:
    """Implements ``Staff`` over a running gate."""

    def __init__(self, parts: SupervisionParts) -> None:
        self._parts = parts
        self._who: SupervisorEntry | None = None
        self._until_s = 0.0

    @property
    def open(self) -> bool:
        """Whether the lane is open."""
        return self._parts.desk.open

    def supervisors(self) -> tuple[SupervisorName, ...]:
        """Return who may sign in here, in the order of their names."""
        names = [SupervisorName(id=one.id, label=one.label) for one in self._parts.roster.supervisors]
        return tuple(sorted(names, key=lambda name: (name.label.casefold(), str(name.id))))

    def session(self) -> Session | None:
        """Return who is signed in; somebody who was struck off the list is not."""
        who = self._present()
        if who is None:
            return None
        name = SupervisorName(id=who.id, label=who.label)
        return Session(who=name, left_s=self._until_s - self._parts.clock.monotonic())

    async def sign_in(self, who: SupervisorId, pin: str) -> SignIn:
        """Check a PIN and begin a session; every try is on record."""
        entry = next((one for one in self._parts.roster.supervisors if one.id == who), None)
        if entry is None:
            return SignIn(accepted=False, looked_at=False)
        answer = await self._parts.pins.check(entry, pin)
        if not answer.accepted:
            if answer.looked_at:
                await self._note(StaffAction.LOCKED_OUT if answer.wait_s else StaffAction.PIN_REFUSED, entry)
            return answer
        await self._note(StaffAction.SIGNED_IN, entry)
        self._who, self._until_s = entry, self._parts.clock.monotonic() + SESSION_S
        return answer

    def sign_out(self) -> None:
        """End the session."""
        self._who = None

    async def override(self, scan: ScanId, reason: OverrideReason) -> Ruling:
        """Let somebody pass whom the rule refused."""
        return await self._act(lambda by: self._parts.overruler.override(scan, by), reason.value)

    async def admit_found(self, handle_hash: bytes, reason: OverrideReason) -> Ruling:
        """Let in the holder of a ticket that was found by its number."""
        if not self.may_search:
            return Ruling(done=False, obstacle=Obstacle.NOT_SIGNED_IN)
        return await self._act(lambda by: self._parts.overruler.admit_found(handle_hash, by), reason.value)

    async def undo(self, scan: ScanId, reason: UndoReason) -> Ruling:
        """Take an admission back."""
        return await self._act(lambda by: self._parts.overruler.take_back(scan, by), reason.value)

    async def history(self) -> tuple[Past, ...]:
        """Return the last records of this gate, newest first; anybody may read them: nobody's name is in them."""
        records = await self._parts.journal.last_records(_LOOK_BACK)
        return tell_past(records, unix_ms(self._parts.clock.now()))[:_MOST_PAST]

    async def take_back_unused(self, scan: ScanId) -> bool:
        """Take an admission back after which the turnstile says that nobody went through; no person decides that.

        Raises:
            TicketTokenError: the record could not be made durable; the admission stands.
        """
        by = Override(supervisor=_NOBODY, reason=UndoReason.NOBODY_TURNED.value)
        decision = await self._parts.overruler.take_back(scan, by)
        if decision.outcome is None:
            return False
        _log.info("turnstile.taken_back", scan=str(scan))
        await asyncio.shield(self._parts.answer(decision.outcome))
        return True

    async def undoable(self) -> tuple[Undoable, ...]:
        """Return the admissions that can be taken back, newest first."""
        now_ms = unix_ms(self._parts.clock.now())
        records = await self._parts.journal.last_records(_LOOK_BACK)
        gone = undoing(records)
        found = [
            Undoable(
                scan=record.scan,
                at=from_unix_ms(record.at_ms),
                number=write_number(record.handle_hash),
                code_id=record.code_hash.hex(),
                direction=record.direction,
            )
            for record in records
            if record.handle_hash is not None and can_be_taken_back(record, gone, now_ms)
        ]
        return tuple(found[:_MOST_UNDOABLE])

    @property
    def may_search(self) -> bool:
        """Whether a ticket may be found by its number now: as this gate's role says, which its organiser gives it."""
        match self._parts.post.role:
            case GateRole.HELP_DESK:
                return True
            case GateRole.LANE:
                return self._present() is not None
            case GateRole.UNATTENDED:
                return False

    async def peek(self, text: str) -> Peeked:
        """Look at a code, or find a ticket by its number where that is allowed; each search is on record."""
        who = self._present()
        if not looks_like_number(text) or not self.may_search:
            return await self._parts.lookup.peek(text)
        self._renew()
        found = await self._parts.lookup.find(text)
        await self._note(StaffAction.SEARCHED, who, found.handle_hash)
        return found

    async def close_lane(self) -> None:
        """Look at no codes until the lane is opened again."""
        self._parts.desk.open = False
        await self._note(StaffAction.CLOSED_LANE, self._present())

    async def open_lane(self) -> None:
        """Look at codes again."""
        self._parts.desk.open = True
        await self._note(StaffAction.OPENED_LANE, self._present())

    async def note_taken_out(self, action: StaffAction) -> None:
        """Put on record that somebody took out the list of who is inside, or the log.

        That needs no signing in: it may be an emergency, and whoever can read the data directory could do so anyway.
        """
        await self._note(action, None)

    async def _act(self, decide: Callable[[Override], Awaitable[Decision]], reason: str) -> Ruling:
        who = self._present()
        if who is None:
            return Ruling(done=False, obstacle=Obstacle.NOT_SIGNED_IN)
        self._renew()
        decision = await decide(Override(supervisor=str(who.id), reason=reason))
        if decision.outcome is None:
            return Ruling(done=False, obstacle=decision.obstacle, reason=decision.reason)
        _log.info("supervisor.decided", supervisor=str(who.id), reason=reason, scan=str(decision.outcome.scan))
        await asyncio.shield(self._parts.answer(replace(decision.outcome, supervisor=who.label)))
        return Ruling(done=True)

    async def _note(self, action: StaffAction, who: SupervisorEntry | None, about: bytes | None = None) -> None:
        name = str(who.id) if who is not None else _NOBODY
        _log.info("supervisor.noted", supervisor=name, action=action.value)
        self._parts.count(await self._parts.overruler.note(Override(supervisor=name, reason=action.value), about))

    def _present(self) -> SupervisorEntry | None:
        listed = self._who is not None and any(self._who.id == one.id for one in self._parts.roster.supervisors)
        if not listed or self._parts.clock.monotonic() >= self._until_s:
            self._who = None
        return self._who

    def _renew(self) -> None:
        self._until_s = self._parts.clock.monotonic() + SESSION_S
