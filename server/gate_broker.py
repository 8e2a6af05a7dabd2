"""Gates over RabbitMQ, put together: their accounts and streams kept in line, their feed pressed, what they say answered.

None of it is needed: without a broker, and while it is away, gates keep to the WebSocket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

import structlog
from msgspec import Struct

from server.bus.gate_office import RabbitOffice, open_office
from server.bus.gate_topology import GATES, SCANS, WORDS, joined
from server.bus.rabbit import RabbitBus, open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import TICKETS
from server.db.broker_store import open_leader_session
from server.db.pool import PgDatabase
from server.domain.access import GateCaller
from server.services.broker_access import BrokerOffer
from server.services.broker_keeper import BrokerKeeper
from server.services.context import Context
from server.services.feed_press import FeedPress, PressParts
from server.services.gate_mail import GateMail
from server.services.ports_broker import LeaderSession
from server.services.pulse import Beat, no_beat
from server.services.snapshot import Snapshots
from server.settings import Settings
from shared.problems import SettingsInvalid, TicketTokenError
from shared.settings import Secret

_LOOK_EVERY_S = 15.0
"""A notice may be lost, and a leader may have gone: so long at most until the next one looks."""

_RETRY_S = (0.2, 1.0, 5.0, 15.0)
_CHANNELS = ("broker", "feed", "command")

log = structlog.get_logger()


class GateBrokerPlan(Struct, frozen=True, kw_only=True):
    """How this server and its gates reach the broker.

    ``inspect_every_s`` is how often it is looked whether the broker still has everything.
    ``url`` and ``management_url`` are this server's, with its account; ``address`` is the gates', without one; ``authority``
    holds the certificates (PEM) that vouch for the broker to gates, None for those a machine trusts anyway.
    """

    url: Secret
    management_url: Secret
    address: str
    authority: str | None = None
    inspect_every_s: float = 60.0

    @property
    def vhost(self) -> str:
        """The virtual host in use."""
        return unquote(urlsplit(self.url.value).path[1:]) or "/"

    @property
    def offer(self) -> BrokerOffer:
        """What gates are told."""
        return BrokerOffer(address=self.address, authority=self.authority)


class GateBroker(Struct, frozen=True, kw_only=True, eq=False):
    """The broker as gates use it, opened."""

    bus: RabbitBus
    office: RabbitOffice
    inspect_every_s: float


def plan_gate_broker(settings: Settings) -> GateBrokerPlan | None:
    """Return the plan the settings amount to, None where gates get no broker.

    Raises:
        SettingsInvalid: one setting lacks the others, or the address cannot be meant.
    """
    address, url, management_url = settings.gate_amqp_url, settings.rabbitmq_url, settings.rabbitmq_management_url
    if address is None:
        return None
    if url is None or management_url is None:
        raise SettingsInvalid("GATE_AMQP_URL needs RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL beside it.")
    authority = settings.gate_amqp_ca
    plan = GateBrokerPlan(url=url, management_url=management_url, address=address, authority=authority)
    parts = urlsplit(address)
    if parts.scheme not in {"amqp", "amqps"} or not parts.hostname or parts.username or parts.password:
        raise SettingsInvalid("GATE_AMQP_URL is amqps://host:port/vhost, without an account: each gate gets its own.")
    if (unquote(parts.path[1:]) or "/") != plan.vhost:
        raise SettingsInvalid("GATE_AMQP_URL and RABBITMQ_URL name different virtual hosts.")
    return plan


@asynccontextmanager
async def open_gate_broker(plan: GateBrokerPlan) -> AsyncIterator[GateBroker]:
    """Open the broker for the length of a block; it is connected to when it is first used."""
    rabbit = RabbitPlan(url=plan.url, topology=joined(TICKETS, GATES))
    async with open_rabbit(rabbit) as bus, open_office(plan.management_url, plan.vhost) as office:
        yield GateBroker(bus=bus, office=office, inspect_every_s=plan.inspect_every_s)


class _Bells:
    """Bells that notices ring, and how long to wait before looking whether all is still there."""

    def __init__(self, inspect_every_s: float) -> None:
        self.inspect_every_s = inspect_every_s
        self.accounts = asyncio.Event()
        self.feed = asyncio.Event()
        self.commands = asyncio.Event()
        self.commanded: set[str] = set()

    def ring(self, channel: str, payload: str) -> None:
        """Take a notice; a new event's stream needs both, and which gate was commanded is in its notice."""
        if channel == "command":
            self.commanded.add(payload)
            self.commands.set()
            return
        self.feed.set()
        if channel == "broker":
            self.accounts.set()


