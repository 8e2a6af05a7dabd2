"""All the gate knows at a moment: keys, policy, gates, people inside; loaded from the disk and kept in step with the feed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from msgspec import Struct

from gate.briefing import Briefing, Standing
from gate.deciding import Post
from gate.identity import Identity
from gate.keystore import GateKeys
from gate.outcome import Counts
from gate.ports import LogCount, RecordKind, WorldState
from gate.ports_knowledge import KnownWorld, Quality
from gate.tally import CountedLog, Tally, count_all, count_elsewhere
from gate.trust import OpenedBundle, OrganiserTrust
from shared.admission.policy import Policy
from shared.admission.verdict import Direction
from shared.clock import Clock, unix_ms
from shared.codes.bundle import KeyBundle, SealedBundle, SupervisorEntry
from shared.codes.reader import CodeReader
from shared.ids import GateId
from shared.problems import CodeMalformed, Denied, Internal
from shared.sync import hlc
from shared.sync.feed import AdmissionEntry, FeedEntry, GateEntry, PolicyEntry, TicketEntry
from shared.sync.scan import Mode

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class KnowledgeParts(Struct, frozen=True, kw_only=True, eq=False):
    """What knowledge is loaded from."""

    identity: Identity
    trust: OrganiserTrust
    keys: GateKeys
    log: CountedLog
    world: KnownWorld
    clock: Clock
    post: Post | None = None


class Knowledge:
    """The present briefing and standing, replaced piece by piece as the server tells more."""

    def __init__(self, parts: KnowledgeParts) -> None:
        self._parts = parts
        self._quality: Quality | None = None
        self._bundle: KeyBundle | None = None
        self._reader = CodeReader([])
        self._policy: Policy | None = None
        self._gates: Mapping[GateId, str] = {}
        self._revoked = False
        self._complete = False
        self._tally = Tally()
        self._counted = 0
        self._remote_hlc = 0
        self._tickets_stale = False
        self.tickets = 0
        self.feed_seq = 0
        self.confirmed_ms: int | None = None
        self._confirmed_s: float | None = None

    async def load(self) -> WorldState:
        """Read everything from the disk; return how far the copy has got."""
        await self._load_bundle()
        state = await self._load_world()
        self._counted = (await self._parts.log.head()).gate_seq
        self._tally = await count_all(
            self._parts.log, self._parts.world, self._parts.identity.gate, unix_ms(self._parts.clock.now())
        )
        return state

    def follow(self, quality: Quality) -> None:
        """Take the mode from here on."""
        self._quality = quality

    @property
    def ready(self) -> bool:
        """Whether the gate can decide: it once had all tickets, and has keys."""
        return self._complete and self._bundle is not None

    @property
    def revoked(self) -> bool:
        """Whether this gate may admit nobody any more."""
        return self._revoked

    @property
    def bundle_version(self) -> int:
        """The key bundle's version, 0 before the first."""
        return self._bundle.version if self._bundle is not None else 0

    @property
    def supervisors(self) -> Sequence[SupervisorEntry]:
        """Who may decide at this gate against the rule; nobody once it is revoked."""
        return self._bundle.supervisors if self._bundle is not None and not self._revoked else ()

    @property
    def keys_until(self) -> datetime | None:
        """When the last known epoch ends, None without keys."""
        epochs = self._bundle.epochs if self._bundle is not None and not self._revoked else []
        return max((key.ends for key in epochs), default=None)

    @property
    def event_name(self) -> str:
        """What the event is called."""
        return self._bundle.event_name if self._bundle is not None else self._parts.identity.event_name

    @property
    def briefing(self) -> Briefing:
        """Return what the scan path works with.

        Raises:
            Internal: there is no policy yet; nobody asks before the gate is ready.
        """
        known = [policy for policy in (self._policy, self._bundle.policy if self._bundle else None) if policy]
        if not known:
            raise Internal("This gate knows no policy yet: connect it to its server.")
        return Briefing(
            event=self._parts.identity.event,
            event_name=self.event_name,
            reader=self._reader,
            policy=max(known, key=lambda policy: policy.version),
            gates=self._gates,
            keys_until=self.keys_until,
            revoked=self._revoked,
        )

    def standing(self) -> Standing:
        """Return mode, feed position, people inside and the latest stamp heard of."""
        return Standing(
            mode=self._quality.mode if self._quality is not None else Mode.OFFLINE,
            feed_seq=self.feed_seq,
            inside=self._tally.inside,
            remote_hlc=self._remote_hlc,
            behind=self._tally.behind,
            bodies=self._tally.bodies(self._parts.identity.gate),
            data_age_s=self.data_age_s(),
        )

    def data_age_s(self) -> float | None:
        """Return the seconds since the server last confirmed that nothing is missing, None before the first time."""
        if self.confirmed_ms is None:
            return None
        by_wall = (unix_ms(self._parts.clock.now()) - self.confirmed_ms) / 1000
        # A clock that was set back makes nothing younger.
        by_counter = 0.0 if self._confirmed_s is None else self._parts.clock.monotonic() - self._confirmed_s
        return max(0.0, by_wall, by_counter)

    def counts(self) -> Counts:
        """Return what this gate did."""
        return self._tally.counts(unix_ms(self._parts.clock.now()))

    def note_scan(self, gate_seq: int, at: datetime, *, admitted: bool, kind: RecordKind = RecordKind.SCAN) -> None:
        """Count one record of this gate, unless it was counted before."""
        if gate_seq <= self._counted:
            return
        self._counted = gate_seq
        direction = (self._parts.post or self._parts.identity).direction
        self._tally.note_record(unix_ms(at), LogCount(kind=kind, admitted=admitted, direction=direction, scans=1))

    async def recount_tickets(self) -> None:
        """Count the tickets again if some came."""
        if self._tickets_stale:
            self._tickets_stale = False
            self.tickets = await self._parts.world.count_tickets()

    async def on_feed(self, entries: list[FeedEntry]) -> None:
        """Feed entries were written to the disk."""
        kinds = {type(entry) for entry in entries}
        self._tickets_stale = self._tickets_stale or TicketEntry in kinds
        for entry in entries:
            if isinstance(entry, AdmissionEntry):
                self._note_stamp(entry.admission.hlc)
        self._count_news()
        self.feed_seq = entries[-1].seq
        if PolicyEntry in kinds:
            self._policy = await self._parts.world.policy()
        if GateEntry in kinds:
            await self._load_gates()

    async def on_snapshot(self) -> None:
        """A snapshot took the place of everything known."""
        await self._load_world()
        gate = self._parts.identity.gate
        self._tally.set_elsewhere(await count_elsewhere(self._parts.log, self._parts.world, gate))

    async def take_bundle(self, carried: SealedBundle) -> int:
        """Verify, keep and use a key bundle; return its version.

        Raises:
            Denied: not the organiser's, for another event, or not above the version in use.
            CodeMalformed: of a form this version does not know.
        """
        opened = self._open(carried)
        bundle = opened.bundle
        if bundle.version <= self.bundle_version:
            raise Denied(f"Key bundle {bundle.version} is not newer than {self.bundle_version}; the keys in use stay.")
        await self._parts.trust.note_successor(bundle)
        await self._parts.world.keep_bundle(bundle.version, carried)
        self._use(bundle)
        await self._parts.trust.drop_before(opened.signer)
        return bundle.version

    async def on_revoked(self) -> None:
        """This gate may admit nobody any more: its keys are forgotten."""
        if not self._revoked:
            _log.error("gate.revoked", gate=str(self._parts.identity.gate))
        self._revoked = True
        self._reader = CodeReader([])

    def on_current(self, wall_ms: int) -> None:
        """The server confirmed that nothing is missing."""
        self._complete, self.confirmed_ms = True, wall_ms
        self._confirmed_s = self._parts.clock.monotonic()

    def _count_news(self) -> None:
        # The gate's own come back too; they are in its log and its counts already.
        for admission in self._parts.world.take_news():
            if admission.gate != self._parts.identity.gate:
                self._tally.note_elsewhere(
                    admission.gate, Direction(admission.direction), undone=admission.undoes is not None
                )

    def _note_stamp(self, stamp: int) -> None:
        try:
            self._remote_hlc = hlc.receive(self._remote_hlc, stamp, unix_ms(self._parts.clock.now()))
        except hlc.StampTooFarAhead:
            _log.warning("clock.stamp_too_far_ahead", stamp_ms=hlc.physical_ms(stamp))

    def _open(self, carried: SealedBundle) -> OpenedBundle:
        opened = self._parts.trust.open(carried, self._parts.keys.seal)
        if opened.bundle.event != self._parts.identity.event:
            raise Denied("This key bundle is for another event; the keys in use stay.")
        return opened

    def _use(self, bundle: KeyBundle) -> None:
        self._bundle = bundle
        if not self._revoked:
            self._reader = CodeReader(bundle.epochs)

    async def _load_bundle(self) -> None:
        carried = await self._parts.world.bundle()
        if carried is None:
            return
        try:
            self._use(self._open(carried).bundle)
        except (Denied, CodeMalformed) as problem:
            # The server sends it again; until then the gate has no keys and says so.
            _log.error("bundle.unusable", code=problem.code, message=str(problem))

    async def _load_world(self) -> WorldState:
        world = self._parts.world
        world.take_news()  # whoever reads everything counts these with the rest
        state = await world.state()
        self._complete, self.confirmed_ms, self.feed_seq = state.complete, state.confirmed_ms, state.feed_seq
        self._policy = await world.policy()
        self.tickets = await world.count_tickets()
        self._note_stamp(await world.highest_hlc())
        await self._load_gates()
        if state.revoked:
            await self.on_revoked()
        return state

    async def _load_gates(self) -> None:
        self._gates = {known.gate: known.name for known in await self._parts.world.gates()}
