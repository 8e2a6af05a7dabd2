"""What people at the gate may do besides scanning: look a ticket up, decide against the rule, take back, close the lane."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from shared.admission.override import OverrideReason, UndoReason
from shared.admission.verdict import Direction, Reason, Verdict
from shared.codes.keys import Holder
from shared.ids import ScanId, SupervisorId
from shared.secrecy import Reticent
from shared.tickets.lifecycle import State


class SupervisorName(Struct, frozen=True, kw_only=True):
    """Somebody who may decide at this gate."""

    id: SupervisorId
    label: str


class Session(Struct, frozen=True, kw_only=True):
    """A supervisor at work; ``left_s`` is how many seconds the session lasts if nothing is done."""

    who: SupervisorName
    left_s: float


class SignIn(Struct, frozen=True, kw_only=True):
    """The answer to a PIN; ``wait_s`` is how long none will be ``looked_at``, ``tries_left`` are those before that."""

    accepted: bool
    looked_at: bool = True
    wait_s: int = 0
    tries_left: int = 0


class Obstacle(StrEnum):
    """Why a supervisor's wish was not done."""

    NOT_SIGNED_IN = "not_signed_in"
    NEVER = "never"
    FORGOTTEN = "forgotten"
    TOO_LATE = "too_late"
    DONE_ALREADY = "done_already"


class Ruling(Struct, frozen=True, kw_only=True):
    """Whether a supervisor's wish was done; if not, what stands in the way and by which reason of the rule."""

    done: bool
    obstacle: Obstacle | None = None
    reason: Reason | None = None


class Undoable(Struct, frozen=True, kw_only=True):
    """An admission of this gate that can still be taken back; ``number`` is the ticket's."""

    scan: ScanId
    at: datetime
    number: str
    code_id: str
    direction: Direction


class Ending(StrEnum):
    """What became of a record afterwards; ``STANDS`` where nothing did."""

    STANDS = "stands"
    TAKEN_BACK = "taken_back"
    LET_IN_LATER = "let_in_later"
    LET_IN_BY_SUPERVISOR = "let_in_by_supervisor"


class Remedy(StrEnum):
    """What a supervisor can still do about a record."""

    OVERRIDE = "override"
    UNDO = "undo"


class Past(Struct, frozen=True, kw_only=True):
    """One record of this gate's log, and how it ended.

    ``why`` is the word of a closed list that a supervisor gave with the record itself; ``ended_at`` and ``ended_why`` are those of
    the record that ended it. ``remedy`` is what can be done about it now, by somebody who is signed in.
    """

    scan: ScanId
    gate_seq: int
    at: datetime
    reason: Reason
    code_id: str
    why: str | None = None
    ending: Ending = Ending.STANDS
    ended_at: datetime | None = None
    ended_why: str | None = None
    remedy: Remedy | None = None


class Passage(Struct, frozen=True, kw_only=True):
    """One passage of a ticket: when, at which gate if it has a name here, which way, and whether a supervisor decided."""

    at: datetime
    gate: str | None
    direction: Direction
    supervised: bool = False


class Peeked(Reticent, frozen=True, kw_only=True):
    """What is known of a ticket, nothing done: what the answer would be now, whose it is, and where it has been.

    ``number`` and the rest are None or empty where the code did not open or the ticket is not known here. ``handle_hash``
    names the ticket for ``admit_found``; ``by_number`` says that no code was seen.
    """

    verdict: Verdict
    code_id: str
    prior_gate: str | None = None
    skew_s: int | None = None
    number: str | None = None
    state: State | None = None
    locked: bool = False
    holder: Holder | None = None
    passages: tuple[Passage, ...] = ()
    handle_hash: bytes | None = None
    by_number: bool = False


class Staff(Protocol):
    """The gate as its staff use it; every method that writes may raise a TicketTokenError when the disk fails."""

    @property
    def open(self) -> bool:
        """Whether the lane is open; while it is closed, codes are not looked at."""
        ...

    def supervisors(self) -> tuple[SupervisorName, ...]:
        """Return who may sign in here."""
        ...

    def session(self) -> Session | None:
        """Return who is signed in."""
        ...

    async def sign_in(self, who: SupervisorId, pin: str) -> SignIn:
        """Check a PIN and begin a session."""
        ...

    def sign_out(self) -> None:
        """End the session."""
        ...

    async def override(self, scan: ScanId, reason: OverrideReason) -> Ruling:
        """Let somebody pass whom the rule refused; the answer comes like any other."""
        ...

    async def history(self) -> tuple[Past, ...]:
        """Return the last records of this gate, newest first; anybody may read them."""
        ...

    async def undoable(self) -> tuple[Undoable, ...]:
        """Return the admissions that can be taken back, newest first."""
        ...

    async def undo(self, scan: ScanId, reason: UndoReason) -> Ruling:
        """Take an admission back."""
        ...

    @property
    def may_search(self) -> bool:
        """Whether ``peek`` finds a ticket by its number now: by this gate's role, and by who is signed in."""
        ...

    async def peek(self, text: str) -> Peeked:
        """Look at a code, or find a ticket by its number where that is allowed, without using it."""
        ...

    async def admit_found(self, handle_hash: bytes, reason: OverrideReason) -> Ruling:
        """Let in the holder of a ticket that was found by its number."""
        ...

    async def close_lane(self) -> None:
        """Look at no codes until the lane is opened again."""
        ...

    async def open_lane(self) -> None:
        """Look at codes again."""
        ...
