"""Examines an installation: every check looks at the thing itself and says what it saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from server.db import selfcheck
from server.db.pool import PgDatabase, PoolSizes, open_database
from server.parts import ServerPlan
from server.services.keys import KeyVault
from shared.problems import TicketTokenError

_CLOCK_TOLERANCE_S = 2.0
_FEW = PoolSizes(app=2, worker=2)


class Finding(Struct, frozen=True, kw_only=True):
    """What one check saw."""

    name: str
    ok: bool
    detail: str


class ClockOff(TicketTokenError):
    """This machine and the database disagree about the time."""

    code = "clock_off"


async def examine(plan: ServerPlan) -> list[Finding]:
    """Return what there is to say of database, roles, walls, schema, clocks and keys; without a database just that."""
    findings: list[Finding] = []
    try:
        async with open_database(plan.app_dsn, plan.worker_dsn, _FEW) as database:
            for name, check in _checks(plan, database).items():
                findings.append(await _look(name, check))
    except TicketTokenError as problem:
        findings.append(Finding(name="database", ok=False, detail=str(problem)))
    return findings


def _checks(plan: ServerPlan, database: PgDatabase) -> dict[str, Callable[[], Awaitable[str]]]:
    async def reach() -> str:
        await database.ping()
        return f"PostgreSQL {await selfcheck.read_server_version(database)} answers both roles"

    async def roles() -> str:
        return f"{' and '.join(await selfcheck.check_roles(database))} cannot step over the walls between tenants"

    async def walls() -> str:
        return f"row-level security is forced on all {await selfcheck.check_walls(database)} tables with tenants' rows"

    async def schema() -> str:
        return f"version {await selfcheck.check_schema(database)}, as this program needs it"

    return {
        "database": reach,
        "roles": roles,
        "walls": walls,
        "schema": schema,
        "clock": lambda: _compare_clocks(plan, database),
        "keys": lambda: _open_keys(plan, database),
    }


async def _compare_clocks(plan: ServerPlan, database: PgDatabase) -> str:
    async with database.worker() as unit:
        before = plan.clock.now()
        theirs = await unit.maintenance.server_clock()
        after = plan.clock.now()
    # The answer was made somewhere between asking and hearing.
    off_s = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if off_s > _CLOCK_TOLERANCE_S:
        raise ClockOff(f"this machine and the database are {off_s:.1f} s apart: have both follow a time server")
    return f"this machine and the database agree to within {max(off_s, (after - before).total_seconds()):.3f} s"


async def _open_keys(plan: ServerPlan, database: PgDatabase) -> str:
    vault = KeyVault(plan.ring, plan.random_bytes, plan.clock)
    async with database.worker() as unit:
        tenants = await unit.maintenance.tenants()
    opened = 0
    for tenant in tenants:
        async with database.tenant(tenant) as tx:
            opened += await vault.unwrap_all(tx)
    return f"{opened} keys of {len(tenants)} tenants open with {plan.ring!r}"


async def _look(name: str, check: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(name=name, ok=True, detail=await check())
    except TicketTokenError as problem:
        return Finding(name=name, ok=False, detail=str(problem))
