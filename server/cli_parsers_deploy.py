"""The parsers of the commands for whoever installs servers: their secrets, and work apart from answering."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from server.cli_arguments import command, parse_port

if TYPE_CHECKING:
    from server.cli_arguments import Commands
    from shared.arguments import CommandParser


def add_work(commands: Commands) -> None:
    """Add `work`."""
    epilog = (
        "examples:\n  tickettoken work                        beside servers started with `serve --no-work`\n"
        "  tickettoken work --port 3005            health under this port\n\n"
        "Relays ticket changes to gates, sends and takes messages, ends reservations. Several may run: they agree in the\n"
        "database on who leads. Settings as for `tickettoken serve`; HTTP answers /health and what is below it, nothing else.\n"
    )
    work = command(commands, "work", "do a server's background work", epilog, "server.cli_serve:work")
    work.add_argument("--host", help="address of the health page (default: HOST or 127.0.0.1)")
    work.add_argument(
        "--port", type=parse_port, help="port of the health page, 0 for a free one (default: PORT or 3004)"
    )
    work.set_defaults(share="work", seed=False)


def add_secrets(commands: Commands) -> None:
    """Add `secrets`."""
    epilog = (
        "examples:\n  tickettoken secrets ./secrets           before the first `docker compose up`\n\n"
        "Passwords of the three database roles and of the broker, the key that signs tokens and the key that wraps keys,\n"
        "each in a file of its own and in every address that needs it. Back the directory up: without\n"
        "qr_encryption_key no stored key can be read again. Nothing is ever written over.\n"
    )
    secrets = command(commands, "secrets", "make every secret of an installation", epilog, "server.cli_secrets:make")
    secrets.add_argument("directory", type=Path, metavar="DIR", help="where to write them; new or empty")
    secrets.add_argument("--json", action="store_true", help="print the file names as JSON")


def add_backup(commands: Commands) -> None:
    """Add `backup` and `restore`."""
    epilog = (
        "examples:\n  ADMIN_DATABASE_URL_FILE=secrets/admin_database_url tickettoken backup before.dump\n"
        "  tickettoken backup /srv/backup/$(date +%F).dump --json\n\n"
        "While servers run: the file holds one moment. QR_ENCRYPTION_KEY is not in it, and without that key it is worthless.\n"
        "Needs PostgreSQL's pg_dump, of the server's version or newer.\n"
    )
    backup = command(commands, "backup", "write the whole database into a file", epilog, "server.cli_backup:backup")
    backup.add_argument("file", metavar="FILE", help="the file to write; there must be none of that name")
    _add_tools(backup)
    epilog = (
        "examples:\n  ADMIN_DATABASE_URL_FILE=secrets/admin_database_url tickettoken restore before.dump\n\n"
        "Into an empty database only, which is made if it is not there; the three roles must be there. All of it or nothing.\n"
        "Afterwards: `tickettoken migrate`, `tickettoken doctor`.\n"
    )
    restore = command(commands, "restore", "fill an empty database from a backup", epilog, "server.cli_backup:restore")
    restore.add_argument("file", metavar="FILE", help="what `tickettoken backup` wrote")
    _add_tools(restore)


def _add_tools(parser: CommandParser) -> None:
    parser.add_argument(
        "--pg-bin", type=Path, metavar="DIR", help="where pg_dump and pg_restore are; found by themselves unless given"
    )
    parser.add_argument("--json", action="store_true", help="print as JSON")
