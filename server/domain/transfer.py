"""May this ticket be handed over now, and in how far is an address shown to whom."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from shared.tickets.lifecycle import ADMISSIBLE, State

OFFER_LIFE = timedelta(hours=48)
MAX_PER_TICKET = 5
MAX_PER_USER_AND_DAY = 10
DAY = timedelta(days=1)


class Offer(Struct, frozen=True, kw_only=True):
    """What decides about an offer: the ticket as it is, its past, and when the event is over."""

    state: State
    locked: bool
    handed_over: int
    sent_today: int
    event_over: datetime


def refuse_offer(offer: Offer, now: datetime) -> str | None:
    """Return why the ticket cannot be offered, as a sentence; None if it can."""
    if offer.locked:
        return "This ticket is locked: ask the organiser."
    if offer.state not in ADMISSIBLE:
        return f"A ticket that is {offer.state} cannot be handed over."
    if now >= offer.event_over:
        return "The event is over."
    if offer.handed_over >= MAX_PER_TICKET:
        return f"This ticket was handed over {MAX_PER_TICKET} times, which is the limit."
    if offer.sent_today >= MAX_PER_USER_AND_DAY:
        return f"You made {MAX_PER_USER_AND_DAY} offers within a day, which is the limit: try again tomorrow."
    return None


def normalise_email(address: str) -> str:
    """Return an address in the form in which two are compared."""
    return address.strip().lower()


def mask_email(address: str) -> str:
    """Return an address as its sender sees it again: first letter and domain."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}•••@{domain}"
