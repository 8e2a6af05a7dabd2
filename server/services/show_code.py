"""Showing codes to a ticket's owner: the one of this moment, or all a phone needs to go on by itself."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from server.domain.access import User
from server.services.codes import CodeMint, CodeSubject, event_over
from server.services.context import OVERLAP, Context
from server.services.keys import EpochSecrets, epoch_at
from server.services.ports import Unit
from server.services.problems import CodeNotYet, CodeOver, TicketUnknown
from server.services.rows import EventRow, TicketRow
from shared.ids import EventId, TicketId
from shared.problems import Internal
from shared.tickets.lifecycle import State

SHOWN = frozenset({State.ACTIVE, State.TRANSFERRED, State.CHECKED_IN})
"""States in which a ticket shows codes."""
_WALLET_EPOCHS = 100
_WALLET_REACH = timedelta(days=14)
"""A phone asks again while it has a network; who has none for longer than this is rare, and each epoch costs a signature."""
_REFRESH_AHEAD = timedelta(seconds=1)
_BUSY_AHEAD = timedelta(hours=1)
_CALM = timedelta(hours=6)


class QrFormat(StrEnum):
    """What ``qrData`` is."""

    TEXT = "text"


class ShownCode(Struct, frozen=True, kw_only=True, rename="camel"):
    """The code of this slot: the text for a QR code of level M, until when it counts, and when to ask again."""

    ticket_id: TicketId
    qr_data: str
    format: QrFormat
    slot: int
    expires_at: datetime
    refresh_after: datetime

    def __repr__(self) -> str:
        """Keep the code out of logs."""
        return f"ShownCode(ticket_id={self.ticket_id})"


class WalletCapsule(Struct, frozen=True, kw_only=True, rename={"starts": "from", "ends": "to"}):
    """One epoch's capsule and its chain's context, both Base64url."""

    epoch: int
    starts: datetime
    ends: datetime
    capsule: str
    context: str


class Wallet(Struct, frozen=True, kw_only=True, rename="camel"):
    """Enough to show live codes with no network; ``seed`` is None before ``reveal_at``.

    A phone with a network asks again after ``refresh_after``: keys may have been replaced in an emergency.
    """

    ticket_id: TicketId
    event_id: EventId
    seed: str | None
    slot_seconds: int
    server_time: datetime
    reveal_at: datetime
    refresh_after: datetime
    capsules: list[WalletCapsule]

    def __repr__(self) -> str:
        """Keep the seed out of logs."""
        return f"Wallet(ticket_id={self.ticket_id})"


async def show_code(context: Context, mint: CodeMint, user: User, ticket_id: TicketId) -> ShownCode:
    """Return the code the ticket shows at this moment.

    Raises:
        TicketUnknown: none of this user's.
        CodeNotYet, CodeOver: the ticket shows no code now.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        subject = await find_subject(context, tx, user, ticket_id)
        check_showable(subject, now)
        if now < subject.event.epoch_zero:
            raise CodeNotYet(f"This ticket shows its code from {subject.event.epoch_zero.isoformat()} on.")
        (epoch,) = await _epochs(context, tx, subject.event, now, now)
    token = await mint.live_token(subject, epoch, now)
    return ShownCode(
        ticket_id=ticket_id,
        qr_data=token.text,
        format=QrFormat.TEXT,
        slot=token.slot,
        expires_at=token.ends,
        refresh_after=max(now, token.ends - _REFRESH_AHEAD),
    )


