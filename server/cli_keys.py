"""`tickettoken keys`: see what there is, replace it, wrap it anew, let go of it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.cli_deeds import noting
from server.cli_tools import open_plan
from server.parts import Parts, open_parts
from server.services.context import Context
from server.services.key_care import count_foreign, retire_kek, retire_key, rewrap_all
from server.services.key_rotation import Rotated, rotate_config, rotate_event, rotate_master
from server.services.key_status import EventStatus, TenantStatus, read_status
from server.services.problems import EventUnknown, KeyUnknown
from server.services.rows import KeyKind
from server.settings import LogLevel
from shared.ids import EventId, TenantId
from shared.logs import configure_logs
from shared.problems import InputUnusable

Work = Callable[[argparse.Namespace, "Desk"], Awaitable[None]]


class Desk(Struct, frozen=True, kw_only=True):
    """An opened installation, and the tenants the command is about."""

    context: Context
    tenants: list[TenantId]
    json: bool

    def tell(self, answer: object, *lines: str) -> None:
        """Print the answer: the struct as JSON, or lines for people."""
        text = msgspec.json.encode(answer).decode() if self.json else "\n".join(lines)
        sys.stdout.write(text + "\n")


def status(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Say what there is."""
    return _run(arguments, environ, _status)


def rotate(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Make new keys."""
    return _run(arguments, environ, _rotate)


def rewrap(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Wrap everything stored with the current key-encryption key."""
    return _run(arguments, environ, _rewrap)


def retire(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Let go of a key nothing needs."""
    return _run(arguments, environ, _retire)


def _run(arguments: argparse.Namespace, environ: Mapping[str, str], work: Work) -> int:
    async def run() -> None:
        async with AsyncExitStack() as stack:
            plan = await stack.enter_async_context(open_plan(arguments, environ))
            parts = await stack.enter_async_context(open_parts(plan))
            tenants = await _list_tenants(parts, arguments.tenant)
            async with noting(arguments, parts.context, tenants):
                await work(arguments, Desk(context=parts.context, tenants=tenants, json=arguments.json))

    # the answer is on standard output alone; what is worth a log line is said by the answer already
    configure_logs(LogLevel.WARNING)
    asyncio.run(run())
    return 0


async def _list_tenants(parts: Parts, wanted: UUID | None) -> list[TenantId]:
    async with parts.database.worker() as unit:
        tenants = await unit.maintenance.tenants()
    if wanted is None:
        return tenants
    if wanted not in tenants:
        raise KeyUnknown("There is no tenant of this id: leave --tenant out to see all.")
    return [TenantId(wanted)]


async def _status(arguments: argparse.Namespace, desk: Desk) -> None:
    tenants = desk.tenants if arguments.event is None else [await _find_owner(desk, arguments.event)]
    found = [await read_status(desk.context, tenant, arguments.event) for tenant in tenants]
    ring = desk.context.vault.wrapping.ring
    lines = [f"QR_ENCRYPTION_KEY holds {', '.join(ring.names)}; {ring.current} wraps what is new"]
    for one in found:
        lines += describe_tenant(one, ring.names)
    desk.tell({"keks": ring.names, "current": ring.current, "tenants": found}, *lines)


async def _rotate(arguments: argparse.Namespace, desk: Desk) -> None:
    if arguments.event is None:
        if arguments.now or arguments.overlap is not None:
            raise InputUnusable("--now and --overlap go with --event")
        await _rotate_tenant(arguments, desk)
        return
    context = desk.context
    if arguments.overlap is not None:
        context = replace(context, overlap=timedelta(minutes=arguments.overlap))
    tenant = await _find_owner(desk, arguments.event)
    rotated = await rotate_event(context, tenant, arguments.event, at_once=arguments.now)
    after = await read_status(desk.context, tenant, arguments.event)
    desk.tell({"rotated": rotated, "event": after.events[0]}, *describe_rotation(rotated, after.events[0]))


async def _rotate_tenant(arguments: argparse.Namespace, desk: Desk) -> None:
    (tenant,) = _only_one(desk, "rotate --master and --config")
    if arguments.master:
        number = await rotate_master(desk.context, tenant)
        said = f"master {number} makes tickets and generations from now on; those that exist keep theirs"
        desk.tell({"master": number}, said)
        return
    number = await rotate_config(desk.context, tenant)
    said = f"config key {number} is announced to every gate, and signs for each gate that has heard of it"
    desk.tell({"config": number}, said)


async def _rewrap(arguments: argparse.Namespace, desk: Desk) -> None:
    ring = desk.context.vault.wrapping.ring
    total = await count_foreign(desk.context, desk.tenants, ring.current)
    done = 0

    def progress(step: int) -> None:
        nonlocal done
        done += step
        sys.stderr.write(f"wrapped {done} of {max(total, done)} with {ring.current}\n")
        sys.stderr.flush()

    result = await rewrap_all(desk.context, desk.tenants, progress, batch=arguments.batch)
    desk.tell(result, f"{result.keys} stored keys wrapped anew, all are under {result.kek} now")


async def _retire(arguments: argparse.Namespace, desk: Desk) -> None:
    if arguments.kek is not None:
        if arguments.tenant is not None:
            raise InputUnusable("--kek is about all tenants: leave --tenant out")
        await retire_kek(desk.context, desk.tenants, arguments.kek)
        said = f"nothing is wrapped with {arguments.kek} any more: take it out of QR_ENCRYPTION_KEY and start the servers again"
        desk.tell({"kek": arguments.kek, "needed": False}, said)
        return
    (tenant,) = _only_one(desk, "retire --master and --config")
    kind = KeyKind.CONFIG if arguments.master is None else KeyKind.MASTER
    number = arguments.config if arguments.master is None else arguments.master
    await retire_key(desk.context, tenant, kind, number)
    desk.tell({"kind": kind, "number": number, "retired": True}, f"{kind} key {number} is erased")


async def _find_owner(desk: Desk, event: EventId) -> TenantId:
    for tenant in desk.tenants:
        async with desk.context.db.tenant(tenant) as tx:
            if await tx.events.get(event) is not None:
                return tenant
    raise EventUnknown("There is no event of this id: `tickettoken keys status` lists them.")


def _only_one(desk: Desk, what: str) -> list[TenantId]:
    if len(desk.tenants) != 1:
        raise InputUnusable(f"{what} are about one tenant: name it with --tenant")
    return desk.tenants


def describe_tenant(one: TenantStatus, names: tuple[str, ...]) -> list[str]:
    """Return a tenant's keys for people."""
    lines = [f"tenant {one.tenant_id}"]
    for count in one.wrapped_with:
        note = "" if count.kek in names else "  MISSING in QR_ENCRYPTION_KEY"
        lines.append(f"  {count.keys:>6} {count.kind:<8} wrapped with {count.kek}{note}")
    for master in one.masters:
        note = ", makes new ones" if master.newest else ""
        lines.append(f"  master {master.number}: {master.generations} generations of tickets{note}")
    for config in one.config_keys:
        note = ", the newest" if config.newest else ""
        lines.append(f"  config key {config.number}: believed by {config.gates} gates{note}")
    return lines + [f"  {describe_event(event)}" for event in one.events]


def describe_event(event: EventStatus) -> str:
    """Return an event's epochs for people."""
    until = "no keys yet" if event.stored_until is None else f"keys until {event.stored_until:%Y-%m-%d %H:%M} UTC"
    replaced = f", {event.replaced} older keys still read" if event.replaced else ""
    gates = f"{event.gates} gates" + (f", {event.gates_behind} NOT UP TO DATE" if event.gates_behind else "")
    return f"event {event.event_id}  {event.name}: epoch {event.epoch}, {until}{replaced}; {gates}"


def describe_rotation(rotated: Rotated, event: EventStatus) -> list[str]:
    """Return what a rotation did for people."""
    lines = [f"new keys from epoch {rotated.first_epoch} on; {rotated.replaced} stored epochs replaced"]
    if rotated.accepted_until is None:
        lines.append("codes fetched before go on counting; nobody has to do anything")
    else:
        lines.append(
            f"codes fetched before count until {rotated.accepted_until:%H:%M:%S} UTC: phones with a network refresh"
        )
        if rotated.paper_codes:
            lines.append("printed tickets end then as well: have them printed anew, or let the box office help")
    if event.gates_behind:
        lines.append(
            f"{event.gates_behind} of {event.gates} gates do not have the new keys yet: linked ones get them within seconds, the "
            "others cannot read codes fetched from now on for those epochs (see `tickettoken keys status`)"
        )
    elif event.gates:
        lines.append(f"all {event.gates} gates have the new keys")
    return lines
