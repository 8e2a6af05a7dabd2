"""May this order be placed: sale window, what is left, and how much one person may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from shared.ids import TicketTypeId


class Shelf(Struct, frozen=True, kw_only=True):
    """What an order needs to know of one ticket type."""

    name: str
    available: int
    max_per_order: int
    currency: str


class Wish(Struct, frozen=True, kw_only=True):
    """So many of one ticket type."""

    ticket_type: TicketTypeId
    quantity: int


class Cause(StrEnum):
    """What kind of obstacle stands in an order's way."""

    UNKNOWN = "unknown"
    WINDOW = "window"
    LIMIT = "limit"
    SHORT = "short"
    MIXED = "mixed"


class Refusal(Struct, frozen=True, kw_only=True):
    """Why an order cannot be placed: a cause for the program, a sentence for a person."""

    cause: Cause
    text: str


def check_window(starts: datetime, ends: datetime, now: datetime) -> Refusal | None:
    """Return why nothing is sold at this moment; None if it is."""
    if now < starts:
        return Refusal(cause=Cause.WINDOW, text=f"The sale starts at {starts.isoformat()}.")
    if now >= ends:
        return Refusal(cause=Cause.WINDOW, text=f"The sale ended at {ends.isoformat()}.")
    return None


def check_wishes(
    wishes: Sequence[Wish], shelves: Mapping[TicketTypeId, Shelf], *, bought: int, max_per_user: int
) -> Refusal | None:
    """Return why an order cannot be filled as a whole; None if it can. All lines or none."""
    for wish in wishes:
        shelf = shelves.get(wish.ticket_type)
        if shelf is None:
            return Refusal(cause=Cause.UNKNOWN, text="The event does not sell one of the ticket types asked for.")
        if wish.quantity > shelf.max_per_order:
            return Refusal(
                cause=Cause.LIMIT, text=f"At most {shelf.max_per_order} of '{shelf.name}' go into one order."
            )
        if wish.quantity > shelf.available:
            return Refusal(cause=Cause.SHORT, text=f"Of '{shelf.name}' only {shelf.available} are left.")
    if len({shelves[wish.ticket_type].currency for wish in wishes}) > 1:
        return Refusal(cause=Cause.MIXED, text="One order has one currency: order these ticket types separately.")
    if bought + sum(wish.quantity for wish in wishes) > max_per_user:
        left = max(0, max_per_user - bought)
        return Refusal(
            cause=Cause.LIMIT, text=f"One person may have {max_per_user} tickets of this event; {left} are left."
        )
    return None