async def fill_wallet(context: Context, mint: CodeMint, user: User, ticket_id: TicketId) -> Wallet:
    """Return capsules for every epoch until the doors close or for two weeks, at most a hundred, and the seed once it may be known.

    Raises:
        TicketUnknown: none of this user's.
        CodeOver: the ticket shows no code any more.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        subject = await find_subject(context, tx, user, ticket_id)
        check_showable(subject, now)
        epochs = await find_wallet_epochs(context, tx, subject.event, now)
    return await pack_wallet(mint, subject, epochs, now, overlap=context.overlap)


async def find_wallet_epochs(context: Context, tx: Unit, event: EventRow, now: datetime) -> list[EpochSecrets]:
    """Return the epochs a wallet filled now has capsules for."""
    until = min(event_over(event) - timedelta(microseconds=1), now + _WALLET_REACH)
    return await _epochs(context, tx, event, now, until)


async def pack_wallet(
    mint: CodeMint, subject: CodeSubject, epochs: list[EpochSecrets], now: datetime, *, overlap: timedelta = OVERLAP
) -> Wallet:
    """Return the wallet of a ticket that may show its codes, without the seed before that is revealed.

    ``overlap`` is how long codes go on counting after an emergency replaced their keys.
    """
    capsules = await mint.capsules(subject, epochs)
    revealed = now >= subject.event.reveal_at
    return Wallet(
        ticket_id=subject.ticket.id,
        event_id=subject.event.id,
        seed=_b64url(subject.seed) if revealed else None,
        slot_seconds=subject.event.slot_s,
        server_time=now,
        reveal_at=subject.event.reveal_at,
        refresh_after=find_refresh(subject.event, now, overlap),
        capsules=[
            WalletCapsule(
                epoch=one.epoch,
                starts=one.starts,
                ends=one.ends,
                capsule=_b64url(one.data),
                context=_b64url(one.context),
            )
            for one in capsules
        ],
    )


def find_refresh(event: EventRow, now: datetime, overlap: timedelta) -> datetime:
    """Return when a phone that has just asked should ask again.

    Twice in each overlap from an hour before the doors open, so that no answer of an emergency comes too late; before
    that every six hours, and at the moment the seed is revealed.
    """
    busy = event.policy.window.doors - _BUSY_AHEAD
    often = now + overlap / 2
    if now >= busy:
        return often
    soon = min(now + _CALM, max(often, busy))
    return min(soon, event.reveal_at) if now < event.reveal_at else soon


async def find_own_ticket(tx: Unit, user: User, ticket_id: TicketId) -> TicketRow:
    """Return a ticket of this user.

    Raises:
        TicketUnknown: there is none, or it is somebody else's: nobody learns which.
    """
    ticket = await tx.tickets.get(ticket_id)
    if ticket is None or ticket.owner != user.user:
        raise TicketUnknown("You have no such ticket.")
    return ticket


async def find_subject(context: Context, tx: Unit, user: User, ticket_id: TicketId) -> CodeSubject:
    """Return whose codes are to be made.

    Raises:
        TicketUnknown: none of this user's.
        KeyRetired: they were made with a key that was erased.
    """
    ticket = await find_own_ticket(tx, user, ticket_id)
    event = await tx.events.get(ticket.event)
    ticket_type = await tx.stock.get(ticket.ticket_type)
    if event is None or ticket_type is None:
        raise Internal("A ticket's event or type cannot be found: the database is damaged.")
    master = (await context.vault.masters(tx)).of(ticket.master)
    return CodeSubject(master=master, event=event, ticket=ticket, ticket_type=ticket_type)


def check_showable(subject: CodeSubject, now: datetime) -> None:
    """Return if the ticket shows codes.

    Raises:
        CodeOver: it does not, or does not any more.
    """
    if subject.ticket.locked is not None:
        raise CodeOver("This ticket is locked and shows no code: ask the organiser.")
    if subject.ticket.state not in SHOWN:
        raise CodeOver(f"This ticket is {subject.ticket.state} and shows no code.")
    if now >= event_over(subject.event):
        raise CodeOver("The event is over.")


async def _epochs(context: Context, tx: Unit, event: EventRow, begin: datetime, end: datetime) -> list[EpochSecrets]:
    first = epoch_at(event, begin)
    last = min(epoch_at(event, end), first + _WALLET_EPOCHS - 1)
    return await context.vault.epochs(tx, event, first, last)


def _b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
