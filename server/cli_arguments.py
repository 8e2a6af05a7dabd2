"""What all commands' parsers share: how a command is added, and what an argument must look like."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from shared.arguments import CommandParser

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[CommandParser]

DEFAULT_DATA = Path("tickettoken-data")


def command(commands: Commands, name: str, summary: str, epilog: str, run: str) -> CommandParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def group(commands: Commands, name: str, summary: str, epilog: str) -> Commands:
    """Add a command that only has actions, and return where they go."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser.add_subparsers(title="actions", metavar="ACTION", required=True)


def answering(parser: CommandParser) -> CommandParser:
    """Let a command of an office take what all of them take: which database, and how to answer."""
    add_embedded(parser)
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser


def add_embedded(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--embedded", action="store_true", help="use a private database in the data directory")
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="DIR",
        help=f"data directory of --embedded (./{DEFAULT_DATA})",
    )


def parse_port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def parse_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError("an id has the form 01234567-89ab-cdef-0123-456789abcdef") from exc


def parse_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError("give a number from 1 to 10000")
    return int(text)


def parse_ticket_count(text: str) -> int:
    if not text.isdecimal() or not 100 <= int(text) <= 200_000:
        raise argparse.ArgumentTypeError("give a number from 100 to 200000")
    return int(text)
