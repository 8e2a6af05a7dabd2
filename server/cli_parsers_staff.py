"""The parsers of `tickettoken staff` and `audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_count, parse_id
from shared.arguments import CommandParser

if TYPE_CHECKING:
    from server.cli_arguments import Commands

# Written out: the parser must not load what it takes to know them. A test compares.
ROLES = ("admin", "box_office", "door_staff", "venue_manager")

_EPILOG = """examples:
  tickettoken staff add sam --name "Sam Okafor" --role venue_manager   makes a password and prints it once
  tickettoken staff add kim --name Kim --role admin --password-stdin < password.txt
  tickettoken staff passwd sam                                         another password; ends all of Sam's sessions
  tickettoken staff list
  tickettoken staff disable sam
  tickettoken staff enable sam                                         with another password, printed once

They sign in at /ops. The name to sign in with belongs to one person in the whole installation, whatever the tenant.

With --embedded, stop `serve --embedded` first: a data directory has one user.
"""


_AUDIT = """examples:
  tickettoken audit list                               what was done, the newest first
  tickettoken audit list --event ID --limit 20
  tickettoken audit list --tenant ID --json            for a script

What people do on the operations page, over the API and with these commands is noted before it is done, and completed after.

With --embedded, stop `serve --embedded` first: a data directory has one user.
"""


def add_audit(commands: Commands) -> None:
    group = command(commands, "audit", "see what was done, and by whom", _AUDIT, "")
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = command(actions, "list", "show what was done at an organiser", _AUDIT, "server.cli_audit:listing")
    add_embedded(listing)
    listing.add_argument("--tenant", type=parse_id, metavar="ID", help="whose; needed where there are several")
    listing.add_argument("--event", type=parse_id, metavar="ID", help="only what is about this event")
    listing.add_argument("--limit", type=parse_count, default=100, metavar="N", help="at most so many (100)")
    listing.add_argument("--json", action="store_true", help="print the answer as JSON")


def add_staff(commands: Commands) -> None:
    group = command(commands, "staff", "look after who signs in to the operations page", _EPILOG, "")
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = _action(actions, "add", "let somebody sign in and print the password once", "add")
    add.add_argument("login", metavar="LOGIN", help="the name to sign in with")
    add.add_argument(
        "--name", required=True, metavar="NAME", help="the person's name, as pages and the audit log show it"
    )
    add.add_argument("--role", required=True, choices=ROLES, help="what the person may do")
    _add_password(add)
    passwd = _action(actions, "passwd", "give somebody another password", "passwd")
    passwd.add_argument("login", metavar="LOGIN", help="the name to sign in with")
    _add_password(passwd)
    _action(actions, "list", "list who may sign in", "listing")
    disable = _action(actions, "disable", "let somebody sign in no more, and end the sessions", "disable")
    disable.add_argument("login", metavar="LOGIN", help="the name to sign in with")
    enable = _action(actions, "enable", "let somebody sign in again, with another password", "enable")
    enable.add_argument("login", metavar="LOGIN", help="the name to sign in with")
    _add_password(enable)


def _add_password(parser: CommandParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="take the first line of standard input instead of making one"
    )


def _action(actions: Commands, name: str, summary: str, function: str) -> CommandParser:
    parser = command(actions, name, summary, _EPILOG, f"server.cli_staff:{function}")
    add_embedded(parser)
    parser.add_argument("--tenant", type=parse_id, metavar="ID", help="whose; needed where there are several")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser
