"""What runs beside the requests, each until the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.bus.envelope import decode_envelope
from server.bus.topology import INBOX
from server.chores_keeper import run_chores
from server.db.publisher_session import open_publisher_session
from server.db.relay_session import open_relay_session
from server.gate_broker import run_gate_broker
from server.key_keeper import run_key_keeper
from server.minting import run_minting
from server.parts import Parts, Share
from server.services.inbox import Reader, run_inbox
from server.services.publisher import Publisher, run_publisher
from server.services.pulse import Beat, Pulse, Pulses, Worker
from server.services.relay import run_relay
from server.sweeper import run_sweeper

_OF_CONNECTIONS = frozenset({"hub", "key_keeper", "live"})
"""What every process must do that gates are linked to; anything else is done once for all."""

# Twice the longest wait of a loop and the longest work it does in one round.
_QUICK_S = 60.0
_SLOW_S = 300.0


def background_work(parts: Parts) -> list[Worker]:
    """Return what runs in this process beside the requests; health asks each of them for signs of life."""
    return [one for one in _all_work(parts) if _is_ours(parts.share, one.name)]


def _is_ours(share: Share, name: str) -> bool:
    return share is Share.ALL or (share is Share.SERVE) == (name in _OF_CONNECTIONS)


def _all_work(parts: Parts) -> list[Worker]:
    return [
        Worker(
            name="relay",
            run=lambda beat: run_relay(lambda: open_relay_session(parts.database), parts.relay, beat),
            silence_s=_QUICK_S,
        ),
        Worker(name="hub", run=lambda beat: parts.hub.run(parts.database.listen, beat), silence_s=_QUICK_S),
        Worker(name="live", run=parts.live.run, silence_s=_QUICK_S),
        Worker(name="sweeper", run=lambda beat: run_sweeper(parts.context, parts.database, beat), silence_s=_SLOW_S),
        Worker(
            name="key_keeper",
            run=lambda beat: run_key_keeper(parts.context, parts.database, parts.hub.check_all, beat),
            silence_s=_SLOW_S,
        ),
        Worker(name="chores", run=lambda beat: run_chores(parts.context, parts.database, beat), silence_s=_SLOW_S),
        Worker(name="publisher", run=lambda beat: _publish(parts, beat), silence_s=_QUICK_S),
        Worker(name="inbox", run=lambda beat: _read_inbox(parts, beat), silence_s=None),
        *_gate_broker_work(parts),
        *_mint_work(parts),
    ]


class Background:
    """What runs beside the requests, while it runs."""

    def __init__(self, tasks: dict[asyncio.Task[None], Pulse]) -> None:
        self._tasks = tasks

    def finish(self) -> asyncio.Future[list[BaseException | None]]:
        """Have what is done once for all servers end when it next comes around; return what is done when all of it has.

        What belongs to the connections of this process goes on: requests and gates still need it.
        """
        ending = {task: pulse for task, pulse in self._tasks.items() if pulse.name not in _OF_CONNECTIONS}
        for pulse in ending.values():
            pulse.finish()
        return asyncio.gather(*ending, return_exceptions=True)


@asynccontextmanager
async def run_background(work: list[Worker], pulses: Pulses) -> AsyncIterator[Background]:
    """Run all of it beside the block; the first that fails ends the block with its problem."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks: dict[asyncio.Task[None], Pulse] = {}
            for one in work:
                pulse = pulses.expect(one)
                tasks[group.create_task(_watch(one, pulse), name=one.name)] = pulse
            yield Background(tasks)
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as problems:
        # What ended the server is told by itself; a second failure on the way out is only its echo.
        raise problems.exceptions[0] from None


async def _publish(parts: Parts, beat: Beat) -> None:
    publisher = Publisher(parts.bus, parts.context.clock, parts.publisher)
    await run_publisher(lambda: open_publisher_session(parts.database), publisher, parts.publisher, beat)


async def _read_inbox(parts: Parts, beat: Beat) -> None:
    reader = Reader(parts.context, parts.database, decode_envelope, parts.inbox)
    await run_inbox(parts.bus, INBOX, reader.handle, parts.inbox, beat)


async def _watch(worker: Worker, pulse: Pulse) -> None:
    pulse.start()
    try:
        await worker.run(pulse.beat)
    finally:
        pulse.stop()


def _mint_work(parts: Parts) -> list[Worker]:
    minting = parts.minting
    if minting is None:
        return []
    return [
        Worker(
            name="mint",
            run=lambda beat: run_minting(minting, parts.database, parts.context, beat),
            silence_s=_SLOW_S,
        )
    ]


def _gate_broker_work(parts: Parts) -> list[Worker]:
    broker = parts.gate_broker
    if broker is None:
        return []
    return [
        Worker(
            name="gate_broker",
            run=lambda beat: run_gate_broker(broker, parts.context, parts.database, parts.snapshots, beat),
            silence_s=_QUICK_S,
        )
    ]
