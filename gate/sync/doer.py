"""Carries out what the engine decided: the parts that touch the disk, the keys and the people at the screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, assert_never

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from gate.clockbelief import ClockBelief
from gate.ports import Copy, Outbox
from gate.sync.actions import (
    Action,
    ApplyFeed,
    Close,
    Doubt,
    Halt,
    HandIn,
    MarkAcked,
    NoteClock,
    NoteCurrent,
    Obey,
    Revoke,
    Send,
    SendScans,
    StoreBundle,
)
from gate.sync.engine import SyncEngine
from gate.sync.happenings import Link
from gate.sync.obeyed import Obeyed
from gate.sync.problems import LogRestored, ServerAway
from shared.codes.bundle import SealedBundle
from shared.ids import GateId
from shared.problems import CodeMalformed, DataDamaged, Denied, Unavailable
from shared.sync.command import MOST_COMMANDS, Receipt, SignedCommand
from shared.sync.feed import UNMARKED, FeedEntry
from shared.sync.scan import ScanBatch, SignedBatch, sign_batch
from shared.sync.wire import GateFrame, Hello, Ping, Receipts, Scans, Vitals

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

LinkAction = Send | SendScans | Close
DiskAction = ApplyFeed | Doubt | StoreBundle | Obey | MarkAcked | NoteCurrent | NoteClock | Revoke | Halt


class Obedient(Protocol):
    """Whoever does what the organiser commands."""

    @property
    def last(self) -> int:
        """The number of the last command that was obeyed."""
        ...

    async def obey(self, carried: Sequence[SignedCommand], backlog: int) -> Obeyed:
        """Do what is new and return what is to be said; ``backlog`` records are not handed over."""
        ...

    async def on_handed_over(self, backlog: int) -> list[Receipt]:
        """The server has the log but for ``backlog`` records; return what is to be said now."""
        ...

    def note_told(self, receipts: Sequence[Receipt]) -> None:
        """Receipts are on their way."""
        ...


class Listener(Protocol):
    """Whoever works with what the server tells."""

    async def on_feed(self, entries: list[FeedEntry]) -> None:
        """Feed entries were written to the disk."""
        ...

    async def on_snapshot(self) -> None:
        """A snapshot took the place of everything known."""
        ...

    async def take_bundle(self, carried: SealedBundle) -> int:
        """Verify, keep and use a key bundle; return its version. Raises Denied or CodeMalformed."""
        ...

    async def on_revoked(self) -> None:
        """This gate may admit nobody any more."""
        ...

    def on_current(self, wall_ms: int) -> None:
        """The server confirmed that nothing is missing."""
        ...


class DoerParts(Struct, frozen=True, kw_only=True, eq=False):
    """What actions are carried out on; a gate without somebody obedient does nothing by command."""

    gate: GateId
    sign_key: Ed25519PrivateKey
    engine: SyncEngine
    outbox: Outbox
    copy: Copy
    listener: Listener
    belief: ClockBelief
    obedient: Obedient | None = None
    vitals: Callable[[], Awaitable[Vitals | None]] | None = None


class Doer:
    """Does one action to its end; what follows from it is returned as more actions."""

    def __init__(self, parts: DoerParts) -> None:
        self._parts = parts

    async def send(self, action: Send | SendScans, link: Link) -> list[Action]:
        """Send something; a link that takes nothing any more is closed."""
        try:
            frame = await self._complete(action)
            await link.send(frame)
        except ServerAway as problem:
            return [Close(code=problem.code, message=str(problem))]
        if isinstance(frame, Receipts) and self._parts.obedient is not None:
            self._parts.obedient.note_told(frame.receipts)
        return []

    async def _complete(self, action: Send | SendScans) -> GateFrame:
        if isinstance(action, SendScans):
            return Scans(signed=await self.read_batch(action))
        frame = action.frame
        if isinstance(frame, Ping) and self._parts.vitals is not None:
            return replace(frame, vitals=await self._parts.vitals())
        if not isinstance(frame, Hello):
            return frame
        state = await self._parts.copy.state()
        known = state.feed_mark if state.feed_seq == frame.feed_seq else UNMARKED
        return replace(frame, feed_mark=known)

    async def do(self, action: DiskAction) -> list[Action]:
        """Carry out an action that needs no link; while the disk takes nothing, the link rests.

        Raises:
            LogRestored: the server has more of the log than this disk.
            TicketTokenError: a file on the disk cannot be used any more.
        """
        try:
            return await self._do(action)
        except Unavailable as problem:
            _log.error("disk.away", code=problem.code, message=str(problem))
            if isinstance(action, ApplyFeed):
                self._parts.engine.on_apply_failed(action.entries[0].seq - 1)
            return [Close(code=problem.code, message=str(problem), patient=True)]

    async def _do(self, action: DiskAction) -> list[Action]:
        match action:
            case ApplyFeed():
                return await self._apply(action)
            case StoreBundle(bundle=bundle):
                return await self._take_bundle(bundle)
            case Obey(commands=commands):
                return await self._obey(commands)
            case MarkAcked(upto=upto):
                await self._parts.outbox.mark_acked(upto)
                return await self._note_handed_over()
            case Doubt():
                _log.warning("feed.doubted")
                await self._parts.copy.doubt()
            case NoteCurrent(wall_ms=wall_ms):
                await self._parts.copy.confirm(wall_ms)
                self._parts.listener.on_current(wall_ms)
            case NoteClock(sample=sample):
                self._parts.belief.note(sample)
            case Revoke():
                await self._parts.copy.revoke()
                await self._parts.listener.on_revoked()
            case Halt():
                raise LogRestored(
                    f"This gate's log ends at record {action.logged}, but the server has {action.acked} of them: the disk was "
                    "restored or copied. Keep log.db* in a safe place, move it out of the data directory and start again; "
                    "what the server has comes back from there."
                )
            case _:
                assert_never(action)
        return []

    async def read_batch(self, action: SendScans | HandIn) -> SignedBatch:
        """Return a part of the log, signed.

        Raises:
            DataDamaged: the log lacks records.
            Unavailable: the disk gives nothing.
        """
        outbox = self._parts.outbox
        records = await outbox.read_between(action.after, action.upto)
        if len(records) != action.upto - action.after:
            raise DataDamaged(
                f"The log lacks records between {action.after} and {action.upto}: run the doctor command."
            )
        batch = ScanBatch(
            gate=self._parts.gate,
            incarnation=outbox.incarnation,
            first_seq=action.after + 1,
            previous=await outbox.chain_at(action.after),
            records=[record.body for record in records],
        )
        return sign_batch(batch, self._parts.sign_key)

    async def _apply(self, action: ApplyFeed) -> list[Action]:
        before = action.entries[0].seq - 1
        try:
            await self._parts.copy.apply(action.entries, action.to_seq)
        except CodeMalformed as problem:
            _log.error("feed.malformed", after=before, message=str(problem))
            return self._parts.engine.on_apply_failed(before)
        await self._parts.listener.on_feed(action.entries)
        return []

    async def _obey(self, commands: list[SignedCommand]) -> list[Action]:
        obedient, engine = self._parts.obedient, self._parts.engine
        if obedient is None:
            return []
        obeyed = await obedient.obey(commands, engine.backlog)
        return [*engine.on_obeyed(obedient.last, resync=obeyed.resync), *_tell(obeyed.receipts)]

    async def _note_handed_over(self) -> list[Action]:
        obedient = self._parts.obedient
        return [] if obedient is None else _tell(await obedient.on_handed_over(self._parts.engine.backlog))

    async def _take_bundle(self, bundle: SealedBundle) -> list[Action]:
        try:
            return self._parts.engine.on_bundle(await self._parts.listener.take_bundle(bundle))
        except (Denied, CodeMalformed) as problem:
            _log.error("bundle.refused", code=problem.code, message=str(problem))
            return []


def _tell(receipts: Sequence[Receipt]) -> list[Action]:
    return [Send(frame=Receipts(receipts=list(receipts[:MOST_COMMANDS])))] if receipts else []
