"""The parsers of `tickettoken nft`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_id

if TYPE_CHECKING:
    from server.cli_arguments import Commands
    from shared.arguments import CommandParser

_EPILOG = """examples:
  tickettoken nft status                         how many assets are how far, and what holds minting up
  tickettoken nft trees                          all trees, and how full they are
  tickettoken nft trees --make --tenant ID       sign another tree, with the creator's key at hand
  tickettoken nft mint --event ID                queue the tickets of an event that have no asset yet
  tickettoken nft rename --event ID              have an event's assets called what the event is called now
  tickettoken nft estimate --tickets 100000      what that would cost; needs no chain and no database
  tickettoken nft verify                         compare every tree's root with the chain's
  tickettoken nft reconcile --json               the whole comparison, as a report
  tickettoken nft dead                           what was given up, and why
  tickettoken nft replay --all                   try it again, once its cause is mended

Exit status 1: `verify` or `reconcile` found a difference, or `replay` not all that was named.
"""


def add_nft(commands: Commands) -> None:
    """Add the commands about assets on chain."""
    parser = commands.add_parser(
        "nft",
        help="tickets as assets on a chain",
        description="Tickets as assets on a chain: how far they are, what they cost, and whether the chain agrees.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(actions, "status", "show how far assets are", "server.cli_nft:status")
    trees = _add(actions, "trees", "show the trees, or make one", "server.cli_nft:trees")
    trees.add_argument("--make", action="store_true", help="sign a new tree; a running worker sends it within a minute")
    trees.add_argument("--tenant", type=parse_id, metavar="ID", help="whose tree it is to be")
    mint = _add(actions, "mint", "queue an event's tickets that have no asset", "server.cli_nft:mint")
    mint.add_argument("--event", type=parse_id, metavar="ID", required=True, help="the event")
    rename = _add(actions, "rename", "call an event's assets what the event is called now", "server.cli_nft:rename")
    rename.add_argument("--event", type=parse_id, metavar="ID", required=True, help="the event")
    estimate = command(actions, "estimate", "tell what minting costs", _EPILOG, "server.cli_nft:estimate_cost")
    estimate.add_argument("--tickets", type=int, metavar="N", required=True, help="so many tickets")
    estimate.add_argument(
        "--cheap", action="store_true", help="Bubblegum V1: no protocol fee, no collection, no freezing"
    )
    estimate.add_argument("--json", action="store_true", help="print as JSON")
    _add(actions, "verify", "compare the trees' roots with the chain's", "server.cli_nft:verify")
    _add(actions, "reconcile", "compare everything with the chain and with an indexer", "server.cli_nft:reconcile_all")
    _add(actions, "dead", "show what was given up, and why", "server.cli_nft:dead")
    replay = _add(actions, "replay", "try again what was given up", "server.cli_nft:replay")
    replay.add_argument("ids", nargs="*", type=parse_id, metavar="ID", help="tickets' ids, as `nft dead` shows them")
    replay.add_argument("--all", action="store_true", help="all that there are")


def _add(actions: Commands, name: str, summary: str, run: str) -> CommandParser:
    parser = command(actions, name, summary, _EPILOG, run)
    add_embedded(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    return parser
