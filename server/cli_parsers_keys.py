"""The parser of `tickettoken keys`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_count, parse_id
from shared.arguments import CommandParser

if TYPE_CHECKING:
    from server.cli_arguments import Commands

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


def add_keys(commands: Commands) -> None:
    keys = command(commands, "keys", "look after keys: see, replace, wrap anew, let go", _KEYS_EPILOG, "")
    actions = keys.add_subparsers(title="actions", metavar="ACTION", required=True)
    status = _keys_command(actions, "status", "what there is of keys", "status")
    status.add_argument("--event", type=parse_id, metavar="ID", help="only this event")
    rotate = _keys_command(actions, "rotate", "make new keys", "rotate")
    what = rotate.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", type=parse_id, metavar="ID", help="new keys for an event's coming epochs")
    what.add_argument("--master", action="store_true", help="a new master secret for tickets to come")
    what.add_argument("--config", action="store_true", help="a new key to sign what gates believe")
    rotate.add_argument("--now", action="store_true", help="emergency: replace the keys in use as well")
    rotate.add_argument(
        "--overlap", type=parse_count, metavar="MINUTES", help="with --now: how long old codes still count"
    )
    rewrap = _keys_command(actions, "rewrap", "wrap all stored keys with the current key-encryption key", "rewrap")
    rewrap.add_argument("--batch", type=parse_count, default=200, metavar="N", help="keys in one transaction (200)")
    retire = _keys_command(actions, "retire", "let go of a key that nothing needs", "retire")
    which = retire.add_mutually_exclusive_group(required=True)
    which.add_argument("--kek", metavar="NAME", help="a key-encryption key: only looks whether it is needed")
    which.add_argument("--master", type=int, metavar="N", help="erase a master secret of the tenant")
    which.add_argument("--config", type=int, metavar="N", help="erase a config key of the tenant")


def _keys_command(actions: Commands, name: str, summary: str, function: str) -> CommandParser:
    parser = command(actions, name, summary, _KEYS_EPILOG, f"server.cli_keys:{function}")
    add_embedded(parser)
    parser.add_argument("--tenant", type=parse_id, metavar="ID", help="only this tenant")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser
