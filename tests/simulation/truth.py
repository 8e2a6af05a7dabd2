"""What really happened, as nobody inside the system can know it: who stood where, and what was done to which ticket."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shared.admission.verdict import Direction, Reason
from shared.ids import ScanId


class Deed(StrEnum):
    """What was done to a ticket."""

    TRANSFER = "transfer"
    REISSUE = "reissue"
    REVOKE = "revoke"
    LOCK = "lock"
    UNLOCK = "unlock"


class Visit(Struct, frozen=True, kw_only=True):
    """Who stands at a gate: with which ticket, as which of its generations."""

    ticket: int
    generation: int


class Answered(Struct, frozen=True, kw_only=True):
    """One record that a gate wrote down: the true time, and who really stood there with which ticket.

    ``override`` says that a supervisor decided, ``proven`` that a code was seen, and ``undoes`` which admission it takes back.
    """

    scan: ScanId
    gate: int
    gate_seq: int
    ticket: int
    generation: int
    at_ms: int
    direction: Direction
    admitted: bool
    reason: Reason
    override: bool = False
    proven: bool = True
    undoes: ScanId | None = None

    @property
    def counts(self) -> bool:
        """Whether every gate is told."""
        return self.proven and (self.admitted or self.undoes is not None)


class Change(Struct, frozen=True, kw_only=True):
    """Something that was done to a ticket and is durable; ``generation`` is the one after it."""

    ticket: int
    deed: Deed
    at_ms: int
    generation: int


class Truth:
    """The diary of an evening."""

    def __init__(self) -> None:
        self.scans: list[Answered] = []
        self.changes: list[Change] = []
        self.counts: dict[str, int] = {}

    def tally(self, what: str) -> None:
        """Count that something happened."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def generation(self, ticket: int) -> int:
        """Return a ticket's present generation."""
        return max((one.generation for one in self.changes if one.ticket == ticket), default=0)

    def is_revoked(self, ticket: int) -> bool:
        """Say whether a ticket was taken back."""
        return any(one.ticket == ticket and one.deed is Deed.REVOKE for one in self.changes)

    def is_locked(self, ticket: int) -> bool:
        """Say whether a ticket is locked."""
        turns = [one.deed for one in self.changes if one.ticket == ticket and one.deed in {Deed.LOCK, Deed.UNLOCK}]
        return bool(turns) and turns[-1] is Deed.LOCK

    def write(self, one: Answered) -> None:
        """Write down what a gate recorded; an answer that is given once more is no other record."""
        if all(known.scan != one.scan for known in self.scans):
            self.scans.append(one)

    def standing(self) -> list[Answered]:
        """Return all admissions that nobody took back, in their true order."""
        undone = {one.undoes for one in self.scans}
        return [one for one in self.scans if one.admitted and one.scan not in undone]

    def admitted(self, ticket: int) -> list[Answered]:
        """Return the admissions of a ticket that stand, in their true order."""
        return [one for one in self.standing() if one.ticket == ticket]
