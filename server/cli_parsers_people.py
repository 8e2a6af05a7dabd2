"""The parsers of what is done for people's rights: forgetting somebody, and taking everything of one organiser along."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_id

if TYPE_CHECKING:
    from server.cli_arguments import Commands

_PEOPLE = (
    "examples:\n  tickettoken people forget --tenant ID --user ID\n"
    "  tickettoken people forget --tenant ID --email ada@example.org --json\n\n"
    "Names on tickets, addresses and words of transfers and rows of files are erased. Scans, states and orders stay: they hold\n"
    "ids alone. Backups are not touched.\n"
)
_EXPORT = (
    "examples:\n  tickettoken tenants export --tenant ID ./harbour-nights\n\n"
    "One file a table, one line of JSON a row, all of one moment, and a manifest with every file's SHA-256. Keys, PINs and what\n"
    "passwords are checked against are left out. What is in it is personal: the files are closed to other users.\n"
)


def add_people(commands: Commands) -> None:
    """Add `people`."""
    parser = commands.add_parser("people", help="people's data: forget somebody", description="People's data.")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    forget = command(
        actions, "forget", "erase what one organiser knows of somebody", _PEOPLE, "server.cli_people:forget"
    )
    forget.add_argument("--tenant", type=parse_id, required=True, metavar="ID", help="whose organiser's")
    forget.add_argument("--user", type=parse_id, metavar="ID", help="the account's id")
    forget.add_argument("--email", metavar="ADDRESS", help="the address offers were sent to")
    add_embedded(forget)
    forget.add_argument("--json", action="store_true", help="print the answer as JSON")


def add_export(actions: Commands) -> None:
    """Add `tenants export`."""
    export = command(actions, "export", "write everything of one organiser", _EXPORT, "server.cli_people:export")
    export.add_argument("directory", type=Path, metavar="DIR", help="where to write it; new or empty")
    export.add_argument("--tenant", type=parse_id, required=True, metavar="ID", help="whose")
    add_embedded(export)
    export.add_argument("--json", action="store_true", help="print the answer as JSON")
