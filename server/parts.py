"""What a server is made of: the plan it is opened with, and its parts opened and closed in one place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import structlog
from msgspec import Struct

from server.api.hub import LinkHub
from server.auth.gate_token import GateTokens
from server.auth.public_tokens import PublicTokens
from server.auth.user_token import UserTokens
from server.bus.checkup import count_queues
from server.bus.local import LocalBus
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.db.pool import PgDatabase, PoolSizes, open_database
from server.db.selfcheck import check_database
from server.ephemeral.opening import open_ephemeral
from server.gate_broker import GateBroker, GateBrokerPlan, open_gate_broker
from server.metrics.meters import Meters
from server.minting import Minting, open_minting
from server.payments.absent import NoPayments
from server.payments.demo import DemoPayments
from server.payments.stored import StoredPayments
from server.services.broker_access import BrokerOffer
from server.services.codes import CodeMint
from server.services.context import HOLD, HORIZON, OVERLAP, Context
from server.services.inbox import InboxState
from server.services.keys import KeyVault
from server.services.live import LiveDesk
from server.services.payments import PaymentProvider
from server.services.ports_bus import Bus
from server.services.ports_ephemeral import Ephemeral
from server.services.ports_metrics import Counts
from server.services.publisher import PublisherState
from server.services.pulse import Pulses
from server.services.relay import RelayState
from server.services.snapshot import Snapshots
from server.settings import Payments
from server.settings_access import AccessPlan, choose_keys
from server.settings_chain import ChainPlan
from server.settings_monitoring import MonitoringPlan
from server.web.ops.assets import OpsFiles, load_ops_files
from server.web.ticket_page.assets import PageAssets, load_assets
from shared.clock import Clock, SystemClock
from shared.codes.keys import KeyRing
from shared.ids import RandomBytes
from shared.settings import Secret

log = structlog.get_logger()


class Share(StrEnum):
    """Which part of the whole one process does."""

    ALL = "all"
    SERVE = "serve"
    """Answer requests and gates, and do what belongs to their connections."""
    WORK = "work"
    """Do what crosses tenants, and answer nothing but questions of health."""


class ServerPlan(Struct, frozen=True, kw_only=True):
    """What a server is opened with; ``clock`` and ``random_bytes`` are the machine's unless a test brings its own.

    ``public_url`` is where people reach it, such as `https://tickets.example`; None: where a request says it came to.
    """

    app_dsn: str
    worker_dsn: str
    jwt_secret: Secret | None
    ring: KeyRing
    share: Share = Share.ALL
    access: AccessPlan = AccessPlan()
    redis_url: Secret | None = None
    payments: Payments = Payments.NONE
    hold: timedelta = HOLD
    horizon: timedelta = HORIZON
    overlap: timedelta = OVERLAP
    print_font: Path | None = None
    connections: int = 10
    public_url: str | None = None
    rabbitmq_url: Secret | None = None
    rabbitmq_management_url: Secret | None = None
    gate_broker: GateBrokerPlan | None = None
    monitoring: MonitoringPlan | None = None
    keep_people: timedelta | None = None
    chain: ChainPlan | None = None
    clock: Clock = SystemClock()
    random_bytes: RandomBytes = os.urandom

    def __repr__(self) -> str:
        """Keep addresses and secrets out of logs."""
        return "ServerPlan(…)"


class Parts(Struct, frozen=True, kw_only=True):
    """The opened parts of a server."""

    share: Share
    database: PgDatabase
    context: Context
    access: AccessPlan
    tokens: UserTokens
    public_tokens: PublicTokens | None
    mint: CodeMint
    payments: PaymentProvider
    relay: RelayState
    gate_tokens: GateTokens
    snapshots: Snapshots
    hub: LinkHub
    live: LiveDesk
    page: PageAssets
    ops_files: OpsFiles
    public_url: str | None
    print_font: Path | None
    pulses: Pulses
    bus: Bus
    publisher: PublisherState
    inbox: InboxState
    has_redis: bool
    meters: Meters
    gate_broker: GateBroker | None = None
    broker_offer: BrokerOffer | None = None
    minting: Minting | None = None
    count_queues: Callable[[], Awaitable[Mapping[str, int]]] | None = None
    """How many messages lie in the broker's queues; None without a broker."""

    @property
    def has_broker(self) -> bool:
        """Tell whether messages go through a broker of its own."""
        return self.count_queues is not None


