"""The queue in front of the decision, and those who follow the answers."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from gate.admit import Shown
from gate.desk import Audience, ScanDesk
from gate.outcome import Outcome, Took
from gate.store.problems import DiskFull
from gate.sync.backoff import Backoff, BackoffRange
from gate.watch import Watch
from shared.admission.verdict import admit
from shared.sync.scan import Mode


def outcome_of(shown: Shown) -> Outcome:
    """Return an answer that names what was shown."""
    return Outcome(
        scan=None,
        gate_seq=None,
        at=datetime(2026, 6, 20, tzinfo=UTC),
        verdict=admit(),
        code_id=hashlib.sha256(shown.text.encode()).hexdigest()[:8] + shown.text,
        mode=Mode.OFFLINE,
        took=Took(decode=0, verify=0, rule=0, commit=0, total=0),
    )


def shown(number: int) -> Shown:
    """Return a presented text."""
    return Shown(text=f"-{number}", taken_s=0.0)


class SlowDecider:
    """Decides when it is let."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def admit(self, shown: Shown) -> Outcome:
        """Return an outcome once the gate is open."""
        await self.gate.wait()
        return outcome_of(shown)


async def decided(desk: ScanDesk, decider: SlowDecider) -> None:
    """Let everything queued be decided and the desk close."""
    decider.gate.set()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(desk.work())
        group.create_task(desk.finish())


async def test_live_camera_keeps_the_newest_codes_when_the_desk_is_busy() -> None:
    decider, answers = SlowDecider(), list[str]()

    async def answer(outcome: Outcome) -> None:
        answers.append(outcome.code_id)

    desk = ScanDesk(decider, answer)
    for number in range(40):
        desk.offer(shown(number))
    await decided(desk, decider)
    assert [int(answer.partition("-")[2]) for answer in answers] == list(range(24, 40))


async def test_film_waits_and_loses_nothing() -> None:
    decider, answers = SlowDecider(), list[str]()

    async def answer(outcome: Outcome) -> None:
        answers.append(outcome.code_id)

    desk = ScanDesk(decider, answer)

    async def play() -> None:
        for number in range(40):
            await desk.put(shown(number))
        await desk.settle()
        assert len(answers) == 40
        await desk.finish()

    decider.gate.set()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(desk.work())
        group.create_task(play())
    assert [int(answer.partition("-")[2]) for answer in answers] == list(range(40))


async def test_slow_follower_gets_the_newest_and_the_fault_that_ended_the_gate() -> None:
    audience, seen = Audience(), list[Outcome]()
    following = audience.follow()
    first = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    for number in range(100):
        audience.publish(outcome_of(shown(number)))
    audience.end(DiskFull("full"))
    seen.append(await first)
    with pytest.raises(DiskFull):
        await collect(following, seen)
    assert 60 <= len(seen) <= 65
    assert seen[-1].code_id.endswith("-99")


async def collect(following: AsyncIterator[Outcome], seen: list[Outcome]) -> None:
    """Take every outcome that comes, one by one, so that what came before a fault is kept."""
    while True:
        try:
            seen.append(await anext(following))
        except StopAsyncIteration:
            return


async def test_follower_that_comes_after_the_end_is_sent_home() -> None:
    audience = Audience()
    audience.end(None)
    assert [outcome async for outcome in audience.follow()] == []


async def test_watch_wakes_for_what_holds_and_gives_up_in_time() -> None:
    watch, facts = Watch(), list[int]()
    waiting = asyncio.ensure_future(watch.until(lambda: len(facts) == 2, 5))
    await asyncio.sleep(0)
    for number in range(2):
        facts.append(number)
        watch.ring()
        await asyncio.sleep(0)
    assert await waiting
    assert not await watch.until(lambda: len(facts) == 3, 0.01)
    assert not await watch.next(0.01)


def test_pauses_grow_to_the_longest_and_begin_anew() -> None:
    backoff = Backoff(BackoffRange(first_s=0.2, longest_s=5.0, patient_s=30.0), lambda: 1.0)
    assert [round(backoff.next_s(), 1) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert backoff.next_s(patient=True) == 30.0
    backoff.reset()
    assert backoff.next_s() == 0.2


def test_pauses_are_spread_over_half_their_length() -> None:
    backoff = Backoff(BackoffRange(first_s=1.0, longest_s=1.0), lambda: 0.0)
    assert backoff.next_s() == 0.5


async def test_closed_lane_and_onlooker_keep_codes_from_being_decided() -> None:
    decider, answers, seen = SlowDecider(), list[str](), list[str]()

    async def answer(outcome: Outcome) -> None:
        answers.append(outcome.code_id)

    desk = ScanDesk(decider, answer)
    desk.open = False
    desk.offer(shown(1))
    await desk.put(shown(2))
    desk.open, desk.onlooker = True, seen.append
    desk.offer(shown(3))
    await desk.put(shown(4))
    desk.onlooker = None
    desk.offer(shown(5))
    await decided(desk, decider)
    assert [int(answer.partition("-")[2]) for answer in answers] == [5]
    assert seen == ["-3", "-4"]
