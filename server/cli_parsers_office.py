"""The parsers of `tickettoken tenants`, `events` and `tickets`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cli_arguments import answering, command, group, parse_count, parse_id
from server.cli_parsers_people import add_export
from shared.tickets.lifecycle import RevocationReason

if TYPE_CHECKING:
    from server.cli_arguments import Commands

_ALONE = "\nWith --embedded, stop `serve --embedded` first: a data directory has one user.\n"

_TENANTS = (
    """examples:
  tickettoken tenants list                             all organisers
  tickettoken tenants add "Harbour Nights"             make one; its id goes into tokens
  tickettoken tenants add "Harbour Nights" --id ID     with an id you have already
"""
    + _ALONE
)
_EVENTS = (
    """examples:
  tickettoken events list                              all events, the newest first
  tickettoken events list --tenant ID --json           one organiser's, for a script
  tickettoken events show ID                           times, stock and ticket types
  tickettoken events open ID                           put a draft on sale
  tickettoken events close ID                          over: tickets become used or expired
  tickettoken events close ID --force --reason "power cut"
  tickettoken events cancel ID --reason "storm"        every ticket is cancelled

Closing and cancelling can be interrupted and run again: they go on where they stopped.
"""
    + _ALONE
)
_TICKETS = (
    """examples:
  tickettoken tickets show ID                          with everything that happened to it
  tickettoken tickets revoke ID --reason chargeback    gates refuse it from now on
  tickettoken tickets reissue ID --reason "lost phone" every code made before is dead
  tickettoken tickets reissue ID --reason "sold on" --holder-name "Ada L."
"""
    + _ALONE
)


def add_office(commands: Commands) -> None:
    """Add the commands of whoever runs events."""
    _add_tenants(group(commands, "tenants", "organisers: add, list, export", _TENANTS))
    _add_events(group(commands, "events", "events: see, open, close, cancel", _EVENTS))
    _add_tickets(group(commands, "tickets", "single tickets: see, take back, make anew", _TICKETS))


def _add_tenants(actions: Commands) -> None:
    add = answering(command(actions, "add", "make an organiser known", _TENANTS, "server.cli_tenants:add"))
    add.add_argument("name", metavar="NAME", help="what it is called")
    add.add_argument("--id", type=parse_id, metavar="ID", help="its id (default: a new one)")
    answering(command(actions, "list", "show all organisers", _TENANTS, "server.cli_tenants:listing"))
    add_export(actions)


def _add_events(actions: Commands) -> None:
    listing = answering(
        command(actions, "list", "show events, drafts among them", _EVENTS, "server.cli_events:listing")
    )
    listing.add_argument("--tenant", type=parse_id, metavar="ID", help="only this organiser's")
    listing.add_argument("--limit", type=parse_count, default=100, metavar="N", help="at most so many (100)")
    for name, summary, function in (
        ("show", "show one event with its stock", "show"),
        ("open", "put a draft on sale", "open_sale"),
        ("close", "end an event that is over", "close"),
        ("cancel", "call an event off", "cancel"),
    ):
        one = answering(command(actions, name, summary, _EVENTS, f"server.cli_events:{function}"))
        one.add_argument("event", type=parse_id, metavar="EVENT", help="the event's id")
        if name == "close":
            one.add_argument("--force", action="store_true", help="before its end as well; needs --reason")
        if name in {"close", "cancel"}:
            one.add_argument("--reason", metavar="TEXT", required=name == "cancel", help="why, for the record")


def _add_tickets(actions: Commands) -> None:
    for name, summary, function in (
        ("show", "show one ticket with its history", "show"),
        ("revoke", "take a ticket back for good", "take_back"),
        ("reissue", "make every code of a ticket so far worthless", "make_anew"),
    ):
        one = answering(command(actions, name, summary, _TICKETS, f"server.cli_tickets:{function}"))
        one.add_argument("ticket", type=parse_id, metavar="TICKET", help="the ticket's id")
        if name == "revoke":
            reasons = [str(reason) for reason in RevocationReason]
            one.add_argument("--reason", choices=reasons, required=True, help="why")
        if name == "reissue":
            one.add_argument("--reason", metavar="TEXT", required=True, help="why, for the record")
            one.add_argument("--holder-name", metavar="NAME", help="whom it is for from now on")
