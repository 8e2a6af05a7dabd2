"""The parsers of `tickettoken gates` and `conflicts`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_count, parse_id
from shared.arguments import CommandParser

if TYPE_CHECKING:
    from server.cli_arguments import Commands

_ALONE = "\nWith --embedded, stop `serve --embedded` first: a data directory has one user.\n"
_RESOLUTIONS = ("benign", "refund", "ejected", "fraud", "staff_error")

_GATES = (
    """examples:
  tickettoken gates list EVENT                         all gates of an event
  tickettoken gates show ID                            one gate, and scans of it that were kept apart
  tickettoken gates revoke ID                          out of service for good, at once
"""
    + _ALONE
)
_CONFLICTS = (
    """examples:
  tickettoken conflicts list EVENT                     what waits for a decision, the newest first
  tickettoken conflicts list EVENT --all --json        everything, for a script
  tickettoken conflicts show ID                        one with its evidence
  tickettoken conflicts resolve ID benign --note "twins"
"""
    + _ALONE
)


def add_doors(commands: Commands) -> None:
    """Add the commands of whoever looks after the doors."""
    _add_gates(_group(commands, "gates", "gates: see, take out of service", _GATES))
    _add_conflicts(_group(commands, "conflicts", "admissions too many: see, settle", _CONFLICTS))


def _add_gates(actions: Commands) -> None:
    listing = _action(command(actions, "list", "show an event's gates", _GATES, "server.cli_doors:gates"))
    listing.add_argument("event", type=parse_id, metavar="EVENT", help="the event's id")
    for name, summary, function in (
        ("show", "show one gate and what of it was kept apart", "gate"),
        ("revoke", "take a gate out of service for good", "revoke"),
    ):
        one = _action(command(actions, name, summary, _GATES, f"server.cli_doors:{function}"))
        one.add_argument("gate", type=parse_id, metavar="GATE", help="the gate's id")


def _add_conflicts(actions: Commands) -> None:
    listing = _action(command(actions, "list", "show an event's conflicts", _CONFLICTS, "server.cli_doors:conflicts"))
    listing.add_argument("event", type=parse_id, metavar="EVENT", help="the event's id")
    listing.add_argument("--all", action="store_true", help="settled and withdrawn ones as well")
    listing.add_argument("--limit", type=parse_count, default=100, metavar="N", help="at most so many (100)")
    for name, summary, function in (
        ("show", "show one conflict with its evidence", "conflict"),
        ("resolve", "say what a conflict was", "resolve"),
    ):
        one = _action(command(actions, name, summary, _CONFLICTS, f"server.cli_doors:{function}"))
        one.add_argument("conflict", type=parse_id, metavar="CONFLICT", help="the conflict's id")
        if name == "resolve":
            one.add_argument(
                "resolution", choices=_RESOLUTIONS, metavar="RESOLUTION", help="what it was, or what was done about it"
            )
            one.add_argument("--note", metavar="TEXT", help="what else there is to say, for the record")


def _group(commands: Commands, name: str, summary: str, epilog: str) -> Commands:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(title="actions", metavar="ACTION", required=True)


def _action(parser: CommandParser) -> CommandParser:
    add_embedded(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser
