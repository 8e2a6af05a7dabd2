"""What can be asked of `tickettoken`, and where each command is found; nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from shared.arguments import CommandParser
from shared.problems import TicketTokenError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[CommandParser]

TRACEBACK = "TICKETTOKEN_TRACEBACK"
"""The variable with which a fault of the program shows where it happened."""

DEFAULT_DATA = Path("tickettoken-data")

_DESCRIPTION = """The ticket server: it owns every ticket from reservation to the last scan, and tells the gates."""

_EPILOG = """examples:
  tickettoken demo                             see it work, start to end
  tickettoken serve --embedded --seed          a whole server, nothing else needed
  tickettoken token --embedded --role customer a token to call it with
  tickettoken doctor                           is this installation sound?
  tickettoken keys status                      which keys there are, and what to do about them

exit status:
  0  done
  1  it could not be done
  2  a setting, an argument or a file is unusable
  3  something that is needed is away; try again later
  4  stored data is damaged, or was made by a newer version

`tickettoken COMMAND --help` tells more about each command.
"""

_SERVE_EPILOG = """examples:
  tickettoken serve --embedded                 own database in ./tickettoken-data, port 3004
  tickettoken serve --embedded --data /srv/tt --port 8080
  tickettoken serve --embedded --seed          with events to try things with, and their ids and tokens printed
  tickettoken serve                            database and secrets from the environment

environment without --embedded (NAME_FILE names a file holding the value of NAME):
  DATABASE_URL          PostgreSQL as role tt_app          WORKER_DATABASE_URL   the same as role tt_worker
  JWT_SECRET            64 characters or more              QR_ENCRYPTION_KEY     32 bytes, wraps all stored keys
  HOST, PORT            where to listen (127.0.0.1, 3004)  PAYMENTS              none or demo (everything counts as paid)
  RESERVATION_MINUTES   how long places are held (10)      DATABASE_CONNECTIONS  at most (10)
  LOG_LEVEL             debug, info, warning or error      PUBLIC_URL            where people reach it, for links
  KEY_HORIZON_HOURS     how far ahead gates have keys (72) PRINT_FONT            TrueType file for printed tickets
  KEY_OVERLAP_MINUTES   how long fetched codes count after an emergency replaced their keys (10)

environment with --embedded: the same names except for the URLs, all optional; secrets are made on first use.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit status; a problem becomes one line on stderr."""
    try:
        arguments = build_parser().parse_args(argv)
        module, _, function = str(arguments.run).partition(":")
        return int(getattr(importlib.import_module(module), function)(arguments, os.environ))
    except TicketTokenError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return problem.exit_code
    except KeyboardInterrupt:
        return 130
    except Exception as fault:
        if os.environ.get(TRACEBACK):
            raise
        name = type(fault).__name__
        sys.stderr.write(
            f"error: this program has a fault ({name}): run again with {TRACEBACK}=1 and report what it says\n"
        )
        return 1


def build_parser() -> CommandParser:
    """Return the parser of all commands."""
    parser = CommandParser(
        prog="tickettoken",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_serve(commands)
    _add_migrate(commands)
    _add_seed(commands)
    _add_doctor(commands)
    _add_keys(commands)
    _add_token(commands)
    _add_demo(commands)
    return parser


def _add_serve(commands: Commands) -> None:
    serve = _command(commands, "serve", "run the server", _SERVE_EPILOG, "server.cli_serve:serve")
    _add_embedded(serve)
    serve.add_argument("--host", help="address to listen on (default: HOST or 127.0.0.1)")
    serve.add_argument("--port", type=_port, help="port to listen on, 0 for a free one (default: PORT or 3004)")
    serve.add_argument("--seed", action="store_true", help="put events for trying on sale and print ids and tokens")


def _add_migrate(commands: Commands) -> None:
    epilog = (
        "examples:\n  OWNER_DATABASE_URL=postgresql://tt_owner@db/tickettoken tickettoken migrate\n"
        "  tickettoken migrate --phase pre              before the new program starts\n"
        "  tickettoken migrate --phase post             after the last old one has ended\n"
    )
    migrate = _command(
        commands, "migrate", "bring the database's schema up to date", epilog, "server.cli_tools:migrate"
    )
    migrate.add_argument("--phase", choices=("all", "pre", "post"), default="all", help="which files to run (all)")
    migrate.add_argument("--json", action="store_true", help="print the report as JSON")


def _add_seed(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken seed --tokens\n  tickettoken seed --embedded --data /srv/tt --json\n\n"
        "Safe to repeat: what is there stays. While `serve --embedded` runs, use `serve --embedded --seed` instead.\n"
    )
    seed = _command(commands, "seed", "put events for trying on sale", epilog, "server.cli_tools:seed")
    _add_embedded(seed)
    seed.add_argument("--tokens", action="store_true", help="print tokens of an organiser and two attendees as well")
    seed.add_argument("--json", action="store_true", help="print as JSON")


def _add_doctor(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken doctor\n  tickettoken doctor --embedded --data /srv/tt --json\n\n"
        "Looks at settings, database, roles, row-level security, schema, clocks and keys. Exit status 1 if one is bad.\n"
    )
    doctor = _command(commands, "doctor", "look whether this installation is sound", epilog, "server.cli_tools:doctor")
    _add_embedded(doctor)
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")


_KEYS_EPILOG = """examples:
  tickettoken keys status                              what there is, and which gates lag behind
  tickettoken keys rotate --event ID                   new keys from the next epoch on; no code dies
  tickettoken keys rotate --event ID --now             emergency: codes fetched before end after ten minutes
  tickettoken keys rotate --tenant ID --master         new tickets come from a new master secret
  tickettoken keys rotate --tenant ID --config         another key signs what gates believe
  tickettoken keys rewrap                              wrap all stored keys with the first of QR_ENCRYPTION_KEY
  tickettoken keys retire --kek k1                     may k1 leave QR_ENCRYPTION_KEY?
  tickettoken keys retire --tenant ID --master 1       erase a master that nothing needs any more

