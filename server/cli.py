"""What can be asked of `tickettoken`, and where each command is found; nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from server.cli_parsers import add_demo, add_doctor, add_migrate, add_seed, add_serve, add_token
from server.cli_parsers_access import add_access
from server.cli_parsers_deploy import add_backup, add_secrets, add_work
from server.cli_parsers_dlq import add_dlq
from server.cli_parsers_doors import add_doors
from server.cli_parsers_keys import add_keys
from server.cli_parsers_nft import add_nft
from server.cli_parsers_office import add_office
from server.cli_parsers_people import add_people
from server.cli_parsers_staff import add_audit, add_staff
from shared.arguments import CommandParser
from shared.problems import TicketTokenError

TRACEBACK = "TICKETTOKEN_TRACEBACK"
"""The variable with which a fault of the program shows where it happened."""

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
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND", required=True)
    add_serve(commands)
    add_migrate(commands)
    add_seed(commands)
    add_doctor(commands)
    add_keys(commands)
    add_office(commands)
    add_doors(commands)
    add_access(commands)
    add_staff(commands)
    add_audit(commands)
    add_dlq(commands)
    add_nft(commands)
    add_token(commands)
    add_work(commands)
    add_secrets(commands)
    add_backup(commands)
    add_people(commands)
    add_demo(commands)
    return parser
