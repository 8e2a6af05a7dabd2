"""A disk that takes nothing for a while ends neither the lane nor the link for good, and loses no place in the feed."""

# ruff: noqa: ARG002 - a stand-in takes what the real one takes

from __future__ import annotations

from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.clockbelief import ClockBelief
from gate.ports import LogHead, WorldState
from gate.selfcheck import ClockSelfCheck
from gate.store.problems import DiskFull
from gate.sync.actions import ApplyFeed, Close, MarkAcked, NoteCurrent
from gate.sync.doer import Doer, DoerParts
from shared.clock import SystemClock
from shared.codes.bundle import SealedBundle
from shared.sync.feed import FeedEntry
from shared.sync.scan import GENESIS, LoggedRecord
from tests.unit.gate.link_samples import GATE, LIFE, at, engine, frame, linked, welcome


class FullDisk:
    """A copy, a log and a listener over a disk with no room; what still gets through is kept."""

    def __init__(self) -> None:
        self.full = True
        self.applied: list[int] = []
        self.acked = 0
        self.incarnation = LIFE

    async def apply(self, entries: Iterable[FeedEntry], feed_seq: int) -> None:
        """Take entries in."""
        self._need_room()
        self.applied += [entry.seq for entry in entries]

    async def confirm(self, moment_ms: int) -> None:
        """Note a moment."""
        self._need_room()

    async def keep_bundle(self, version: int, bundle: SealedBundle) -> None:
        """Keep a bundle."""
        self._need_room()

    async def revoke(self) -> None:
        """Note a revocation."""
        self._need_room()

    async def head(self) -> LogHead:
        """Return an empty log's end."""
        return LogHead()

    async def read_between(self, after: int, upto: int) -> list[LoggedRecord]:
        """Return nothing."""
        return []

    async def chain_at(self, gate_seq: int) -> bytes:
        """Return the beginning."""
        return GENESIS

    async def state(self) -> WorldState:
        """Return how far the copy has got."""
        return WorldState(feed_seq=0, complete=False, confirmed_ms=None, revoked=False)

    async def doubt(self) -> None:
        """Doubt what was told."""
        self._need_room()

    async def mark_acked(self, upto: int) -> None:
        """Note how far the server is."""
        self._need_room()
        self.acked = upto

    async def on_feed(self, entries: list[FeedEntry]) -> None:
        """Hear of entries."""

    async def on_snapshot(self) -> None:
        """Hear of a snapshot."""

    async def take_bundle(self, carried: SealedBundle) -> int:
        """Take no bundle."""
        raise DiskFull("full")

    async def on_revoked(self) -> None:
        """Hear of a revocation."""

    def on_current(self, wall_ms: int) -> None:
        """Hear that nothing is missing."""

    def _need_room(self) -> None:
        if self.full:
            raise DiskFull("full")


def doer_over(disk: FullDisk) -> tuple[Doer, DoerParts]:
    """Return a doer over a disk, and its parts."""
    parts = DoerParts(
        gate=GATE,
        sign_key=Ed25519PrivateKey.generate(),
        engine=engine(),
        outbox=disk,
        copy=disk,
        listener=disk,
        belief=ClockBelief(ClockSelfCheck(), SystemClock()),
    )
    return Doer(parts), parts


async def test_feed_that_cannot_be_written_is_asked_for_again() -> None:
    disk = FullDisk()
    doer, parts = doer_over(disk)
    linked(parts.engine, welcome(feed_high=3))
    [apply] = [one for one in parts.engine.on_frame(frame(0, 3), at(1)) if isinstance(one, ApplyFeed)]
    [close] = await doer.do(apply)
    assert isinstance(close, Close)
    assert (close.code, close.patient) == ("disk_full", True)
    assert (parts.engine.cursor, disk.applied) == (0, [])
    disk.full = False
    linked(parts.engine, welcome(feed_high=3))
    for action in parts.engine.on_frame(frame(0, 3), at(60)):
        if isinstance(action, ApplyFeed):
            assert await doer.do(action) == []
    assert (parts.engine.cursor, disk.applied) == (3, [1, 2, 3])


async def test_other_notes_that_cannot_be_written_let_the_link_rest() -> None:
    doer, _parts = doer_over(FullDisk())
    for action in (MarkAcked(upto=5), NoteCurrent(wall_ms=7)):
        [close] = await doer.do(action)
        assert isinstance(close, Close)
        assert (close.code, close.patient) == ("disk_full", True)