async def run_gate_broker(
    broker: GateBroker, context: Context, database: PgDatabase, snapshots: Snapshots, beat: Beat = no_beat
) -> None:
    """Serve gates over the broker until cancelled; whatever is away is waited for."""
    mail = GateMail(context, broker.bus)
    keeper = BrokerKeeper(broker.office, database, context.clock)
    press = FeedPress(PressParts(context=context, book=database, bus=broker.bus, snapshots=snapshots))
    bells = _Bells(broker.inspect_every_s)
    async with asyncio.TaskGroup() as group:
        group.create_task(_persist("words", lambda: broker.bus.consume(WORDS, mail.on_word)))
        group.create_task(_persist("scans", lambda: broker.bus.consume(SCANS, mail.on_scans)))
        group.create_task(database.listen(_CHANNELS, bells.ring))
        group.create_task(_persist("leader", lambda: _lead(database, keeper, press, bells)))
        group.create_task(_persist("commands", lambda: _keep_commanding(database, mail, bells)))
        group.create_task(_keep_beating(beat))


async def _lead(database: PgDatabase, keeper: BrokerKeeper, press: FeedPress, bells: _Bells) -> None:
    async with open_leader_session(database) as session:
        while not await session.lead():  # noqa: ASYNC110 - a database lock tells nobody that it is free
            await asyncio.sleep(_LOOK_EVERY_S)
        log.info("gate_broker.leading")
        await keeper.inspect()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_keep_accounts(session, keeper, bells))
                group.create_task(_keep_inspecting(session, keeper, bells))
                group.create_task(_keep_pressing(session, press, bells))
        except BaseExceptionGroup as problems:
            raise _first(problems) from None


async def _keep_accounts(session: LeaderSession, keeper: BrokerKeeper, bells: _Bells) -> None:
    while True:
        bells.accounts.clear()
        await session.lead()
        if await keeper.run_once():
            bells.feed.set()
        await _ring(bells.accounts, _LOOK_EVERY_S)


async def _keep_inspecting(session: LeaderSession, keeper: BrokerKeeper, bells: _Bells) -> None:
    while True:
        await asyncio.sleep(bells.inspect_every_s)
        await session.lead()
        repairs = await keeper.inspect()
        if repairs.streams:
            bells.accounts.set()


async def _keep_pressing(session: LeaderSession, press: FeedPress, bells: _Bells) -> None:
    while True:
        bells.feed.clear()
        await session.lead()
        await press.run_once()
        await _ring(bells.feed, _LOOK_EVERY_S)


async def _keep_commanding(database: PgDatabase, mail: GateMail, bells: _Bells) -> None:
    """Have gates hear at once what they are to obey; every process does so, and hearing it twice does no harm."""
    while True:
        await bells.commands.wait()
        bells.commands.clear()
        commanded, bells.commanded = bells.commanded, set()
        async with database.worker() as unit:
            accounts = [one for one in await unit.broker.accounts() if str(one.gate) in commanded and not one.revoked]
        for account in accounts:
            await mail.tell_commands(GateCaller(tenant=account.tenant, gate=account.gate))


async def _ring(bell: asyncio.Event, longest_s: float) -> None:
    try:
        async with asyncio.timeout(longest_s):
            await bell.wait()
    except TimeoutError:
        return


async def _persist(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Begin work again whenever it ends with a problem: gates have another way meanwhile, so the server goes on."""
    failures = 0
    while True:
        began_s = asyncio.get_running_loop().time()
        try:
            await work()
        except TicketTokenError as problem:
            log.warning("gate_broker.interrupted", part=name, code=problem.code, message=str(problem))
        lasted_s = asyncio.get_running_loop().time() - began_s
        failures = 0 if lasted_s > _RETRY_S[-1] else failures + 1
        await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])


async def _keep_beating(beat: Beat) -> None:
    while True:
        beat()
        await asyncio.sleep(_LOOK_EVERY_S)


def _first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = problems.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
