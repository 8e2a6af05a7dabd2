"""The ticket page: links for a ticket's owner, and what somebody with such a link may see."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from server.domain.access import User
from server.domain.ticket_link import LinkInvalid, TicketLink, UnprovenLink, check_link, read_link, write_link
from server.services.codes import CodeMint, CodeSubject, event_over
from server.services.context import Context
from server.services.keys import MasterSecrets
from server.services.ports import Unit
from server.services.rows import EventState
from server.services.show_code import SHOWN, Wallet, find_own_ticket, find_wallet_epochs, pack_wallet
from shared.ids import TicketId
from shared.problems import Internal
from shared.tickets.lifecycle import State

_OUTLIVES_EVENT = timedelta(days=30)
"""So that whoever opens an old link reads that the event is over, not that the link is broken."""


class Standing(StrEnum):
    """How things stand with what a link was made for; only a ready ticket has codes."""

    READY = "ready"
    REPLACED = "replaced"
    LOCKED = "locked"
    VOID = "void"
    OVER = "over"
    CANCELLED = "cancelled"


class MadeLink(Struct, frozen=True, kw_only=True, rename="camel"):
    """A link as its owner gets it; ``path`` goes behind the server's address."""

    path: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Keep the link out of logs."""
        return f"MadeLink(expires_at={self.expires_at})"


class TicketShown(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket as its page shows it; ``number`` is what to tell the people at a gate when the code cannot be read."""

    ticket_id: TicketId
    number: str
    status: State
    event_name: str
    ticket_type_name: str
    holder_name: str
    seat: str
    doors_at: datetime
    starts_at: datetime
    ends_at: datetime

    def __repr__(self) -> str:
        """Keep the holder's name out of logs."""
        return f"TicketShown(ticket_id={self.ticket_id}, status={self.status})"


class TicketPage(Struct, frozen=True, kw_only=True, rename="camel"):
    """The page's content: ``ticket`` is None for a replaced link's stranger, ``wallet`` unless the ticket is ready."""

    standing: Standing
    server_time: datetime
    ticket: TicketShown | None = None
    wallet: Wallet | None = None


async def make_ticket_link(context: Context, user: User, ticket_id: TicketId) -> MadeLink:
    """Return a link to the page of one of the caller's tickets; it lives until the ticket changes hands.

    Raises:
        TicketUnknown: none of theirs.
    """
    async with context.db.tenant(user.tenant) as tx:
        ticket = await find_own_ticket(tx, user, ticket_id)
        event = await tx.events.get(ticket.event)
        if event is None:
            raise Internal("A ticket's event cannot be found: the database is damaged.")
        link = TicketLink(
            tenant=user.tenant,
            ticket=ticket.id,
            generation=ticket.generation,
            expires=(event_over(event) + _OUTLIVES_EVENT).replace(microsecond=0),
        )
        text = write_link((await context.vault.masters(tx)).of(ticket.master), link)
    return MadeLink(path=f"/t/{text}", expires_at=link.expires)


class SignedTicketPages:
    """Opens links this server signed."""

    def __init__(self, context: Context, mint: CodeMint) -> None:
        self._context = context
        self._mint = mint

    async def open(self, link: str) -> TicketPage:
        """Return what the holder of a link may see.

        Raises:
            LinkInvalid: it is no link of ours, or out of date.
        """
        unproven = read_link(link)
        now = self._context.clock.now()
        # One transaction, or a ticket changing hands meanwhile could give the next owner's codes to this one's link.
        async with self._context.db.tenant(unproven.link.tenant) as tx:
            subject = await self._find_subject(tx, unproven, now)
            if subject.ticket.generation != unproven.link.generation:
                return TicketPage(standing=Standing.REPLACED, server_time=now)
            shown, standing = _describe(subject), _judge(subject, now)
            if standing is not Standing.READY:
                return TicketPage(standing=standing, server_time=now, ticket=shown)
            epochs = await find_wallet_epochs(self._context, tx, subject.event, now)
        wallet = await pack_wallet(self._mint, subject, epochs, now, overlap=self._context.overlap)
        return TicketPage(standing=standing, server_time=now, ticket=shown, wallet=wallet)

    async def _find_subject(self, tx: Unit, unproven: UnprovenLink, now: datetime) -> CodeSubject:
        # A tenant somebody made up must not be given a master secret.
        masters = await self._context.vault.known_masters(tx)
        if masters is None:
            raise LinkInvalid("This is no ticket's link.")
        ticket = await tx.tickets.get(_check(masters, unproven, now).ticket)
        if ticket is None:
            raise LinkInvalid("There is no such ticket any more.")
        event = await tx.events.get(ticket.event)
        ticket_type = await tx.stock.get(ticket.ticket_type)
        if event is None or ticket_type is None:
            raise Internal("A ticket's event or type cannot be found: the database is damaged.")
        return CodeSubject(master=masters.of(ticket.master), event=event, ticket=ticket, ticket_type=ticket_type)


def _check(masters: MasterSecrets, unproven: UnprovenLink, now: datetime) -> TicketLink:
    """Return what a link says; it may be of a generation that an earlier master made."""
    *earlier, newest = sorted(masters.secrets)
    for number in earlier:
        try:
            return check_link(masters.of(number), unproven, now)
        except LinkInvalid:
            continue
    return check_link(masters.of(newest), unproven, now)


def _judge(subject: CodeSubject, now: datetime) -> Standing:
    if subject.event.state is EventState.CANCELLED:
        return Standing.CANCELLED
    if now >= event_over(subject.event):
        return Standing.OVER
    if subject.ticket.state not in SHOWN:
        return Standing.VOID
    return Standing.READY if subject.ticket.locked is None else Standing.LOCKED


def _describe(subject: CodeSubject) -> TicketShown:
    window = subject.event.policy.window
    return TicketShown(
        ticket_id=subject.ticket.id,
        number=subject.number,
        status=subject.ticket.state,
        event_name=subject.event.name,
        ticket_type_name=subject.ticket_type.name,
        holder_name=subject.ticket.holder_name,
        seat=subject.ticket.seat,
        doors_at=window.doors,
        starts_at=window.starts,
        ends_at=window.ends,
    )
