"""A loop that hangs or ended is told from one that works."""

from __future__ import annotations

import asyncio

import pytest

from server.background import run_background
from server.services.pulse import Beat, Pulses, Worker, WorkerStopped, WorkerStuck
from shared.problems import Unavailable


class Seconds:
    """A counter moved by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Return the present second."""
        return self.now_s


async def rest(_: Beat) -> None:
    """Do nothing until cancelled."""
    await asyncio.Event().wait()


async def test_a_worker_that_was_never_started_is_stopped() -> None:
    pulse = Pulses().expect(Worker(name="idle", run=rest, silence_s=1.0))
    with pytest.raises(WorkerStopped, match="idle"):
        await pulse.check()


async def test_silence_beyond_its_time_is_being_stuck_until_the_next_beat() -> None:
    seconds = Seconds()
    pulse = Pulses(seconds).expect(Worker(name="loop", run=rest, silence_s=10.0))
    pulse.start()
    seconds.now_s += 10.0
    await pulse.check()
    seconds.now_s += 0.1
    with pytest.raises(WorkerStuck, match="loop has been silent for 10 s"):
        await pulse.check()
    pulse.beat()
    await pulse.check()
    assert pulse.beats == 1


async def test_a_worker_that_only_waits_for_others_is_never_stuck() -> None:
    seconds = Seconds()
    pulse = Pulses(seconds).expect(Worker(name="reader", run=rest, silence_s=None))
    pulse.start()
    seconds.now_s += 1e6
    await pulse.check()
    pulse.stop()
    with pytest.raises(WorkerStopped):
        await pulse.check()


async def test_all_workers_run_inside_the_block_and_none_after_it() -> None:
    pulses = Pulses()
    started = asyncio.Event()

    async def work(beat: Beat) -> None:
        beat()
        started.set()
        await rest(beat)

    workers = [Worker(name="one", run=work, silence_s=60.0), Worker(name="two", run=rest, silence_s=None)]
    async with run_background(workers, pulses):
        await started.wait()
        for pulse in pulses.all():
            await pulse.check()
    assert [pulse.name for pulse in pulses.all()] == ["one", "two"]
    for pulse in pulses.all():
        with pytest.raises(WorkerStopped):
            await pulse.check()


async def test_a_worker_that_fails_ends_the_block_with_its_problem() -> None:
    async def fail(_: Beat) -> None:
        raise Unavailable("gone")

    with pytest.raises(Unavailable, match="gone"):
        async with run_background([Worker(name="failing", run=fail, silence_s=None)], Pulses()):
            await asyncio.Event().wait()
