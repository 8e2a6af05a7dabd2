"""How a gate is doing, from what it last said of itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

SILENT_AFTER = timedelta(seconds=35)
"""Three heartbeats and a little."""
MANY_WAITING = 50
"""Records a linked gate has not handed over: more means that it does not get on."""
CLOCK_OFF = timedelta(seconds=10)
FAR_BEHIND = 100
"""Changes of tickets a linked gate has not heard of."""


class Condition(StrEnum):
    """What a person has to know of a gate at a glance, the worst first."""

    SILENT = "silent"
    """It was here and says nothing any more."""
    NEVER = "never"
    """It was enrolled and has not come yet."""
    TROUBLED = "troubled"
    """It is here, and something about it needs a look."""
    FINE = "fine"
    REVOKED = "revoked"
    """It was taken out of service."""


class Trouble(StrEnum):
    """Why a gate that is here needs a look."""

    BACKLOG = "backlog"
    CLOCK = "clock"
    BEHIND = "behind"
    KEYS = "keys"
    HELD = "held"


def find_troubles(*, backlog: int, clock_off_ms: int, behind: int, keys_behind: bool, held: bool) -> list[Trouble]:
    """Return what is wrong with a gate that is here."""
    found = {
        Trouble.BACKLOG: backlog >= MANY_WAITING,
        Trouble.CLOCK: abs(clock_off_ms) >= CLOCK_OFF // timedelta(milliseconds=1),
        Trouble.BEHIND: behind >= FAR_BEHIND,
        Trouble.KEYS: keys_behind,
        Trouble.HELD: held,
    }
    return [trouble for trouble, there in found.items() if there]


def tell_condition(
    now: datetime, *, seen_at: datetime | None, revoked_at: datetime | None, troubles: list[Trouble]
) -> Condition:
    """Return how a gate is doing."""
    if revoked_at is not None:
        return Condition.REVOKED
    if seen_at is None:
        return Condition.NEVER
    if now - seen_at > SILENT_AFTER:
        return Condition.SILENT
    return Condition.TROUBLED if troubles else Condition.FINE
