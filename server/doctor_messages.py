"""The doctor's look at what lies between this program and others: the broker, what waits to be told, and Redis."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from server.bus import checkup
from server.bus.gate_topology import GATES, joined
from server.bus.inspection import check_topology, read_broker_clock
from server.bus.problems import TopologyDiffers
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import TICKETS
from server.ephemeral.opening import open_ephemeral
from server.parts import ServerPlan
from server.services.ports_facts import RefusalDatabase
from shared.clock import Clock
from shared.problems import TicketTokenError
from shared.settings import Secret

PATIENCE = timedelta(minutes=5)
"""How long a fact may wait before that is worth a word."""

_BROKER_CLOCK_TOLERANCE_S = 3.0
"""The broker tells whole seconds."""

NO_BROKER = "no RABBITMQ_URL is set: other programs are told nothing, and tell nothing but over REST"


class BrokerClockOff(TicketTokenError):
    """This machine and the broker's disagree about the time."""

    code = "broker_clock_off"


class Seen(Struct, frozen=True, kw_only=True):
    """What a check saw; a ``warning`` is nothing broken, and still for a person to look at."""

    detail: str
    warning: bool = False


async def reach_broker(url: Secret) -> Seen:
    """Look whether the broker answers and is new enough."""
    return Seen(detail=f"{await checkup.check_version(url)} answers")


async def compare_topology(plan: ServerPlan, url: Secret) -> Seen:
    """Look whether exchanges, queues and bindings are as they must be; closely with the management API."""
    topology = TICKETS if plan.gate_broker is None else joined(TICKETS, GATES)
    rabbit = RabbitPlan(url=url, topology=topology)
    await checkup.check_declared(rabbit)
    if plan.rabbitmq_management_url is None:
        return Seen(detail="exchanges, queues and bindings are declared as this program needs them")
    differences = await check_topology(plan.rabbitmq_management_url, rabbit.vhost, topology)
    if differences:
        told = "; ".join(f"{one.what}: {one.found} instead of {one.expected}" for one in differences[:5])
        raise TopologyDiffers(f"{told}: remove what differs; what is missing is made when a server connects")
    return Seen(detail="exchanges, queues and bindings are exactly as this program needs them")


async def try_permissions(url: Secret) -> Seen:
    """Look whether the account may do what the program does."""
    return Seen(detail=f"this account may {', '.join(await checkup.check_permissions(url))}")


async def count_letters(url: Secret) -> Seen:
    """Look how many messages wait and how many are dead."""
    depths = await checkup.count_messages(url)
    detail = f"{depths.inbox} messages wait, {depths.dead} are dead"
    if depths.dead:
        return Seen(detail=f"{detail}: `tickettoken dlq list` says why", warning=True)
    return Seen(detail=detail)


async def compare_broker_clock(api_url: Secret, clock: Clock) -> Seen:
    """Look whether this machine and the broker's agree about the time."""
    theirs = await read_broker_clock(api_url)
    # It was cut to whole seconds, half a one on average.
    off_s = abs((clock.now() - theirs).total_seconds() - 0.5)
    if off_s > _BROKER_CLOCK_TOLERANCE_S:
        raise BrokerClockOff(f"this machine and the broker are {off_s:.0f} s apart: have both follow a time server")
    return Seen(detail="this machine and the broker agree to within its whole seconds")


async def count_facts(database: RefusalDatabase, clock: Clock) -> Seen:
    """Look whether what other programs are to be told leaves the database."""
    async with database.worker() as unit:
        waiting, parked = await unit.refusals.waiting(), await unit.refusals.count_parked()
    if parked:
        return Seen(detail=f"{parked} facts cannot be published: `tickettoken dlq list` says why", warning=True)
    age = clock.now() - waiting.oldest if waiting.oldest is not None else timedelta()
    if age > PATIENCE:
        detail = f"{waiting.waiting} facts wait, one since {age.total_seconds():.0f} s: see that a server runs and the broker"
        return Seen(detail=detail, warning=True)
    return Seen(detail=f"{waiting.waiting} facts wait to be published")


async def reach_redis(plan: ServerPlan) -> Seen:
    """Look whether Redis answers."""
    if plan.redis_url is None:
        return Seen(detail="no REDIS_URL is set: each server process counts calls for itself")
    async with open_ephemeral(plan.redis_url, plan.clock, _forget) as store:
        # Forgetting what was never kept asks Redis and changes nothing.
        await store.forget(None, "doctor")
    return Seen(detail="Redis answers")


def _forget(_: str) -> None:
    """Count nothing: whoever looks once is not watched."""
