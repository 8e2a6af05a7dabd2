"""Staff as a test wants them: two supervisors with one PIN, and tickets that are what they are said to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gate.outcome import Outcome, Took
from gate.staff import (
    Ending,
    Obstacle,
    Passage,
    Past,
    Peeked,
    Remedy,
    Ruling,
    Session,
    SignIn,
    SupervisorName,
    Undoable,
)
from shared.admission.override import OverrideReason, UndoReason
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction, PriorUse, Reason, Verdict, admit, refuse
from shared.clock import unix_ms
from shared.codes.keys import Holder
from shared.ids import ScanId, SupervisorId
from shared.problems import TicketTokenError
from shared.sync.scan import Mode
from shared.tickets.lifecycle import State

NOW = datetime(2026, 6, 20, 17, 45, 12, tzinfo=UTC)
ANNA = SupervisorName(id=SupervisorId(UUID(int=51)), label="Anna Lindqvist")
BORIS = SupervisorName(id=SupervisorId(UUID(int=52)), label="Boris")
PIN = "135792"
HANDLE = bytes(range(16))

INSIDE = Peeked(
    verdict=refuse(Reason.MUST_EXIT_FIRST, prior=PriorUse(at_ms=unix_ms(NOW), gate=UUID(int=2))),
    code_id="c0ffee",
    prior_gate="North 2",
    number="KQFW-3M2X",
    state=State.CHECKED_IN,
    holder=Holder(name="Marlene Östergård-Nakamura", seat="Block C, row 12, seat 7", product="Weekend, 2 days"),
    passages=(
        Passage(at=NOW - timedelta(minutes=3), gate="North 2", direction=Direction.ENTRY, supervised=True),
        Passage(at=NOW - timedelta(minutes=50), gate="South 1", direction=Direction.EXIT),
        Passage(at=NOW - timedelta(hours=26), gate="North 1", direction=Direction.ENTRY),
    ),
    handle_hash=HANDLE,
)
FOUND = Peeked(
    verdict=admit(), code_id="f00d", number="KQFW-3M2X", state=State.ACTIVE, handle_hash=HANDLE, by_number=True
)
STRANGE = Peeked(verdict=refuse(Reason.CODE_UNREADABLE), code_id="dead")

_AN_EVENING: tuple[tuple[Reason, Ending, Remedy | None, str | None], ...] = (
    (Reason.CODE_STALE, Ending.STANDS, Remedy.OVERRIDE, None),
    (Reason.OK, Ending.STANDS, Remedy.UNDO, None),
    (Reason.OK, Ending.STANDS, Remedy.UNDO, "id_checked"),
    (Reason.ALREADY_USED, Ending.LET_IN_BY_SUPERVISOR, None, None),
    (Reason.STAFF_ACTION, Ending.STANDS, None, "signed_in"),
    (Reason.UNDONE, Ending.STANDS, None, "guest_turned_back"),
    (Reason.OK, Ending.TAKEN_BACK, None, None),
    (Reason.CODE_FORGED, Ending.STANDS, None, None),
    (Reason.OK, Ending.STANDS, Remedy.UNDO, None),
    (Reason.CODE_STALE, Ending.LET_IN_LATER, None, None),
)
_ENDED_WHY = {Ending.LET_IN_BY_SUPERVISOR: "id_checked", Ending.TAKEN_BACK: "guest_turned_back"}


def make_past(number: int) -> Past:
    """Return one of many records, the newest numbered 0."""
    reason, ending, remedy, why = _AN_EVENING[number % len(_AN_EVENING)]
    at = NOW - timedelta(seconds=70 * number + 5)
    ended = ending is not Ending.STANDS
    return Past(
        scan=ScanId(UUID(int=800 + number)),
        gate_seq=1247 - number,
        at=at,
        reason=reason,
        code_id=f"{(number + 3) * 0x9E3779B97F4A7C15 % 2**64:016x}",
        why=why,
        ending=ending,
        ended_at=at + timedelta(seconds=48) if ended else None,
        ended_why=_ENDED_WHY.get(ending),
        remedy=remedy if number < 12 else None,
    )


class ScriptedStaff:
    """Implements ``Staff`` without a gate; what was asked of it can be read afterwards."""

    def __init__(self, tell: Callable[[Outcome], None]) -> None:
        self._tell = tell
        self.names: tuple[SupervisorName, ...] = (ANNA, BORIS)
        self.answers: list[SignIn] = []
        self.present: SupervisorName | None = None
        self.peeked: dict[str, Peeked] = {"inside": INSIDE, "KQFW3M2X": FOUND}
        self.asked: list[tuple[object, ...]] = []
        self.ruling = Ruling(done=True)
        self.problem: TicketTokenError | None = None
        self.admissions: tuple[Undoable, ...] = (
            Undoable(
                scan=ScanId(UUID(int=8)),
                at=NOW - timedelta(minutes=1),
                number="KQFW-3M2X",
                code_id="c0ffee",
                direction=Direction.ENTRY,
            ),
        )
        self.past: tuple[Past, ...] = tuple(make_past(number) for number in range(40))
        self.open = True
        self.role = GateRole.LANE

    @property
    def may_search(self) -> bool:
        """Say so by the role and who is signed in."""
        return self.role is GateRole.HELP_DESK or (self.role is GateRole.LANE and self.present is not None)

    def supervisors(self) -> tuple[SupervisorName, ...]:
        """Return who is listed."""
        return self.names

    def session(self) -> Session | None:
        """Return who is signed in."""
        return None if self.present is None else Session(who=self.present, left_s=99.0)

    async def sign_in(self, who: SupervisorId, pin: str) -> SignIn:
        """Take the one PIN, unless other answers were laid out."""
        self.asked.append(("sign_in", who, pin))
        answer = self.answers.pop(0) if self.answers else SignIn(accepted=pin == PIN, tries_left=4)
        if answer.accepted:
            self.present = next(one for one in self.names if one.id == who)
        return answer

    def sign_out(self) -> None:
        """End the session."""
        self.present = None

    async def override(self, scan: ScanId, reason: OverrideReason) -> Ruling:
        """Do as laid out."""
        return self._do(("override", scan, reason), admit(), reason.value)

    async def history(self) -> tuple[Past, ...]:
        """Return what happened."""
        return self.past

    async def undoable(self) -> tuple[Undoable, ...]:
        """Return what can be taken back."""
        return self.admissions

    async def undo(self, scan: ScanId, reason: UndoReason) -> Ruling:
        """Do as laid out."""
        return self._do(("undo", scan, reason), refuse(Reason.UNDONE), reason.value)

    async def peek(self, text: str) -> Peeked:
        """Return what a text stands for."""
        self.asked.append(("peek", text))
        return self.peeked.get(text.replace("-", ""), STRANGE)

    async def admit_found(self, handle_hash: bytes, reason: OverrideReason) -> Ruling:
        """Do as laid out."""
        return self._do(("admit_found", handle_hash, reason), admit(), reason.value)

    async def close_lane(self) -> None:
        """Close."""
        self.open = False

    async def open_lane(self) -> None:
        """Open."""
        self.open = True

    def _do(self, asked: tuple[object, ...], verdict: Verdict, why: str) -> Ruling:
        self.asked.append(asked)
        if self.problem is not None:
            raise self.problem
        if self.present is None:
            return Ruling(done=False, obstacle=Obstacle.NOT_SIGNED_IN)
        if self.ruling.done:
            self._tell(
                Outcome(
                    scan=ScanId(UUID(int=99)),
                    gate_seq=99,
                    at=NOW,
                    verdict=verdict,
                    code_id="c0ffee",
                    mode=Mode.ONLINE,
                    took=Took(decode=0, verify=0, rule=0, commit=2, total=2),
                    override=why,
                    supervisor=self.present.label,
                )
            )
        return self.ruling
