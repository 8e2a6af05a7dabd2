"""What decides about a ticket that is to change hands, gathered and turned into the problem a caller sees."""

from __future__ import annotations

from datetime import datetime

from server.domain.access import User
from server.domain.rules import TransferRules
from server.domain.transfer import DAY, Obstacle, Offer, Refusal, Standing, refuse_change, refuse_offer
from server.services.codes import event_over
from server.services.ports import Unit
from server.services.problems_attendee import (
    EventOver,
    TicketLocked,
    TicketNotTransferable,
    TransferCoolingDown,
    TransferDayLimitReached,
    TransferLimitReached,
    TransferNotAllowed,
    TransferPaused,
    TransferTooLate,
)
from server.services.rows import TicketRow
from shared.problems import Internal, TicketTokenError

_PROBLEMS: dict[Obstacle, type[TicketTokenError]] = {
    Obstacle.LOCKED: TicketLocked,
    Obstacle.STATE: TicketNotTransferable,
    Obstacle.OVER: EventOver,
    Obstacle.FORBIDDEN: TransferNotAllowed,
    Obstacle.LATE: TransferTooLate,
    Obstacle.PAUSE: TransferPaused,
    Obstacle.COOLDOWN: TransferCoolingDown,
    Obstacle.TICKET_LIMIT: TransferLimitReached,
    Obstacle.DAY_LIMIT: TransferDayLimitReached,
}

CHANGE_PROBLEMS: tuple[type[TicketTokenError], ...] = (
    TicketLocked,
    TicketNotTransferable,
    EventOver,
    TransferNotAllowed,
    TransferTooLate,
    TransferPaused,
)
"""Why no ticket changes hands at a moment, whoever asks."""

OFFER_PROBLEMS: tuple[type[TicketTokenError], ...] = tuple(_PROBLEMS.values())
"""Why a ticket is not offered."""


async def check_change(tx: Unit, ticket: TicketRow, now: datetime) -> None:
    """Return if the ticket may change hands now.

    Raises:
        One of CHANGE_PROBLEMS: otherwise.
    """
    _raise_if(refuse_change(await _standing(tx, ticket), now))


async def check_offer(tx: Unit, user: User, ticket: TicketRow, now: datetime) -> TransferRules:
    """Return the event's rules if this user may offer the ticket now.

    Raises:
        One of OFFER_PROBLEMS: otherwise.
    """
    await tx.transfers.lock_sender(user.user)
    past = await tx.transfers.hand_overs(ticket.id)
    standing = await _standing(tx, ticket)
    offer = Offer(
        standing=standing,
        handed_over=past.times,
        last_handed_over=past.last,
        sent_today=await tx.transfers.count_sent(user.user, now - DAY),
    )
    _raise_if(refuse_offer(offer, now))
    return standing.rules


async def _standing(tx: Unit, ticket: TicketRow) -> Standing:
    event = await tx.events.get(ticket.event)
    if event is None:
        raise Internal("A ticket's event cannot be found: the database is damaged.")
    return Standing(
        state=ticket.state,
        locked=ticket.locked is not None,
        starts=event.policy.window.starts,
        over=event_over(event),
        rules=event.transfer_rules,
    )


def _raise_if(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise _PROBLEMS[refusal.obstacle](refusal.text)
