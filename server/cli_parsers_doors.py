"""The parsers of `tickettoken gates` and `conflicts`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from server.cli_arguments import answering, command, group, parse_count, parse_id

if TYPE_CHECKING:
    from server.cli_arguments import Commands

_ALONE = "\nWith --embedded, stop `serve --embedded` first: a data directory has one user.\n"
_ROLES = ("lane", "help_desk", "unattended")
_KINDS = ("hold", "resume", "message", "resync", "wipe")
_RESOLUTIONS = ("benign", "refund", "ejected", "fraud", "staff_error")

_GATES = (
    """examples:
  tickettoken gates list EVENT                         all gates of an event
  tickettoken gates show ID                            one gate, and scans of it that were kept apart
  tickettoken gates enrol EVENT "North 1"              a one-time code for a new gate, also to be scanned
  tickettoken gates enrol --replace ID                 one for another machine in a gate's place
  tickettoken gates change ID --name "North 2" --direction exit
  tickettoken gates command ID hold --text "Lift broken: use gate South"
  tickettoken gates command ID resume
  tickettoken gates command ID message --text "Doors in 5 minutes"
  tickettoken gates command ID wipe                    hand the log over, forget everything, leave service
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
    _add_gates(group(commands, "gates", "gates: see, take out of service", _GATES))
    _add_conflicts(group(commands, "conflicts", "admissions too many: see, settle", _CONFLICTS))


def _add_gates(actions: Commands) -> None:
    listing = answering(command(actions, "list", "show an event's gates", _GATES, "server.cli_doors:gates"))
    listing.add_argument("event", type=parse_id, metavar="EVENT", help="the event's id")
    for name, summary, function in (
        ("show", "show one gate and what of it was kept apart", "gate"),
        ("revoke", "take a gate out of service for good", "revoke"),
    ):
        one = answering(command(actions, name, summary, _GATES, f"server.cli_doors:{function}"))
        one.add_argument("gate", type=parse_id, metavar="GATE", help="the gate's id")

    _add_fleet(actions)


def _add_fleet(actions: Commands) -> None:
    told = answering(command(actions, "command", "have a gate do something", _GATES, "server.cli_fleet:command"))
    told.add_argument("gate", type=parse_id, metavar="GATE", help="the gate's id")
    told.add_argument("kind", choices=_KINDS, metavar="KIND", help=f"one of {', '.join(_KINDS)}")
    told.add_argument("--text", metavar="TEXT", help="why it is held, or the message to its staff")
    told.add_argument(
        "--expires",
        type=_parse_life,
        metavar="SECONDS",
        help="how long a message, resync or wipe counts (12 h, 1 h, 30 days)",
    )
    changed = answering(command(actions, "change", "rename or reassign a gate", _GATES, "server.cli_fleet:change"))
    changed.add_argument("gate", type=parse_id, metavar="GATE", help="the gate's id")
    changed.add_argument("--name", metavar="NAME", help="what it is called from now on")
    made = answering(command(actions, "enrol", "make a one-time code for a gate", _GATES, "server.cli_fleet:enrol"))
    made.add_argument("event", type=parse_id, metavar="ID", help="the event's id; with --replace the gate's")
    made.add_argument("name", nargs="?", metavar="NAME", help="what the gate is to be called")
    made.add_argument("--replace", action="store_true", help="another machine in the place of a gate that is there")
    for one, usual, role in ((changed, None, None), (made, "entry", "lane")):
        one.add_argument("--direction", choices=("entry", "exit"), default=usual, help="which way people pass it")
        one.add_argument(
            "--role", choices=_ROLES, default=role, help="who may find tickets by number: see the reference"
        )
        one.add_argument("--zones", type=_parse_zones, metavar="MASK", help="which zones it leads to, 0 for all")
        one.add_argument("--products", type=_parse_product, nargs="*", metavar="N", help="whom it serves, none for all")


def _parse_zones(text: str) -> int:
    if not text.isdecimal() or int(text) > 0xFFFF:
        raise argparse.ArgumentTypeError("zones are a mask from 0 to 65535")
    return int(text)


def _parse_product(text: str) -> int:
    if not text.isdecimal() or int(text) > 0xFFFF:
        raise argparse.ArgumentTypeError("a product is a number from 0 to 65535")
    return int(text)


def _parse_life(text: str) -> int:
    if not text.isdecimal() or not 10 <= int(text) <= 30 * 24 * 3600:
        raise argparse.ArgumentTypeError("give 10 to 2592000 seconds")
    return int(text)


def _add_conflicts(actions: Commands) -> None:
    listing = answering(command(actions, "list", "show an event's conflicts", _CONFLICTS, "server.cli_doors:conflicts"))
    listing.add_argument("event", type=parse_id, metavar="EVENT", help="the event's id")
    listing.add_argument("--all", action="store_true", help="settled and withdrawn ones as well")
    listing.add_argument("--limit", type=parse_count, default=100, metavar="N", help="at most so many (100)")
    for name, summary, function in (
        ("show", "show one conflict with its evidence", "conflict"),
        ("resolve", "say what a conflict was", "resolve"),
    ):
        one = answering(command(actions, name, summary, _CONFLICTS, f"server.cli_doors:{function}"))
        one.add_argument("conflict", type=parse_id, metavar="CONFLICT", help="the conflict's id")
        if name == "resolve":
            one.add_argument(
                "resolution", choices=_RESOLUTIONS, metavar="RESOLUTION", help="what it was, or what was done about it"
            )
            one.add_argument("--note", metavar="TEXT", help="what else there is to say, for the record")
