"""A gate's link, without its wire: the greeting, what is missing, heartbeats and key bundles that fall due."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import GateCaller
from server.services.bundles import MadeBundle, due_version, knows_successor, make_bundle
from server.services.context import Context
from server.services.feed_frames import PackedFrame, pack_frame
from server.services.gate_access import find_gate
from server.services.gate_commands import find_due
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.problems_gates import FeedTooOld, LinkMisused, LinkSuperseded, ProtocolUnsupported
from server.services.rows import EventRow
from server.services.rows_gates import GateRow
from shared.clock import unix_ms
from shared.ids import EventId
from shared.sync.command import SignedCommand
from shared.sync.wire import OLDEST_PROTOCOL, Hello, Ping, Welcome, agree

FRAME_ENTRIES = 500
TOO_FAR_BEHIND = 20_000


class Greeting(Struct, frozen=True, kw_only=True):
    """The answer to a gate's hello: the welcome, a bundle if its own is out of date, and whether the feed will do.

    ``anew`` says that the gate was told what this server never said: it was set back to a backup since.
    ``number`` is the link's: one of the same gate with a higher number takes its place, in whichever process that is.
    """

    gate: GateRow
    welcome: Welcome
    bundle: MadeBundle | None
    needs_snapshot: bool
    number: int
    anew: bool = False
    commands: list[SignedCommand]


class CheckUp(Struct, frozen=True, kw_only=True):
    """What a gate in service should be sent: newer keys if its own are out of date, and commands that are open."""

    bundle: MadeBundle | None
    commands: list[SignedCommand]


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a gate on its link: the bundle it was sent, whether it takes commands, and the link's number if any."""

    bundle_version: int
    commands: bool
    number: int | None = None


async def greet(context: Context, caller: GateCaller, hello: Hello) -> Greeting:
    """Return what a gate that introduces itself is told.

    Raises:
        ProtocolUnsupported: it speaks another protocol.
        LinkMisused: it is not the gate that proved itself, or not one of this event.
        GateUnknown, GateRevoked: it may not act.
    """
    protocol = agree(hello.protocol)
    if protocol is None:
        raise ProtocolUnsupported(f"This server speaks protocol {OLDEST_PROTOCOL} or newer: update the gate.")
    now = context.clock.now()
    async with context.db.tenant(caller.tenant) as tx:
        gate = await find_gate(tx, caller.gate)
        if hello.gate != gate.id or hello.event != gate.event:
            raise LinkMisused("This link is not the gate's or not its event's: enrol the gate anew.")
        event = await _find_event(tx, gate)
        believing = _update_belief(gate, event, hello.bundle_version)
        head = await tx.feed.head(event.id)
        log = await tx.scans.read_log(gate.id, hello.incarnation)
        bundle = await _find_bundle(tx, context, believing, event, hello.bundle_version)
        # after the bundle: whoever replaces keys locks the event first and gates later
        number = await tx.gates.greet(gate.id, hello.software, now)
        if believing.config != gate.config:
            await tx.gates.believe(gate.id, believing.config)
        commands = await _find_commands(tx, context, believing, hello.command_seq)
        anew = await _is_elsewhere(tx, event.id, hello, head)
        needs_snapshot = anew or await _is_too_far_behind(tx, event.id, hello.feed_seq, head)
    welcome = Welcome(protocol=protocol, server_ms=unix_ms(now), feed_high=head, acked=log.acked)
    return Greeting(
        gate=gate,
        welcome=welcome,
        bundle=bundle,
        needs_snapshot=needs_snapshot,
        anew=anew,
        number=number,
        commands=commands,
    )


async def check_up(context: Context, caller: GateCaller, known: Known, ping: Ping | None) -> CheckUp:
    """Keep a heartbeat, if there is one, and return what the gate should be sent.

    Raises:
        GateUnknown, GateRevoked: it may not act any more.
        LinkSuperseded: the gate has opened another link.
    """
    async with context.db.tenant(caller.tenant) as tx:
        gate = await find_gate(tx, caller.gate)
        if known.number is not None and known.number < gate.links:
            raise LinkSuperseded("This gate has opened another link.")
        event = await _find_event(tx, gate)
        believing = gate if ping is None else _update_belief(gate, event, ping.bundle_version)
        bundle = await _find_bundle(tx, context, believing, event, known.bundle_version)
        if ping is not None:
            await tx.gates.beat(gate.id, ping, context.clock.now())
        if believing.config != gate.config:
            await tx.gates.believe(gate.id, believing.config)
        commands = await find_due(tx, context, believing) if known.commands else []
    return CheckUp(bundle=bundle, commands=commands)


async def read_feed(context: Context, caller: GateCaller, after: int, limit: int) -> PackedFrame:
    """Return entries of the gate's event that follow a position, at most ``limit``.

    Raises:
        FeedTooOld: they are not kept any more.
        GateUnknown, GateRevoked: the gate may not act.
    """
    async with context.db.tenant(caller.tenant) as tx:
        gate = await find_gate(tx, caller.gate)
        entries = await tx.feed.after(gate.event, after, limit)
        first = entries[0].seq if entries else await tx.feed.head(gate.event) + 1
    if after + 1 < first:
        raise FeedTooOld("That part of the feed is not kept any more: load the snapshot.")
    return pack_frame(gate.event, after, entries)


async def _find_event(tx: Unit, gate: GateRow) -> EventRow:
    event = await tx.events.get(gate.event)
    if event is None:
        raise EventUnknown("There is no such event.")
    return event


async def _find_bundle(
    tx: Unit, context: Context, gate: GateRow, event: EventRow, known_version: int
) -> MadeBundle | None:
    now = context.clock.now()
    if known_version >= due_version(event, now, config=gate.config, horizon=context.horizon):
        return None
    return await make_bundle(tx, context, gate, event, now)


async def _find_commands(tx: Unit, context: Context, gate: GateRow, command_seq: int | None) -> list[SignedCommand]:
    """Return what a gate that introduces itself is to be told to do; one that knows no commands is told none."""
    if command_seq is None:
        return []
    if command_seq > gate.commands:
        # The database was set back to a backup: a number given twice would be passed over by the gate.
        await tx.commands.raise_number(gate.id, command_seq)
    return await find_due(tx, context, gate)


def _update_belief(gate: GateRow, event: EventRow, reported_version: int) -> GateRow:
    """Return the gate as believing the next config key once it has a bundle that announced it."""
    return replace(gate, config=gate.config + 1) if knows_successor(gate, event, reported_version) else gate


async def _is_elsewhere(tx: Unit, event: EventId, hello: Hello, head: int) -> bool:
    """Say whether what the gate was told is not what the feed says now: both may count to the same number by then."""
    if not hello.feed_seq or not hello.feed_mark:
        return False
    if hello.feed_seq > head:
        return True
    mark = await tx.feed.mark_at(event, hello.feed_seq)
    return mark is not None and mark != hello.feed_mark


async def _is_too_far_behind(tx: Unit, event: EventId, feed_seq: int, head: int) -> bool:
    if feed_seq > head or head - feed_seq > TOO_FAR_BEHIND:
        return True
    oldest = await tx.feed.oldest(event)
    return feed_seq + 1 < (head + 1 if oldest is None else oldest)
