"""The parsers of the commands that run and set up a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from server.cli_arguments import add_embedded, command, parse_port, parse_ticket_count

if TYPE_CHECKING:
    from server.cli_arguments import Commands

_SERVE_EPILOG = """examples:
  tickettoken serve --embedded                 own database in ./tickettoken-data, port 3004
  tickettoken serve --embedded --data /srv/tt --port 8080
  tickettoken serve --embedded --seed          with events to try things with, and their ids and tokens printed
  tickettoken serve                            database and secrets from the environment

environment without --embedded (NAME_FILE names a file holding the value of NAME):
  DATABASE_URL          PostgreSQL as role tt_app          WORKER_DATABASE_URL   the same as role tt_worker
  JWT_SECRET            64 characters or more              QR_ENCRYPTION_KEY     32 bytes, wraps all stored keys
  HOST, PORT            where to listen (127.0.0.1, 3004)  PAYMENTS              none, facts or demo (all is paid)
  RESERVATION_MINUTES   how long places are held (10)      DATABASE_CONNECTIONS  at most (10)
  LOG_LEVEL             debug, info, warning or error      PUBLIC_URL            where people reach it, for links
  KEY_HORIZON_HOURS     how far ahead gates have keys (72) PRINT_FONT            TrueType file for printed tickets
  RABBITMQ_URL          the broker, for other programs     RABBITMQ_MANAGEMENT_URL  its API, for `doctor`
  REDIS_URL             what several servers share         INTERNAL_SERVICE_SECRET  of the caller `internal`
  RATE_LIMITS           read=600/60,write=off              TRUSTED_PROXIES       whose X-Forwarded-For is believed
  JWT_ALGORITHM         HS256, EdDSA or RS256; JWT_ISSUER, JWT_AUDIENCE; JWT_PUBLIC_KEY, JWT_JWKS or JWT_JWKS_URL
  KEY_OVERLAP_MINUTES   how long fetched codes count after an emergency replaced their keys (10)

environment with --embedded: the same names except for the URLs, all optional; secrets are made on first use.
"""


def add_serve(commands: Commands) -> None:
    serve = command(commands, "serve", "run the server", _SERVE_EPILOG, "server.cli_serve:serve")
    add_embedded(serve)
    serve.add_argument("--host", help="address to listen on (default: HOST or 127.0.0.1)")
    serve.add_argument("--port", type=parse_port, help="port to listen on, 0 for a free one (default: PORT or 3004)")
    serve.add_argument("--seed", action="store_true", help="put events for trying on sale and print ids and tokens")
    serve.add_argument(
        "--no-work",
        dest="share",
        action="store_const",
        const="serve",
        default="all",
        help="leave relaying, sweeping and messages to `tickettoken work`",
    )


def add_migrate(commands: Commands) -> None:
    epilog = (
        "examples:\n  OWNER_DATABASE_URL=postgresql://tt_owner@db/tickettoken tickettoken migrate\n"
        "  tickettoken migrate --phase pre              before the new program starts\n"
        "  tickettoken migrate --phase post             after the last old one has ended\n"
    )
    migrate = command(commands, "migrate", "bring the database's schema up to date", epilog, "server.cli_tools:migrate")
    migrate.add_argument("--phase", choices=("all", "pre", "post"), default="all", help="which files to run (all)")
    migrate.add_argument("--json", action="store_true", help="print the report as JSON")


def add_seed(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken seed --tokens\n  tickettoken seed --embedded --data /srv/tt --json\n\n"
        "Safe to repeat: what is there stays. While `serve --embedded` runs, use `serve --embedded --seed` instead.\n"
    )
    seed = command(commands, "seed", "put events for trying on sale", epilog, "server.cli_tools:seed")
    add_embedded(seed)
    seed.add_argument("--tokens", action="store_true", help="print tokens of an organiser and two attendees as well")
    seed.add_argument("--json", action="store_true", help="print as JSON")


def add_doctor(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken doctor\n  tickettoken doctor --embedded --data /srv/tt --json\n\n"
        "Looks at settings, database, roles, row-level security, schema, clocks, keys, broker and Redis, and says what to do.\n"
        "Exit status 1 if one is BAD; a warning alone is no failure.\n"
    )
    doctor = command(commands, "doctor", "look whether this installation is sound", epilog, "server.cli_tools:doctor")
    add_embedded(doctor)
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")


def add_token(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken token --embedded --role venue_manager\n"
        "  tickettoken token --tenant ID --user ID --role customer --email ada@example.org\n\n"
        "Signs with JWT_SECRET, or with the data directory's secret. The address counts as verified: for development.\n"
    )
    token = command(commands, "token", "print a user's token", epilog, "server.cli_tools:token")
    add_embedded(token)
    token.add_argument("--tenant", help="tenant id (default: the first seeded organiser's)")
    token.add_argument("--user", help="user id (default: the seeded organiser's or attendee's, by role)")
    roles = ("customer", "door_staff", "box_office", "venue_manager", "admin")
    token.add_argument("--role", choices=roles, default="customer", help="what the user is to the tenant (customer)")
    token.add_argument("--email", help="a verified address, needed to accept tickets")
    token.add_argument("--hours", type=int, default=12, help="how long it is valid (12)")


def add_demo(commands: Commands) -> None:
    epilog = (
        "examples:\n  tickettoken demo                    an event of 5,000 tickets, two gates, a cut cable\n"
        "  tickettoken demo --tui              watch the first gate's own screen meanwhile\n"
        "  tickettoken demo --tickets 20000    a bigger house\n"
        "  tickettoken demo --nft              each ticket becomes an asset on a local chain as well\n"
        "  tickettoken demo --json             nothing but the result, as one JSON document\n\n"
        "Exit status 0 only if every guest got the verdict they must get and all figures add up.\n"
    )
    demo = command(commands, "demo", "play one evening at a venue with real parts", epilog, "server.demo.command:run")
    demo.add_argument(
        "--tickets", type=parse_ticket_count, default=5000, metavar="N", help="places of the event (5000)"
    )
    demo.add_argument("--tui", action="store_true", help="open the first gate's screen on this terminal")
    demo.add_argument(
        "--nft", action="store_true", help="mint the tickets on a local chain (needs Node.js, npm and the checkout)"
    )
    demo.add_argument("--keep", action="store_true", help="keep the data directory afterwards")
    demo.add_argument("--json", action="store_true", help="print only the result, as one JSON document")
