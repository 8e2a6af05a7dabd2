"""What every ephemeral store promises, as tests that run against each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from server.services.ports_ephemeral import Ephemeral, Heard, Limit, Missed, Said
from shared.ids import TenantId

ANNA = TenantId(UUID(int=1))
BERT = TenantId(UUID(int=2))

# Redis counts in its own time: a slow machine must get all of a test's calls into half of this.
WINDOW = timedelta(seconds=2)
FIVE = Limit(calls=5, window=WINDOW)
# One slice beyond the window: by then every call is forgotten.
ALL_FORGOTTEN = WINDOW * 1.1


class Rig(Struct, frozen=True):
    """A store, another view of the same store as a second process has it, and the passing of its time."""

    store: Ephemeral
    other: Ephemeral
    pass_time: Callable[[timedelta], Awaitable[None]]


async def hear(listener: AsyncIterator[Heard]) -> Heard:
    """Return what comes next, within the time a slow machine needs."""
    async with asyncio.timeout(20):
        return await anext(listener)


class EphemeralContract:
    """Collected through its subclasses, each of which has a fixture ``rig``."""

    async def test_a_burst_up_to_the_limit_is_allowed_at_once(self, rig: Rig) -> None:
        answers = [await rig.store.take(ANNA, "gate", FIVE) for _ in range(6)]
        assert [answer.allowed for answer in answers] == [True] * 5 + [False]
        assert [answer.remaining for answer in answers] == [4, 3, 2, 1, 0, 0]
        assert not any(answer.process_only for answer in answers)

    async def test_a_refusal_says_when_the_next_call_counts(self, rig: Rig) -> None:
        first = await rig.store.take(ANNA, "gate", FIVE)
        assert first.retry_s == 0
        for _ in range(4):
            await rig.store.take(ANNA, "gate", FIVE)
        refused = await rig.store.take(ANNA, "gate", FIVE)
        assert 0 < refused.retry_s <= refused.reset_s <= ALL_FORGOTTEN.total_seconds()
        await rig.pass_time(timedelta(seconds=refused.retry_s))
        assert (await rig.store.take(ANNA, "gate", FIVE)).allowed

    async def test_refused_calls_do_not_prolong_the_refusal(self, rig: Rig) -> None:
        for _ in range(5):
            await rig.store.take(ANNA, "gate", FIVE)
        await rig.pass_time(WINDOW / 2)
        for _ in range(20):
            assert not (await rig.store.take(ANNA, "gate", FIVE)).allowed
        await rig.pass_time(ALL_FORGOTTEN - WINDOW / 2)
        assert (await rig.store.take(ANNA, "gate", FIVE)).remaining == 4

    async def test_tenants_keys_and_limits_count_apart(self, rig: Rig) -> None:
        for _ in range(5):
            await rig.store.take(ANNA, "gate", FIVE)
        assert not (await rig.store.take(ANNA, "gate", FIVE)).allowed
        assert (await rig.store.take(BERT, "gate", FIVE)).remaining == 4
        assert (await rig.store.take(None, "gate", FIVE)).remaining == 4
        assert (await rig.store.take(ANNA, "door", FIVE)).remaining == 4
        assert (await rig.store.take(ANNA, "gate", Limit(calls=6, window=WINDOW))).remaining == 5

    async def test_calls_at_the_same_time_never_exceed_the_limit(self, rig: Rig) -> None:
        limit = Limit(calls=20, window=timedelta(minutes=1))
        async with asyncio.TaskGroup() as group:
            stores = [rig.store, rig.other] * 30
            tasks = [group.create_task(store.take(ANNA, "rush", limit)) for store in stores]
        assert sum(task.result().allowed for task in tasks) == 20

    async def test_a_cached_value_lasts_its_time(self, rig: Rig) -> None:
        short = timedelta(milliseconds=100)
        await rig.store.put(ANNA, "page", b"\x00old", timedelta(minutes=1))
        await rig.store.put(ANNA, "page", b"\x00new", short)
        assert await rig.other.get(ANNA, "page") == b"\x00new"
        assert await rig.store.get(BERT, "page") is None
        await rig.pass_time(short)
        assert await rig.store.get(ANNA, "page") is None

    async def test_a_forgotten_value_is_gone(self, rig: Rig) -> None:
        await rig.store.put(ANNA, "page", b"x", timedelta(minutes=1))
        await rig.store.forget(ANNA, "page")
        await rig.store.forget(ANNA, "page")
        assert await rig.store.get(ANNA, "page") is None

    async def test_limits_and_cache_do_not_meet_under_one_name(self, rig: Rig) -> None:
        await rig.store.put(ANNA, "same", b"x", timedelta(minutes=1))
        assert (await rig.store.take(ANNA, "same", FIVE)).remaining == 4
        assert await rig.store.get(ANNA, "same") == b"x"

    async def test_every_listener_hears_its_topic_in_order(self, rig: Rig) -> None:
        async with rig.store.subscribe(ANNA, "live") as one, rig.other.subscribe(ANNA, "live") as two:
            for body in (b"1", b"2", b"3"):
                await rig.store.publish(ANNA, "live", body)
            for listener in (one, two):
                assert [await hear(listener) for _ in range(3)] == [Said(body=body) for body in (b"1", b"2", b"3")]

    async def test_a_listener_hears_no_other_topic_and_no_other_tenant(self, rig: Rig) -> None:
        async with rig.store.subscribe(ANNA, "live") as listener:
            await rig.store.publish(ANNA, "quiet", b"other topic")
            await rig.store.publish(BERT, "live", b"other tenant")
            await rig.store.publish(ANNA, "live", b"mine")
            assert await hear(listener) == Said(body=b"mine")

    async def test_a_slow_listener_loses_the_oldest_and_is_told_how_many(self, rig: Rig) -> None:
        async with rig.store.subscribe(ANNA, "live") as slow, rig.store.subscribe(ANNA, "live") as quick:
            for number in range(300):
                await rig.store.publish(ANNA, "live", str(number).encode())
                assert await hear(quick) == Said(body=str(number).encode())
            assert await hear(slow) == Missed(count=44)
            assert [await hear(slow) for _ in range(256)] == [Said(body=str(n).encode()) for n in range(44, 300)]

    async def test_a_topic_can_be_left_and_joined_again(self, rig: Rig) -> None:
        for body in (b"1", b"2", b"3"):
            async with rig.store.subscribe(ANNA, "live") as listener:
                await rig.other.publish(ANNA, "live", body)
                assert await hear(listener) == Said(body=body)


async def _awaited(call: Awaitable[bool]) -> bool:
    return await call