Servers that run notice by themselves. With --embedded, stop `serve --embedded` first: a data directory has one user.
"""


def _add_keys(commands: Commands) -> None:
    keys = _command(commands, "keys", "look after keys: see, replace, wrap anew, let go", _KEYS_EPILOG, "")
    actions = keys.add_subparsers(title="actions", metavar="ACTION", required=True)
    status = _keys_command(actions, "status", "what there is of keys", "status")
    status.add_argument("--event", type=_id, metavar="ID", help="only this event")
    rotate = _keys_command(actions, "rotate", "make new keys", "rotate")
    what = rotate.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", type=_id, metavar="ID", help="new keys for an event's coming epochs")
    what.add_argument("--master", action="store_true", help="a new master secret for tickets to come")
    what.add_argument("--config", action="store_true", help="a new key to sign what gates believe")
    rotate.add_argument("--now", action="store_true", help="emergency: replace the keys in use as well")
    rotate.add_argument("--overlap", type=_count, metavar="MINUTES", help="with --now: how long old codes still count")
    rewrap = _keys_command(actions, "rewrap", "wrap all stored keys with the current key-encryption key", "rewrap")
    rewrap.add_argument("--batch", type=_count, default=200, metavar="N", help="keys in one transaction (200)")
    retire = _keys_command(actions, "retire", "let go of a key that nothing needs", "retire")
    which = retire.add_mutually_exclusive_group(required=True)
    which.add_argument("--kek", metavar="NAME", help="a key-encryption key: only looks whether it is needed")
    which.add_argument("--master", type=int, metavar="N", help="erase a master secret of the tenant")
    which.add_argument("--config", type=int, metavar="N", help="erase a config key of the tenant")


def _keys_command(actions: Commands, name: str, summary: str, function: str) -> CommandParser:
    command = _command(actions, name, summary, _KEYS_EPILOG, f"server.cli_keys:{function}")
    _add_embedded(command)
    command.add_argument("--tenant", type=_id, metavar="ID", help="only this tenant")
    command.add_argument("--json", action="store_true", help="print the answer as JSON")
    return command


def _add_token(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken token --embedded --role venue_manager\n"
        "  tickettoken token --tenant ID --user ID --role customer --email ada@example.org\n\n"
        "Signs with JWT_SECRET, or with the data directory's secret. The address counts as verified: for development.\n"
    )
    token = _command(commands, "token", "print a user's token", epilog, "server.cli_tools:token")
    _add_embedded(token)
    token.add_argument("--tenant", help="tenant id (default: the first seeded organiser's)")
    token.add_argument("--user", help="user id (default: the seeded organiser's or attendee's, by role)")
    roles = ("customer", "door_staff", "box_office", "venue_manager", "admin")
    token.add_argument("--role", choices=roles, default="customer", help="what the user is to the tenant (customer)")
    token.add_argument("--email", help="a verified address, needed to accept tickets")
    token.add_argument("--hours", type=int, default=12, help="how long it is valid (12)")


def _add_demo(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken demo                    an event of 5,000 tickets, two gates, a cut cable\n"
        "  tickettoken demo --tui              watch the first gate's own screen meanwhile\n"
        "  tickettoken demo --tickets 20000    a bigger house\n"
        "  tickettoken demo --json             nothing but the result, as one JSON document\n\n"
        "Exit status 0 only if every guest got the verdict they must get and all figures add up.\n"
    )
    demo = _command(commands, "demo", "play one evening at a venue with real parts", epilog, "server.demo.command:run")
    demo.add_argument("--tickets", type=_ticket_count, default=5000, metavar="N", help="places of the event (5000)")
    demo.add_argument("--tui", action="store_true", help="open the first gate's screen on this terminal")
    demo.add_argument("--keep", action="store_true", help="keep the data directory afterwards")
    demo.add_argument("--json", action="store_true", help="print only the result, as one JSON document")


def _command(commands: Commands, name: str, summary: str, epilog: str, run: str) -> CommandParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def _add_embedded(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--embedded", action="store_true", help="use a private database in the data directory")
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_DATA,
        metavar="DIR",
        help=f"data directory of --embedded (./{DEFAULT_DATA})",
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError("an id has the form 01234567-89ab-cdef-0123-456789abcdef") from exc


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError("give a number from 1 to 10000")
    return int(text)


def _ticket_count(text: str) -> int:
    if not text.isdecimal() or not 100 <= int(text) <= 200_000:
        raise argparse.ArgumentTypeError("give a number from 100 to 200000")
    return int(text)
