"""The parsers of `tickettoken api-keys`, `service-callers` and `supervisors`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_count, parse_id
from shared.arguments import CommandParser

if TYPE_CHECKING:
    from server.cli_arguments import Commands

# Written out: the parser must not load what it takes to know them. A test compares.
SCOPES = ("events:read", "gates:read", "scans:read", "tickets:checkin", "tickets:validate")
CALLS = ("read-ticket", "report-payment", "reserve-ticket")

_RUNNING = "\nWith --embedded, stop `serve --embedded` first: a data directory has one user.\n"

_KEYS_EPILOG = f"""examples:
  tickettoken api-keys make --name turnstiles --scope tickets:validate --scope tickets:checkin
  tickettoken api-keys make --name box-office --scope scans:read --event ID --days 30
  tickettoken api-keys list
  tickettoken api-keys revoke ID
{_RUNNING}"""

_SERVICES_EPILOG = f"""examples:
  tickettoken service-callers add orders --allow reserve-ticket --allow read-ticket
  tickettoken service-callers rotate orders --overlap 60     both secrets count for an hour
  tickettoken service-callers list
  tickettoken service-callers remove orders

How calls are signed: docs/reference/service-calls.md. The built-in caller `internal` has INTERNAL_SERVICE_SECRET.
{_RUNNING}"""

_PEOPLE_EPILOG = f"""examples:
  tickettoken supervisors add --name "Sam" --event ID        makes a PIN and prints it once
  tickettoken supervisors add --name "Kim" --gate ID --gate ID
  tickettoken supervisors pin ID                             another PIN
  tickettoken supervisors list
  tickettoken supervisors remove ID

Gates know it with their next key bundle, within a minute where they have a network.
{_RUNNING}"""


def add_access(commands: Commands) -> None:
    _add_api_keys(commands)
    _add_services(commands)
    _add_supervisors(commands)


def _add_api_keys(commands: Commands) -> None:
    group = command(commands, "api-keys", "look after outside systems' API keys", _KEYS_EPILOG, "")
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)
    make = _action(actions, "make", "make an API key and print it once", _KEYS_EPILOG, "make_api_key")
    make.add_argument("--name", required=True, metavar="NAME", help="what it is for")
    make.add_argument("--scope", required=True, action="append", choices=SCOPES, help="what it may do; repeatable")
    make.add_argument("--event", type=parse_id, metavar="ID", help="only for this event")
    make.add_argument("--days", type=parse_count, metavar="N", help="for so many days (until it is revoked)")
    _action(actions, "list", "list the API keys", _KEYS_EPILOG, "list_api_keys")
    revoke = _action(actions, "revoke", "take an API key back for good", _KEYS_EPILOG, "revoke_api_key")
    revoke.add_argument("id", type=parse_id, metavar="ID", help="the key's id, as listed")


def _add_services(commands: Commands) -> None:
    group = command(commands, "service-callers", "look after other services that may call", _SERVICES_EPILOG, "")
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = _action(actions, "add", "let a service in and print its secret once", _SERVICES_EPILOG, "add_service")
    add.add_argument("name", metavar="NAME", help="what the service calls itself")
    add.add_argument("--allow", required=True, action="append", choices=CALLS, help="what it may call; repeatable")
    rotate = _action(actions, "rotate", "give a service another secret", _SERVICES_EPILOG, "rotate_service")
    rotate.add_argument("name", metavar="NAME", help="the service")
    rotate.add_argument(
        "--overlap", type=parse_count, default=1440, metavar="MINUTES", help="how long the secret before counts (1440)"
    )
    _action(actions, "list", "list the services", _SERVICES_EPILOG, "list_services")
    remove = _action(actions, "remove", "shut a service out", _SERVICES_EPILOG, "remove_service")
    remove.add_argument("name", metavar="NAME", help="the service")


def _add_supervisors(commands: Commands) -> None:
    group = command(commands, "supervisors", "look after who may decide at gates", _PEOPLE_EPILOG, "")
    actions = group.add_subparsers(title="actions", metavar="ACTION", required=True)
    add = _action(actions, "add", "name a supervisor and print the PIN once", _PEOPLE_EPILOG, "add_person")
    add.add_argument("--name", required=True, metavar="NAME", help="as gates show it")
    add.add_argument("--event", type=parse_id, metavar="ID", help="only at this event")
    add.add_argument("--gate", type=parse_id, action="append", default=[], metavar="ID", help="only here; repeatable")
    pin = _action(actions, "pin", "give a supervisor another PIN", _PEOPLE_EPILOG, "reset_person")
    pin.add_argument("id", type=parse_id, metavar="ID", help="the supervisor's id, as listed")
    _action(actions, "list", "list the supervisors", _PEOPLE_EPILOG, "list_people")
    remove = _action(actions, "remove", "take a supervisor's right away", _PEOPLE_EPILOG, "remove_person")
    remove.add_argument("id", type=parse_id, metavar="ID", help="the supervisor's id, as listed")


def _action(actions: Commands, name: str, summary: str, epilog: str, function: str) -> CommandParser:
    parser = command(actions, name, summary, epilog, f"server.cli_access:{function}")
    add_embedded(parser)
    parser.add_argument("--tenant", type=parse_id, metavar="ID", help="whose; needed where there are several")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    return parser
