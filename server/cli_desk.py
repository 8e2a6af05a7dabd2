"""An installation opened for one command about one tenant, and how it answers."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from msgspec import Struct

from server.cli_deeds import noting
from server.cli_tools import open_plan
from server.parts import open_parts
from server.services.context import Context
from server.settings import LogLevel
from shared.ids import TenantId
from shared.logs import configure_logs
from shared.problems import InputUnusable, NotFound


class TenantAbsent(NotFound):
    """There is no tenant of this id."""

    code = "tenant_absent"


class TenantDesk(Struct, frozen=True, kw_only=True):
    """An opened installation, and the tenant the command is about."""

    context: Context
    tenant: TenantId
    json: bool

    def tell(self, answer: object, *lines: str) -> None:
        """Print the answer: the struct as JSON, or lines for people."""
        text = msgspec.json.encode(answer).decode() if self.json else "\n".join(lines)
        sys.stdout.write(text + "\n")


Work = Callable[[argparse.Namespace, TenantDesk], Awaitable[None]]


def run_at_desk(arguments: argparse.Namespace, environ: Mapping[str, str], work: Work) -> int:
    """Open the installation, do the work for the tenant named by `--tenant`, or for the only one there is, and return 0.

    Raises:
        InputUnusable: there are several tenants and none is named.
        TenantAbsent: there is none, or not the one named.
        Whatever opening and the work raise.
    """

    async def run() -> None:
        async with open_plan(arguments, environ) as plan, open_parts(plan) as parts:
            async with parts.database.worker() as unit:
                tenants = await unit.maintenance.tenants()
            tenant = _choose(tenants, arguments)
            async with noting(arguments, parts.context, [tenant]):
                await work(arguments, TenantDesk(context=parts.context, tenant=tenant, json=arguments.json))

    # The answer is on standard output alone; what is worth a log line is said by the answer already.
    configure_logs(LogLevel.WARNING)
    asyncio.run(run())
    return 0


def _choose(tenants: list[TenantId], arguments: argparse.Namespace) -> TenantId:
    if arguments.tenant is not None:
        if arguments.tenant not in tenants:
            raise TenantAbsent("there is no tenant of this id: `tickettoken keys status` lists them")
        return TenantId(arguments.tenant)
    if not tenants:
        raise TenantAbsent("there is no tenant yet: `tickettoken seed` makes some to try things with")
    if len(tenants) > 1:
        raise InputUnusable("there are several tenants: name one with --tenant")
    return tenants[0]
