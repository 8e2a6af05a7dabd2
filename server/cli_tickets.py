"""`tickettoken tickets`: one ticket, seen, taken back, or made anew."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from server.cli_office import OPERATOR, SOURCE, Office, plain, run
from server.services.ticket_care import Caretaker, ReissueRequest, reissue, revoke
from server.services.ticket_desk import OrganiserTicket, read_ticket
from shared.ids import TicketId
from shared.tickets.lifecycle import RevocationReason


def show(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show one ticket with its history."""
    return run(arguments, environ, _show)


def take_back(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take a ticket back for good."""
    return run(arguments, environ, _revoke)


def make_anew(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Make every code of a ticket so far worthless."""
    return run(arguments, environ, _reissue)


async def _show(arguments: argparse.Namespace, office: Office) -> None:
    ticket = TicketId(arguments.ticket)
    found = await read_ticket(office.context, await office.owner_of_ticket(ticket), ticket)
    office.tell(found, *describe_ticket(found))


async def _revoke(arguments: argparse.Namespace, office: Office) -> None:
    by = await _caretaker(arguments, office)
    after = await revoke(office.context, by, TicketId(arguments.ticket), RevocationReason(arguments.reason))
    office.tell(after, f"revoked: {arguments.reason}; gates are being told")


async def _reissue(arguments: argparse.Namespace, office: Office) -> None:
    by = await _caretaker(arguments, office)
    request = ReissueRequest(reason=arguments.reason, holder_name=arguments.holder_name)
    after = await reissue(office.context, by, TicketId(arguments.ticket), request)
    office.tell(after, f"made anew: generation {after.generation} counts, every code made before is refused")


async def _caretaker(arguments: argparse.Namespace, office: Office) -> Caretaker:
    tenant = await office.owner_of_ticket(TicketId(arguments.ticket))
    return Caretaker(tenant=tenant, actor=OPERATOR, source=SOURCE)


def describe_ticket(ticket: OrganiserTicket) -> list[str]:
    """Return a ticket with its history, for people."""
    lines = [
        f"{ticket.id}  {plain(ticket.ticket_type_name)}" + (f", {plain(ticket.seat)}" if ticket.seat else ""),
        f"  event     {ticket.event_id}",
        f"  state     {ticket.status}" + (f", LOCKED ({ticket.locked})" if ticket.locked else ""),
        f"  code      generation {ticket.generation}, version {ticket.version}",
        f"  holder    {plain(ticket.holder_name) or '-'} (owner {ticket.owner_id or '-'})",
    ]
    if ticket.external_id is not None:
        lines.append(f"  imported  as {plain(ticket.external_id)}")
    for step in ticket.history:
        reason = f" ({plain(step.reason)})" if step.reason else ""
        came = f"{step.from_status or '-'} -> {step.to_status}"
        lines.append(f"  {step.at:%Y-%m-%d %H:%M:%S}  {came}{reason}  {step.actor_kind} by {plain(step.source)}")
    return lines
