"""May this ticket be handed over now, and in how far is an address shown to whom."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from server.domain.rules import TransferRules
from shared.tickets.lifecycle import ADMISSIBLE, State

DAY = timedelta(days=1)


class Obstacle(StrEnum):
    """What kind of reason keeps a ticket where it is."""

    LOCKED = "locked"
    STATE = "state"
    OVER = "over"
    FORBIDDEN = "forbidden"
    LATE = "late"
    PAUSE = "pause"
    COOLDOWN = "cooldown"
    TICKET_LIMIT = "ticket_limit"
    DAY_LIMIT = "day_limit"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a ticket cannot change hands: an obstacle for the program, a sentence for a person."""

    obstacle: Obstacle
    text: str


class Standing(Struct, frozen=True, kw_only=True):
    """What decides at any moment whether a ticket may change hands: itself, its event's times and the organiser's rules."""

    state: State
    locked: bool
    starts: datetime
    over: datetime
    rules: TransferRules


class Offer(Struct, frozen=True, kw_only=True):
    """What decides about a new offer besides: how often and when the ticket changed hands, and the sender's day."""

    standing: Standing
    handed_over: int
    last_handed_over: datetime | None
    sent_today: int


def refuse_change(standing: Standing, now: datetime) -> Refusal | None:
    """Return why the ticket cannot change hands at this moment; None if it can."""
    if standing.locked:
        return _refuse(Obstacle.LOCKED, "This ticket is locked: ask the organiser.")
    if standing.state not in ADMISSIBLE:
        return _refuse(Obstacle.STATE, f"A ticket that is {standing.state} cannot be handed over.")
    if now >= standing.over:
        return _refuse(Obstacle.OVER, "The event is over.")
    return _refuse_by_rules(standing, now)


def _refuse_by_rules(standing: Standing, now: datetime) -> Refusal | None:
    rules = standing.rules
    if not rules.allowed:
        return _refuse(Obstacle.FORBIDDEN, "The organiser does not let tickets of this event change hands.")
    last = standing.starts - timedelta(seconds=rules.deadline_s)
    if now >= last:
        return _refuse(Obstacle.LATE, f"Tickets of this event could be handed over until {last.isoformat()}.")
    if _is_paused(rules, now):
        until = f"until {rules.blackout_until.isoformat()}" if rules.blackout_until else "any more"
        return _refuse(Obstacle.PAUSE, f"The organiser lets no ticket change hands {until}.")
    return None


def refuse_offer(offer: Offer, now: datetime) -> Refusal | None:
    """Return why the ticket cannot be offered; None if it can."""
    rules = offer.standing.rules
    refusal = refuse_change(offer.standing, now)
    if refusal is not None:
        return refusal
    if offer.handed_over >= rules.per_ticket:
        return _refuse(
            Obstacle.TICKET_LIMIT, f"This ticket was handed over {offer.handed_over} times, which is the limit."
        )
    if offer.last_handed_over is not None:
        rested = offer.last_handed_over + timedelta(seconds=rules.cooldown_s)
        if now < rested:
            return _refuse(
                Obstacle.COOLDOWN, f"This ticket has just changed hands: it can again at {rested.isoformat()}."
            )
    if offer.sent_today >= rules.per_user_day:
        text = f"You made {offer.sent_today} offers within a day, which is the limit: try again tomorrow."
        return _refuse(Obstacle.DAY_LIMIT, text)
    return None


def normalise_email(address: str) -> str:
    """Return an address in the form in which two are compared."""
    return address.strip().lower()


def mask_email(address: str) -> str:
    """Return an address as its sender sees it again: first letter and domain."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"


def _is_paused(rules: TransferRules, now: datetime) -> bool:
    """An end without a beginning, or a beginning without an end, leaves that side open."""
    if rules.blackout_from is None and rules.blackout_until is None:
        return False
    begun = rules.blackout_from is None or now >= rules.blackout_from
    ended = rules.blackout_until is not None and now >= rules.blackout_until
    return begun and not ended


def _refuse(obstacle: Obstacle, text: str) -> Refusal:
    return Refusal(obstacle=obstacle, text=text)
