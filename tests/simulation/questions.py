"""What a gate asks the server beside its link, over the same bad network: parts of the feed, and snapshots."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from gate.store.shadow import open_shelf
from gate.sync.actions import Action, Instant
from gate.sync.engine import SyncEngine
from gate.sync.problems import ServerAway
from gate.sync.snapshot import load_snapshot
from server.services.problems_gates import FeedTooOld
from shared.ids import EventId
from shared.problems import TicketTokenError
from shared.sync.feed import SnapshotChunk, SnapshotManifest
from shared.sync.wire import FeedFrame
from tests.simulation.network import Network
from tests.simulation.server_side import SimServer
from tests.simulation.timeline import Timeline

_PATIENCE_MS = 5000


class Asker(Protocol):
    """The gate, as its questions see it."""

    @property
    def number(self) -> int: ...
    @property
    def directory(self) -> Path: ...

    def instant(self) -> Instant:
        """Return the moment by this gate's own counters."""
        ...

    async def conclude(self, engine: SyncEngine, actions: list[Action]) -> None:
        """Carry out what follows, if the life that asked still lasts."""
        ...

    def lives(self, engine: SyncEngine) -> bool:
        """Say whether the life that asked still lasts."""
        ...

    async def on_loaded(self) -> None:
        """Take over what a snapshot put in the place of everything known."""
        ...


class Question:
    """One question; its answer counts once, and only while the life that asked it lasts."""

    def __init__(self, gate: Asker, engine: SyncEngine, server: SimServer) -> None:
        self._gate = gate
        self._engine = engine
        self._server = server
        self._settled = False

    def ask_feed(self, after: int, network: Network, timeline: Timeline) -> None:
        """Ask for what follows a position."""

        async def answer() -> None:
            try:
                frame = await self._server.fetch_feed(self._gate.number, after)
            except FeedTooOld:
                network.carry(self._gate.number, lambda: self._fail(too_old=True))
            except ServerAway:
                network.carry(self._gate.number, self._fail)
            else:
                network.carry(self._gate.number, lambda: self._succeed(frame))

        network.carry(self._gate.number, answer)
        timeline.after(_PATIENCE_MS, self._fail)

    def ask_snapshot(self, network: Network, timeline: Timeline) -> None:
        """Load a snapshot, as far as the way to the server holds."""
        network.carry(self._gate.number, self._load)
        timeline.after(_PATIENCE_MS * 4, self._fail_snapshot)

    async def fetch_manifest(self, event: EventId) -> SnapshotManifest:
        """Return what the present snapshot consists of."""
        manifest = await self._server.manifest()
        assert manifest.event == event
        return manifest

    async def fetch_chunk(self, snapshot: str, number: int, chunk: SnapshotChunk) -> bytes:
        """Return one chunk's bytes."""
        assert chunk.size > 0
        return await self._server.chunk(snapshot, number)

    async def _load(self) -> None:
        if self._settled or not self._gate.lives(self._engine):
            return
        try:
            async with open_shelf(self._gate.directory) as shelf:
                seq = await load_snapshot(self, shelf, self._server.hall.event.id, lambda _: None)
        except TicketTokenError:
            await self._fail_snapshot()
            return
        self._settled = True
        await self._gate.on_loaded()
        await self._gate.conclude(self._engine, self._engine.on_snapshot(seq))

    async def _succeed(self, frame: FeedFrame) -> None:
        if self._settle():
            await self._gate.conclude(self._engine, self._engine.on_fetched(frame))

    async def _fail(self, *, too_old: bool = False) -> None:
        if self._settle():
            actions = self._engine.on_fetch_failed(self._gate.instant(), too_old=too_old)
            await self._gate.conclude(self._engine, actions)

    async def _fail_snapshot(self) -> None:
        if self._settle():
            await self._gate.conclude(self._engine, self._engine.on_snapshot_failed(self._gate.instant()))

    def _settle(self) -> bool:
        fresh = not self._settled and self._gate.lives(self._engine)
        self._settled = True
        return fresh
