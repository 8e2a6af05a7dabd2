"""`tickettoken api-keys`, `service-callers` and `supervisors`: who else may call, and who may decide at gates."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from server.auth.pins import hash_pin
from server.cli_desk import TenantDesk, run_at_desk
from server.domain.access import Scope, ServiceCall
from server.domain.names import read_name
from server.services.api_keys import KeyWish, list_keys, make_key, revoke_key
from server.services.callers import CallerMade, add_caller, list_callers, remove_caller, rotate_caller
from server.services.rows import Page
from server.services.rows_access import ApiKeyRow, SupervisorRow
from server.services.supervisors import (
    SupervisorMade,
    SupervisorWish,
    add_supervisor,
    list_supervisors,
    remove_supervisor,
    reset_pin,
)
from shared.ids import ApiKeyId, EventId, GateId, SupervisorId, UserId

_ALL = Page(limit=1000)
_OPERATOR = UserId(UUID(int=0))
"""Who made a key that was made on the command line: nobody with an account."""
_ONCE = "it is shown this once and kept nowhere"


class ToldKey(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An API key as JSON; ``key`` only when it was just made."""

    id: ApiKeyId
    name: str
    scopes: list[Scope]
    event_id: EventId | None
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    key: str | UnsetType = UNSET


class ToldSupervisor(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A supervisor as JSON; ``pin`` only when it was just made."""

    id: SupervisorId
    name: str
    event_id: EventId | None
    gate_ids: list[GateId]
    pin: str | UnsetType = UNSET


def make_api_key(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Make an API key and print it once."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        days = arguments.days
        wish = KeyWish(
            name=read_name(arguments.name, 100, "key's name"),
            scopes=frozenset(Scope(one) for one in arguments.scope),
            event=arguments.event,
            expires_at=None if days is None else desk.context.clock.now() + timedelta(days=days),
        )
        made = await make_key(desk.context, desk.tenant, _OPERATOR, wish)
        desk.tell(_tell_key(made.row, made.text), made.text, f"this is API key {made.row.id}: {_ONCE}")

    return run_at_desk(arguments, environ, work)


def list_api_keys(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the API keys."""

    async def work(_: argparse.Namespace, desk: TenantDesk) -> None:
        found = await list_keys(desk.context, desk.tenant, _ALL)
        lines = [_describe_key(row) for row in found.items] or ["no API keys"]
        desk.tell([_tell_key(row) for row in found.items], *lines)

    return run_at_desk(arguments, environ, work)


def revoke_api_key(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take an API key back."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        row = await revoke_key(desk.context, desk.tenant, ApiKeyId(arguments.id))
        desk.tell(_tell_key(row), f"API key {row.id} counts no more")

    return run_at_desk(arguments, environ, work)


def add_service(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Let a service in and print its secret once."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        calls = frozenset(ServiceCall[one.replace("-", "_").upper()] for one in arguments.allow)
        _tell_secret(desk, await add_caller(desk.context, desk.tenant, arguments.name, calls))

    return run_at_desk(arguments, environ, work)


def rotate_service(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Give a service another secret and print it once."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        overlap = timedelta(minutes=arguments.overlap)
        _tell_secret(desk, await rotate_caller(desk.context, desk.tenant, arguments.name, overlap))

    return run_at_desk(arguments, environ, work)


def remove_service(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Shut a service out."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        await remove_caller(desk.context, desk.tenant, arguments.name)
        desk.tell({"name": arguments.name, "removed": True}, f"{arguments.name} may call nothing any more")

    return run_at_desk(arguments, environ, work)


def list_services(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the services."""

    async def work(_: argparse.Namespace, desk: TenantDesk) -> None:
        found = await list_callers(desk.context, desk.tenant)
        lines = []
        for one in found:
            older = "" if one.older_ends_at is None else f", the older until {one.older_ends_at:%Y-%m-%d %H:%M} UTC"
            lines.append(f"{one.service.name}: {', '.join(one.service.calls)}; {one.secrets} secrets{older}")
        told = [{"name": one.service.name, "calls": one.service.calls, "secrets": one.secrets} for one in found]
        desk.tell(told, *(lines or ["no services besides the built-in caller"]))

    return run_at_desk(arguments, environ, work)


def add_person(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Name a supervisor and print the PIN once."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        wish = SupervisorWish(
            name=read_name(arguments.name, 100, "supervisor's name"),
            event=arguments.event,
            gates=tuple(GateId(one) for one in arguments.gate),
        )
        _tell_pin(desk, await add_supervisor(desk.context, hash_pin, desk.tenant, wish))

    return run_at_desk(arguments, environ, work)


def reset_person(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Give a supervisor another PIN and print it once."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        _tell_pin(desk, await reset_pin(desk.context, hash_pin, desk.tenant, SupervisorId(arguments.id), None))

    return run_at_desk(arguments, environ, work)


def remove_person(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take a supervisor's right away."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        await remove_supervisor(desk.context, desk.tenant, SupervisorId(arguments.id))
        desk.tell({"id": arguments.id, "removed": True}, f"{arguments.id} is no supervisor any more")

    return run_at_desk(arguments, environ, work)


def list_people(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print the supervisors."""

    async def work(_: argparse.Namespace, desk: TenantDesk) -> None:
        found = await list_supervisors(desk.context, desk.tenant, _ALL)
        lines = [_describe_person(row) for row in found.items] or ["no supervisors"]
        desk.tell([_tell_person(row) for row in found.items], *lines)

    return run_at_desk(arguments, environ, work)


def _tell_secret(desk: TenantDesk, made: CallerMade) -> None:
    told = {"name": made.service.name, "calls": made.service.calls, "secret": made.secret}
    desk.tell(told, made.secret, f"this is the secret of {made.service.name}: {_ONCE}")


def _tell_pin(desk: TenantDesk, made: SupervisorMade) -> None:
    row = made.supervisor
    desk.tell(_tell_person(row, made.pin), made.pin, f"this is the PIN of {row.name}, supervisor {row.id}: {_ONCE}")


def _tell_key(row: ApiKeyRow, text: str | UnsetType = UNSET) -> ToldKey:
    return ToldKey(
        id=row.id,
        name=row.name,
        scopes=row.scopes,
        event_id=row.event,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        key=text,
    )


def _describe_key(row: ApiKeyRow) -> str:
    where = "all events" if row.event is None else f"event {row.event}"
    used = "never used" if row.last_used_at is None else f"last used {row.last_used_at:%Y-%m-%d %H:%M} UTC"
    ends = "" if row.expires_at is None else f", until {row.expires_at:%Y-%m-%d %H:%M} UTC"
    gone = "  REVOKED" if row.revoked_at is not None else ""
    return f"{row.id}  {row.name}: {', '.join(row.scopes)} at {where}{ends}; {used}{gone}"


def _tell_person(row: SupervisorRow, pin: str | UnsetType = UNSET) -> ToldSupervisor:
    return ToldSupervisor(id=row.id, name=row.name, event_id=row.event, gate_ids=row.gates, pin=pin)


def _describe_person(row: SupervisorRow) -> str:
    where = "all events" if row.event is None else f"event {row.event}"
    gates = "all gates" if not row.gates else f"gates {', '.join(str(one) for one in row.gates)}"
    return f"{row.id}  {row.name}: {where}, {gates}"
