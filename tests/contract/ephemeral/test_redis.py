"""The store in Redis keeps the contract, and keeps its head when Redis is away."""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from msgspec import Struct
from redis.asyncio import Redis

from server.ephemeral.redis_door import RedisPlan
from server.ephemeral.redis_store import RedisEphemeral, open_redis
from server.services.ports_ephemeral import EphemeralAway, Missed, Said
from shared.clock import ManualClock
from shared.settings import Secret
from tests.contract.ephemeral.contract import ANNA, FIVE, EphemeralContract, Rig, hear
from tests.services.messages import Request
from tests.services.private import PrivateService

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
# Where a test is not about slowness, a busy machine must not look like an absent Redis.
PATIENT_S = 20.0


class TestRedisEphemeral(EphemeralContract):
    """The contract, with two stores as two processes would have them, by the server's own clock."""

    @pytest.fixture
    async def rig(self, redis_url: str, clock: ManualClock) -> AsyncIterator[Rig]:
        plan = RedisPlan(url=Secret(redis_url), prefix=f"test-{secrets.token_hex(6)}", timeout_s=PATIENT_S)
        counts: Counter[str] = Counter()
        async with (
            open_redis(plan, clock, lambda name: counts.update([name])) as store,
            open_redis(plan, clock, lambda name: counts.update([name])) as other,
            Redis.from_url(redis_url) as admin,
        ):
            yield Rig(store, other, lambda step: wait_until_later(admin, step))
        assert not counts, "Redis was away during the test"

    async def test_every_key_carries_the_tenant_and_ends_by_itself(self, redis_url: str, clock: ManualClock) -> None:
        plan = RedisPlan(url=Secret(redis_url), prefix=f"test-{secrets.token_hex(6)}", timeout_s=PATIENT_S)
        async with open_redis(plan, clock, Counter[str]().update) as store, Redis.from_url(redis_url) as admin:
            await store.take(ANNA, "k", FIVE)
            await store.put(ANNA, "k", b"v", MINUTE)
            keys = [key async for key in admin.scan_iter(f"{plan.prefix}:*", count=1000)]
            assert len(keys) == 2
            assert all(key.decode().startswith(f"{plan.prefix}:{ANNA}:") for key in keys)
            lives_ms = [await admin.pttl(key) for key in keys]
            assert all(0 < life_ms <= 60_000 for life_ms in lives_ms)


async def wait_until_later(admin: Redis, step: timedelta) -> None:
    """Return once the server's clock has moved on by a step."""
    begun = await admin.time()
    target_us = begun[0] * 1_000_000 + begun[1] + step // timedelta(microseconds=1)
    async with asyncio.timeout(step.total_seconds() + 5):
        while (now := await admin.time())[0] * 1_000_000 + now[1] < target_us + 1000:
            continue


class Mortal(Struct, frozen=True):
    """A store whose Redis can be killed."""

    store: RedisEphemeral
    server: PrivateService
    counts: Counter[str]
    clock: ManualClock


@pytest.fixture
def server() -> Iterator[PrivateService]:
    service = PrivateService(Request(service="valkey"))
    service.start()
    yield service
    service.stop()


@asynccontextmanager
async def store_of(
    server: PrivateService, clock: ManualClock, *, timeout_s: float = PATIENT_S
) -> AsyncIterator[Mortal]:
    """Open a store on a server of this test's own."""
    counts: Counter[str] = Counter()
    plan = RedisPlan(url=Secret(server.running.url), timeout_s=timeout_s)
    async with open_redis(plan, clock, lambda name: counts.update([name])) as store:
        yield Mortal(store, server, counts, clock)


async def test_limits_go_on_in_the_process_when_redis_is_killed(server: PrivateService, clock: ManualClock) -> None:
    async with store_of(server, clock) as mortal:
        assert not (await mortal.store.take(ANNA, "k", FIVE)).process_only
        await asyncio.to_thread(server.kill)
        answers = [await mortal.store.take(ANNA, "k", FIVE) for _ in range(6)]
        assert [answer.allowed for answer in answers] == [True] * 5 + [False]
        assert all(answer.process_only for answer in answers)
        assert mortal.counts["ephemeral.limit_fallback"] == 6


