"""Codes on paper: for ticket types that allow them at events that take them, made once and good until the doors close.

They prove nothing about time: whoever copies the sheet first is in first. So they exist only where the organiser chose so,
in the ticket type and in the event's policy, and may ask for an identity check on top.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from server.domain.access import User
from server.services.codes import CodeSubject, event_over, write_static
from server.services.context import Context
from server.services.epochs import PAPER_EPOCH
from server.services.problems import StaticCodeNotAllowed
from server.services.show_code import QrFormat, check_showable, find_subject
from shared.codes.capsule import CodePolicy
from shared.ids import TicketId
from shared.secrecy import Reticent


class CodeProfile(StrEnum):
    """Which kind of code is asked for."""

    LIVE = "live"
    STATIC = "static"


class PaperCode(Struct, frozen=True, kw_only=True, rename="camel"):
    """A code for paper: the text for a QR code of level M, and when it counts."""

    ticket_id: TicketId
    qr_data: str
    format: QrFormat = QrFormat.TEXT
    profile: CodeProfile = CodeProfile.STATIC
    valid_from: datetime
    expires_at: datetime

    def __repr__(self) -> str:
        """Keep the code out of logs."""
        return f"PaperCode(ticket_id={self.ticket_id})"


class Sheet(Reticent, frozen=True, kw_only=True):
    """What stands on a printed ticket; names are as people typed them."""

    code: PaperCode
    event_name: str
    type_name: str
    holder_name: str
    seat: str
    starts: datetime
    id_check: bool
    single_entry: bool
    number: str = ""

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep the holder's name out of logs."""
        return [("ticket", self.code.ticket_id)]


async def show_paper_code(context: Context, user: User, ticket_id: TicketId) -> PaperCode:
    """Return the code for paper of one of the caller's tickets; the same again until keys are replaced.

    Raises:
        TicketUnknown: none of this user's.
        StaticCodeNotAllowed: the ticket's type or its event takes none.
        CodeOver: the ticket shows no code now.
    """
    return (await fill_sheet(context, user, ticket_id)).code


async def fill_sheet(context: Context, user: User, ticket_id: TicketId) -> Sheet:
    """Return what to print for one of the caller's tickets.

    Raises:
        TicketUnknown, StaticCodeNotAllowed, CodeOver: see ``show_paper_code``.
    """
    now = context.clock.now()
    async with context.db.tenant(user.tenant) as tx:
        subject = await find_subject(context, tx, user, ticket_id)
        _check_allowed(subject)
        check_showable(subject, now)
        (epoch,) = await context.vault.epochs(tx, subject.event, PAPER_EPOCH, PAPER_EPOCH)
    return _describe(subject, write_static(subject, epoch))


def _check_allowed(subject: CodeSubject) -> None:
    by_type = bool(CodePolicy(subject.ticket_type.code_policy) & CodePolicy.STATIC_ALLOWED)
    if not (by_type and subject.event.policy.static_codes):
        raise StaticCodeNotAllowed("This ticket has no code for paper: show it on a phone, where the code turns over.")


def _describe(subject: CodeSubject, text: str) -> Sheet:
    event, ticket, ticket_type = subject.event, subject.ticket, subject.ticket_type
    doors, over = event.policy.window.doors, event_over(event)
    code = PaperCode(
        ticket_id=ticket.id,
        qr_data=text,
        valid_from=max(doors, ticket.valid_from or doors),
        expires_at=min(over, ticket.valid_until or over),
    )
    return Sheet(
        code=code,
        event_name=event.name,
        type_name=ticket_type.name,
        holder_name=ticket.holder_name,
        seat=ticket.seat,
        starts=event.policy.window.starts,
        id_check=event.policy.id_check or bool(CodePolicy(ticket_type.code_policy) & CodePolicy.ID_CHECK),
        single_entry=not event.policy.exits,
        number=subject.number,
    )
