"""What a server is made of: the plan it is opened with, and its parts opened and closed in one place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import structlog
from msgspec import Struct

from server.api.hub import LinkHub
from server.auth.gate_token import GateTokens
from server.auth.user_token import UserTokens
from server.db.pool import PgDatabase, PoolSizes, open_database
from server.db.selfcheck import check_database
from server.payments.absent import NoPayments
from server.payments.demo import DemoPayments
from server.services.codes import CodeMint
from server.services.context import HOLD, HORIZON, OVERLAP, Context
from server.services.keys import KeyVault
from server.services.payments import PaymentProvider
from server.services.relay import RelayState
from server.services.snapshot import Snapshots
from server.settings import Payments
from server.web.ticket_page.assets import PageAssets, load_assets
from shared.clock import Clock, SystemClock
from shared.codes.keys import KeyRing
from shared.ids import RandomBytes
from shared.settings import Secret

log = structlog.get_logger()


class ServerPlan(Struct, frozen=True, kw_only=True):
    """What a server is opened with; ``clock`` and ``random_bytes`` are the machine's unless a test brings its own.

    ``public_url`` is where people reach it, such as `https://tickets.example`; None: where a request says it came to.
    """

    app_dsn: str
    worker_dsn: str
    jwt_secret: Secret
    ring: KeyRing
    payments: Payments = Payments.NONE
    hold: timedelta = HOLD
    horizon: timedelta = HORIZON
    overlap: timedelta = OVERLAP
    print_font: Path | None = None
    connections: int = 10
    public_url: str | None = None
    clock: Clock = SystemClock()
    random_bytes: RandomBytes = os.urandom

    def __repr__(self) -> str:
        """Keep addresses and secrets out of logs."""
        return "ServerPlan(…)"


class Parts(Struct, frozen=True, kw_only=True):
    """The opened parts of a server."""

    database: PgDatabase
    context: Context
    tokens: UserTokens
    mint: CodeMint
    payments: PaymentProvider
    relay: RelayState
    gate_tokens: GateTokens
    snapshots: Snapshots
    hub: LinkHub
    page: PageAssets
    public_url: str | None
    print_font: Path | None


@asynccontextmanager
async def open_parts(plan: ServerPlan) -> AsyncIterator[Parts]:
    """Connect to the database and look whether it may be used.

    Raises:
        Unavailable: it is away, or lacks migrations.
        DatabaseUnsafe: it would not keep tenants apart.
        TooNew: it was made by a newer program.
    """
    sizes = PoolSizes(app=plan.connections)
    async with open_database(plan.app_dsn, plan.worker_dsn, sizes) as database:
        await check_database(database)
        context = Context(
            db=database,
            vault=KeyVault(plan.ring, plan.random_bytes, plan.clock),
            clock=plan.clock,
            random_bytes=plan.random_bytes,
            hold=plan.hold,
            horizon=plan.horizon,
            overlap=plan.overlap,
        )
        yield Parts(
            database=database,
            context=context,
            tokens=UserTokens(plan.jwt_secret, plan.clock),
            mint=CodeMint(),
            payments=_choose_payments(plan.payments),
            relay=RelayState(),
            gate_tokens=GateTokens(database, plan.clock),
            snapshots=Snapshots(database, context.vault, plan.random_bytes),
            hub=LinkHub(database),
            page=await asyncio.to_thread(load_assets),
            public_url=plan.public_url,
            print_font=plan.print_font,
        )


def _choose_payments(kind: Payments) -> PaymentProvider:
    if kind == Payments.DEMO:
        log.warning(
            "payments.demo", meaning="EVERY WELL-FORMED PAYMENT REFERENCE COUNTS AS PAID; never use this for money"
        )
        return DemoPayments()
    return NoPayments()
