"""The commands of `tickettoken` that do one thing and end: migrate, seed, doctor, token."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import msgspec

from server.auth.user_token import UserTokens
from server.db.migrate import migrate as run_migrations
from server.db.migrations import Phase
from server.doctor import Finding, examine
from server.domain.access import Role, User
from server.embedded_stack import embedded_cluster, load_secrets, plan_for
from server.gate_broker import plan_gate_broker
from server.parts import Parts, ServerPlan, open_parts
from server.seed import SeededEvent, Seeds, name_seeds
from server.seed import seed as put_on_sale
from server.settings import EmbeddedSettings, LogLevel, OwnerSettings, TokenSettings, read_settings
from server.settings_access import plan_access, token_rules
from server.settings_chain import read_chain
from shared.clock import SystemClock
from shared.codes.keys import parse_key_ring
from shared.ids import TenantId, UserId
from shared.logs import configure_logs
from shared.problems import InputUnusable, TicketTokenError
from shared.settings import load_settings

MakeToken = Callable[[User], str]


def migrate(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run the pending migrations and say which."""
    settings = load_settings(OwnerSettings, environ)
    report = asyncio.run(run_migrations(settings.owner_database_url.value, phase=Phase(arguments.phase)))
    if arguments.json:
        _write(msgspec.json.encode(report).decode())
        return 0
    for name in report.applied:
        _write(f"applied {name}")
    _write(f"the schema has version {report.version}" + ("" if report.applied else ", nothing was pending"))
    return 0


def seed(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Put the events for trying on sale and print their ids."""
    return asyncio.run(_seed(arguments, environ))


def doctor(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Look at the installation; 1 if something is bad."""
    configure_logs(LogLevel.ERROR)
    findings = asyncio.run(_examine(arguments, environ))
    if arguments.json:
        _write(msgspec.json.encode(findings).decode())
    else:
        for finding in findings:
            _write(f"{_grade(finding)} {finding.name:<12} {finding.detail}")
    return 0 if all(finding.ok for finding in findings) else 1


def token(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print a token.

    Raises:
        InputUnusable: an id is none, or a lifetime makes no sense.
    """
    if arguments.embedded:
        embedded = load_settings(EmbeddedSettings, environ)
        secret, rules = load_secrets(arguments.data, embedded).jwt_secret, token_rules(embedded)
    else:
        given = load_settings(TokenSettings, environ)
        secret, rules = given.jwt_secret, token_rules(given)
    seeded = name_seeds().main
    role = Role(arguments.role)
    known = seeded.attendee if role is Role.CUSTOMER else seeded.organiser
    user = User(
        tenant=TenantId(_read_id(arguments.tenant, "--tenant") or seeded.tenant),
        user=UserId(_read_id(arguments.user, "--user") or known),
        role=role,
        email=arguments.email and arguments.email.strip().lower(),
    )
    if not 1 <= arguments.hours <= 24 * 365:
        raise InputUnusable("--hours is a number from 1 to 8760")
    _write(UserTokens(secret, SystemClock(), rules).make(user, life=timedelta(hours=arguments.hours)))
    return 0


def write_seeds(seeds: Seeds, make_token: MakeToken | None) -> None:
    """Print the ids of seeded events, and tokens if they can be made, for people."""
    for seeded in (seeds.main, seeds.other):
        _write(
            f"{seeded.tenant_name}\n  tenant       {seeded.tenant}\n  event        {seeded.event}  {seeded.event_name}"
        )
        for one in seeded.types:
            price = f"{one.price_cents / 100:.2f} {one.currency}"
            _write(f"  ticket type  {one.id}  {one.name}, {price}, {one.places} places")
        if make_token is not None:
            for name, user in seeded_users(seeded).items():
                _write(f"  {name:<12} {user.user}  {user.email or ''}\n    {make_token(user)}")


def seeded_users(seeded: SeededEvent) -> dict[str, User]:
    """Return the accounts for trying an event."""
    attendee = User(tenant=seeded.tenant, user=seeded.attendee, role=Role.CUSTOMER, email="ada@example.org")
    friend = User(tenant=seeded.tenant, user=seeded.friend, role=Role.CUSTOMER, email="ben@example.org")
    organiser = User(tenant=seeded.tenant, user=seeded.organiser, role=Role.VENUE_MANAGER)
    return {"organiser": organiser, "attendee": attendee, "friend": friend}


def _grade(finding: Finding) -> str:
    if not finding.ok:
        return "BAD "
    return "warn" if finding.warning else "ok  "


async def _seed(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    async with _open(arguments, environ) as parts:
        seeds = await put_on_sale(parts.context)
        make_token = parts.tokens.make if arguments.tokens else None
        if not arguments.json:
            write_seeds(seeds, make_token)
            return 0
        body: dict[str, object] = {"main": seeds.main, "other": seeds.other}
        if make_token is not None:
            body["tokens"] = {name: make_token(user) for name, user in seeded_users(seeds.main).items()}
        _write(msgspec.json.encode(body).decode())
        return 0


async def _examine(arguments: argparse.Namespace, environ: Mapping[str, str]) -> list[Finding]:
    try:
        async with open_plan(arguments, environ) as plan:
            settings = Finding(name="settings", ok=True, detail="complete, secrets fit for their purpose")
            return [settings, *await examine(plan)]
    except TicketTokenError as problem:
        return [Finding(name="settings", ok=False, detail=str(problem))]


@asynccontextmanager
async def _open(arguments: argparse.Namespace, environ: Mapping[str, str]) -> AsyncIterator[Parts]:
    async with open_plan(arguments, environ) as plan, open_parts(plan) as parts:
        yield parts


@asynccontextmanager
async def open_plan(arguments: argparse.Namespace, environ: Mapping[str, str]) -> AsyncIterator[ServerPlan]:
    """Tell how to reach the installation; with --embedded its database runs for as long as the context is open."""
    if arguments.embedded:
        embedded = load_settings(EmbeddedSettings, environ)
        async with embedded_cluster(arguments.data, embedded) as cluster:
            yield plan_for(cluster, embedded, read_chain(environ))
        return
    settings = read_settings(environ)
    yield ServerPlan(
        app_dsn=settings.database_url.value,
        worker_dsn=settings.worker_database_url.value,
        jwt_secret=settings.jwt_secret,
        access=plan_access(settings),
        redis_url=settings.redis_url,
        rabbitmq_url=settings.rabbitmq_url,
        rabbitmq_management_url=settings.rabbitmq_management_url,
        gate_broker=plan_gate_broker(settings),
        chain=read_chain(environ),
        ring=parse_key_ring(settings.qr_encryption_key.value),
        horizon=timedelta(hours=settings.key_horizon_hours),
        overlap=timedelta(minutes=settings.key_overlap_minutes),
    )


def _read_id(text: str | None, option: str) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError as exc:
        raise InputUnusable(f"{option} is not an id: `tickettoken seed` prints some") from exc


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