@asynccontextmanager
async def open_bus(plan: ServerPlan) -> AsyncIterator[Bus]:
    """Open the broker's bus, or one within this process; a broker that is away is connected to when it is back."""
    if plan.rabbitmq_url is None:
        yield LocalBus(plan.clock)
        return
    async with open_rabbit(RabbitPlan(url=plan.rabbitmq_url)) as bus:
        yield bus


@asynccontextmanager
async def open_parts(plan: ServerPlan) -> AsyncIterator[Parts]:
    """Connect to the database and look whether it may be used.

    Raises:
        Unavailable: it is away, or lacks migrations.
        DatabaseUnsafe: it would not keep tenants apart.
        TooNew: it was made by a newer program.
    """
    meters = await asyncio.to_thread(Meters)
    async with (
        open_database(plan.app_dsn, plan.worker_dsn, PoolSizes(app=plan.connections)) as database,
        open_ephemeral(plan.redis_url, plan.clock, meters.fell_back) as ephemeral,
        open_bus(plan) as bus,
        _open_gate_broker(plan.gate_broker) as gate_broker,
        AsyncExitStack() as stack,
    ):
        await check_database(database)
        context = _make_context(plan, database, ephemeral, meters)
        yield Parts(
            share=plan.share,
            database=database,
            context=context,
            access=plan.access,
            tokens=UserTokens(plan.jwt_secret, plan.clock, plan.access.rules),
            public_tokens=_choose_public_tokens(plan),
            mint=CodeMint(),
            payments=_choose_payments(plan.payments, database),
            relay=RelayState(),
            gate_tokens=GateTokens(database, plan.clock),
            snapshots=Snapshots(database, context.vault, plan.random_bytes),
            hub=LinkHub(database),
            live=LiveDesk(context),
            page=await asyncio.to_thread(load_assets),
            ops_files=await asyncio.to_thread(load_ops_files),
            public_url=plan.public_url,
            print_font=plan.print_font,
            pulses=Pulses(),
            bus=bus,
            publisher=PublisherState(),
            inbox=InboxState(),
            has_redis=plan.redis_url is not None,
            meters=meters,
            gate_broker=gate_broker,
            minting=await stack.enter_async_context(_open_minting(plan.chain, database, context)),
            count_queues=None if plan.rabbitmq_url is None else partial(count_queues, plan.rabbitmq_url),
            broker_offer=None if plan.gate_broker is None else plan.gate_broker.offer,
        )


def _make_context(plan: ServerPlan, database: PgDatabase, ephemeral: Ephemeral, counts: Counts) -> Context:
    return Context(
        db=database,
        vault=KeyVault(plan.ring, plan.random_bytes, plan.clock),
        ephemeral=ephemeral,
        clock=plan.clock,
        random_bytes=plan.random_bytes,
        hold=plan.hold,
        horizon=plan.horizon,
        overlap=plan.overlap,
        counts=counts,
        keep_people=plan.keep_people,
    )


def _choose_public_tokens(plan: ServerPlan) -> PublicTokens | None:
    keys = choose_keys(plan.access, plan.clock)
    return None if keys is None else PublicTokens(keys, plan.clock, plan.access.rules)


def _choose_payments(kind: Payments, database: PgDatabase) -> PaymentProvider:
    if kind == Payments.FACTS:
        return StoredPayments(database)
    if kind == Payments.DEMO:
        log.warning(
            "payments.demo", meaning="EVERY WELL-FORMED PAYMENT REFERENCE COUNTS AS PAID; never use this for money"
        )
        return DemoPayments()
    return NoPayments()


@asynccontextmanager
async def _open_gate_broker(plan: GateBrokerPlan | None) -> AsyncIterator[GateBroker | None]:
    if plan is None:
        yield None
        return
    async with open_gate_broker(plan) as opened:
        yield opened


@asynccontextmanager
async def _open_minting(
    plan: ChainPlan | None, database: PgDatabase, context: Context
) -> AsyncIterator[Minting | None]:
    if plan is None:
        yield None
        return
    async with open_minting(plan, database, context) as opened:
        yield opened
