"""May this ticket be given back now."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from server.domain.rules import RefundRules
from shared.tickets.lifecycle import State

REFUNDABLE = frozenset({State.SOLD, State.MINTED, State.ACTIVE, State.TRANSFERRED})
"""States in which nobody has used a ticket and nobody has taken it away."""


class Obstacle(StrEnum):
    """What kind of reason keeps a ticket from being taken back."""

    LOCKED = "locked"
    STATE = "state"
    USED = "used"
    FORBIDDEN = "forbidden"
    LATE = "late"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a ticket is not taken back: an obstacle for the program, a sentence for a person."""

    obstacle: Obstacle
    text: str


class Return(Struct, frozen=True, kw_only=True):
    """What decides: the ticket, whether anybody ever went in with it, when the event starts, and the organiser's rules."""

    state: State
    locked: bool
    entered: bool
    starts: datetime
    rules: RefundRules


def refuse_return(wish: Return, now: datetime) -> Refusal | None:
    """Return why the ticket is not taken back; None if it is."""
    if wish.locked:
        return Refusal(obstacle=Obstacle.LOCKED, text="This ticket is locked: ask the organiser.")
    if wish.entered:
        return Refusal(obstacle=Obstacle.USED, text="This ticket was used: it is not taken back.")
    if wish.state not in REFUNDABLE:
        return Refusal(obstacle=Obstacle.STATE, text=f"A ticket that is {wish.state} is not taken back.")
    if not wish.rules.allowed:
        return Refusal(obstacle=Obstacle.FORBIDDEN, text="The organiser does not take tickets of this event back.")
    last = wish.starts - timedelta(seconds=wish.rules.deadline_s)
    if now >= last:
        return Refusal(obstacle=Obstacle.LATE, text=f"Tickets of this event were taken back until {last.isoformat()}.")
    return None
