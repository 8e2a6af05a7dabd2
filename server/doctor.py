"""Examines an installation: every check looks at the thing itself and says what it saw."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct

from server import doctor_messages as messages
from server.db import selfcheck
from server.db.pool import PgDatabase, PoolSizes, open_database
from server.doctor_gates import compare_accounts
from server.doctor_messages import Seen
from server.parts import ServerPlan
from server.services.keys import KeyVault
from shared.problems import TicketTokenError

_CLOCK_TOLERANCE_S = 2.0
_FEW = PoolSizes(app=2, worker=2)

Check = Callable[[], Awaitable[Seen]]


class Finding(Struct, frozen=True, kw_only=True):
    """What one check saw; something with a ``warning`` works and is still worth a look."""

    name: str
    ok: bool
    detail: str
    warning: bool = False


class ClockOff(TicketTokenError):
    """This machine and the database disagree about the time."""

    code = "clock_off"


async def examine(plan: ServerPlan) -> list[Finding]:
    """Return what there is to say of database, broker and Redis; of one that is away just that."""
    findings: list[Finding] = []
    try:
        async with open_database(plan.app_dsn, plan.worker_dsn, _FEW) as database:
            findings += await _look_at_all(_checks(plan, database))
            findings += await _look_at_all(_gate_checks(plan, database))
    except TicketTokenError as problem:
        findings.append(Finding(name="database", ok=False, detail=str(problem)))
    findings += await _examine_broker(plan)
    return findings + await _look_at_all({"redis": lambda: messages.reach_redis(plan)})


def _checks(plan: ServerPlan, database: PgDatabase) -> Mapping[str, Check]:
    async def reach() -> Seen:
        await database.ping()
        return Seen(detail=f"PostgreSQL {await selfcheck.read_server_version(database)} answers both roles")

    async def roles() -> Seen:
        names = " and ".join(await selfcheck.check_roles(database))
        return Seen(detail=f"{names} cannot step over the walls between tenants")

    async def walls() -> Seen:
        count = await selfcheck.check_walls(database)
        return Seen(detail=f"row-level security is forced on all {count} tables with tenants' rows")

    async def schema() -> Seen:
        version, known = await selfcheck.check_schema(database), await selfcheck.known_version()
        if version > known:
            # In the middle of an upgrade that is right; on another day somebody forgot to install the newer program.
            return Seen(detail=f"version {version}; this program was written for {known}, and may go on", warning=True)
        return Seen(detail=f"version {version}, as this program needs it")

    return {
        "database": reach,
        "roles": roles,
        "walls": walls,
        "schema": schema,
        "clock": lambda: _compare_clocks(plan, database),
        "keys": lambda: _open_keys(plan, database),
        "facts": lambda: messages.count_facts(database, plan.clock),
    }


def _gate_checks(plan: ServerPlan, database: PgDatabase) -> Mapping[str, Check]:
    broker = plan.gate_broker
    return {} if broker is None else {"gate accounts": lambda: compare_accounts(broker, database)}


async def _examine_broker(plan: ServerPlan) -> list[Finding]:
    url, api_url = plan.rabbitmq_url, plan.rabbitmq_management_url
    if url is None:
        return [Finding(name="broker", ok=True, detail=messages.NO_BROKER)]
    first = await _look("broker", lambda: messages.reach_broker(url))
    if not first.ok:
        return [first]
    checks: dict[str, Check] = {
        "topology": lambda: messages.compare_topology(plan, url),
        "permissions": lambda: messages.try_permissions(url),
        "queues": lambda: messages.count_letters(url),
    }
    if api_url is not None:
        checks["broker clock"] = lambda: messages.compare_broker_clock(api_url, plan.clock)
    return [first, *await _look_at_all(checks)]


async def _compare_clocks(plan: ServerPlan, database: PgDatabase) -> Seen:
    async with database.worker() as unit:
        before = plan.clock.now()
        theirs = await unit.maintenance.server_clock()
        after = plan.clock.now()
    # The answer was made somewhere between asking and hearing.
    off_s = max((before - theirs).total_seconds(), (theirs - after).total_seconds(), 0.0)
    if off_s > _CLOCK_TOLERANCE_S:
        raise ClockOff(f"this machine and the database are {off_s:.1f} s apart: have both follow a time server")
    within_s = max(off_s, (after - before).total_seconds())
    return Seen(detail=f"this machine and the database agree to within {within_s:.3f} s")


async def _open_keys(plan: ServerPlan, database: PgDatabase) -> Seen:
    vault = KeyVault(plan.ring, plan.random_bytes, plan.clock)
    async with database.worker() as unit:
        tenants = await unit.maintenance.tenants()
    opened = 0
    for tenant in tenants:
        async with database.tenant(tenant) as tx:
            opened += await vault.unwrap_all(tx)
    return Seen(detail=f"{opened} keys of {len(tenants)} tenants open with {plan.ring!r}")


async def _look_at_all(checks: Mapping[str, Check]) -> list[Finding]:
    return [await _look(name, check) for name, check in checks.items()]


async def _look(name: str, check: Check) -> Finding:
    try:
        seen = await check()
    except TicketTokenError as problem:
        return Finding(name=name, ok=False, detail=str(problem))
    return Finding(name=name, ok=True, detail=seen.detail, warning=seen.warning)
