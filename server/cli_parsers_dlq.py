"""The parsers of `tickettoken dlq`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_count

if TYPE_CHECKING:
    from server.cli_arguments import Commands

_EPILOG = """examples:
  tickettoken dlq list                         what could not be handled, and why
  tickettoken dlq list --json | jq .messages   with the messages themselves
  tickettoken dlq replay 5f0c…                 put one back, once its cause is mended
  tickettoken dlq replay --all                 put all of them back

A message that was handled already is known by its id and does nothing the second time.
"""


def add_dlq(commands: Commands) -> None:
    """Add the commands about messages that did not get through."""
    parser = commands.add_parser(
        "dlq",
        help="messages that did not get through",
        description="Messages that did not get through: look at them, put them back.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    listing = command(actions, "list", "show what did not get through, and why", _EPILOG, "server.cli_dlq:list_dead")
    listing.add_argument("--limit", type=parse_count, default=100, metavar="N", help="at most so many of a kind (100)")
    replay = command(actions, "replay", "put messages back where they failed", _EPILOG, "server.cli_dlq:replay_dead")
    replay.add_argument("ids", nargs="*", metavar="ID", help="message ids, as `dlq list` shows them")
    replay.add_argument("--all", action="store_true", help="all that there are")
    for one in (listing, replay):
        add_embedded(one)
        one.add_argument("--json", action="store_true", help="print as JSON")