async def test_a_cache_is_empty_and_nobody_is_told_while_redis_is_away(
    server: PrivateService, clock: ManualClock
) -> None:
    async with store_of(server, clock) as mortal:
        await mortal.store.put(ANNA, "k", b"v", MINUTE)
        assert await mortal.store.get(ANNA, "k") == b"v"
        await asyncio.to_thread(server.kill)
        assert await mortal.store.get(ANNA, "k") is None
        await mortal.store.put(ANNA, "k", b"v", MINUTE)
        await mortal.store.publish(ANNA, "live", b"x")
        assert mortal.counts["ephemeral.cache_skipped"] == 2
        assert mortal.counts["ephemeral.publish_skipped"] == 1
        with pytest.raises(EphemeralAway):
            await mortal.store.forget(ANNA, "k")


async def test_after_a_failure_redis_is_asked_again_after_pauses_that_double(
    server: PrivateService, clock: ManualClock
) -> None:
    async with store_of(server, clock) as mortal:
        await asyncio.to_thread(server.kill)
        failures = []
        for step_ms in (0, 0, 51, 50, 51, 100, 101):
            clock.advance(timedelta(milliseconds=step_ms))
            await mortal.store.take(ANNA, "k", FIVE)
            failures.append(mortal.counts["ephemeral.redis_failed"])
        assert failures == [1, 1, 2, 2, 3, 3, 4]
        await asyncio.to_thread(server.start)
        assert (await mortal.store.take(ANNA, "k", FIVE)).process_only
        clock.advance(SECOND)
        back = await mortal.store.take(ANNA, "k", FIVE)
        assert (back.process_only, back.remaining) == (False, 4)


async def test_calls_that_fail_together_count_as_one_failure_and_one_asks_for_all(
    server: PrivateService, clock: ManualClock
) -> None:
    async with store_of(server, clock, timeout_s=0.25) as mortal:
        server.signal(signal.SIGSTOP)
        await asyncio.gather(*(mortal.store.take(ANNA, "k", FIVE) for _ in range(10)))
        assert mortal.counts["ephemeral.redis_failed"] == 1
        clock.advance(SECOND)
        await asyncio.gather(*(mortal.store.take(ANNA, "k", FIVE) for _ in range(10)))
        assert mortal.counts["ephemeral.redis_failed"] == 2
        assert mortal.counts["ephemeral.limit_fallback"] == 20
        server.signal(signal.SIGCONT)


async def test_a_silent_redis_holds_nobody_up(server: PrivateService, clock: ManualClock) -> None:
    async with store_of(server, clock, timeout_s=RedisPlan(url=Secret("")).timeout_s) as mortal:
        await mortal.store.take(ANNA, "k", FIVE)
        server.signal(signal.SIGSTOP)
        clock.advance(SECOND)
        begun_s = asyncio.get_running_loop().time()
        assert (await mortal.store.take(ANNA, "k", FIVE)).process_only
        assert 0.2 <= asyncio.get_running_loop().time() - begun_s < 2.0
        server.signal(signal.SIGCONT)
        async with asyncio.timeout(20):
            while (await mortal.store.take(ANNA, "k", FIVE)).process_only:
                clock.advance(SECOND)


async def test_a_restarted_redis_costs_no_call(server: PrivateService, clock: ManualClock) -> None:
    async with store_of(server, clock) as mortal:
        await mortal.store.take(ANNA, "k", FIVE)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        # The pooled connection is dead and the script unknown to the new server.
        assert not (await mortal.store.take(ANNA, "k", FIVE)).process_only


async def test_a_listener_is_told_that_it_may_have_missed_something(server: PrivateService, clock: ManualClock) -> None:
    async with store_of(server, clock) as mortal, mortal.store.subscribe(ANNA, "live") as listener:
        await mortal.store.publish(ANNA, "live", b"before")
        assert await hear(listener) == Said(body=b"before")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        assert await hear(listener) == Missed(count=None)
        await mortal.store.publish(ANNA, "live", b"after")
        assert await hear(listener) == Said(body=b"after")


async def test_a_store_opens_and_listens_before_its_redis_is_there(server: PrivateService, clock: ManualClock) -> None:
    await asyncio.to_thread(server.kill)
    async with store_of(server, clock) as mortal, mortal.store.subscribe(ANNA, "live") as listener:
        assert (await mortal.store.take(ANNA, "k", FIVE)).process_only
        await asyncio.to_thread(server.start)
        assert await hear(listener) == Missed(count=None)
        clock.advance(SECOND)
        await mortal.store.publish(ANNA, "live", b"hello")
        assert await hear(listener) == Said(body=b"hello")
