"""What gates say over the broker, and what they are answered: the same as over any other link, without a connection of their own.

Whoever may publish under a gate's key is that gate: the broker's account lets nobody else. Every process reads the same two
queues, so an answer may come from any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from msgspec import Struct, msgpack

from server.domain import flood
from server.domain.access import GateCaller
from server.domain.flood import FloodMeter
from server.services.broker_access import change_password
from server.services.context import Context
from server.services.correlation import correlating
from server.services.gate_commands import find_due, settle_commands
from server.services.ingest import take_batch
from server.services.link import FRAME_ENTRIES, Greeting, Known, check_up, greet, read_feed
from server.services.ports_bus import Arrived, Bus, Outcome, Posting
from server.services.ports_metrics import Way
from server.services.problems_gates import GateUnknown, LinkMisused
from server.services.rows_broker import StreamRow
from shared.clock import unix_ms
from shared.ids import uuid7
from shared.problems import CodeMalformed, Conflict, Denied, InputUnusable, NotFound, TicketTokenError
from shared.sync.broker import DOWN, UNASKED, Letter, Place, Word, decode_word, encode_message, name_account, read_key
from shared.sync.scan import SignedBatch
from shared.sync.wire import (
    BundleFrame,
    Bye,
    CommandsFrame,
    Hello,
    Ping,
    Pong,
    Receipts,
    Scans,
    ServerFrame,
    SnapshotNeeded,
    decode_server_frame,
)

CLOCK_MARGIN = timedelta(seconds=60)
"""By how much the database's and the broker's clock may differ before a gate has to ask for what it missed."""

_REFUSALS = (Denied, Conflict, InputUnusable, NotFound)

log = structlog.get_logger()


class _Said(Struct, frozen=True, kw_only=True):
    caller: GateCaller
    word: Word


class GateMail:
    """Handles the two queues to which gates publish."""

    def __init__(self, context: Context, bus: Bus) -> None:
        self._context = context
        self._bus = bus
        self._words = FloodMeter(flood.WORDS)
        self._scans = FloodMeter(flood.SCANS)

    async def on_word(self, arrived: Arrived) -> Outcome:
        """Answer a gate that introduces itself or shows that it is there."""
        try:
            caller = _find_caller(arrived)
            if await self._is_too_much(caller, arrived, self._words):
                return Outcome.DONE
            said = _Said(caller=caller, word=decode_word(arrived.body))
        except (CodeMalformed, LinkMisused) as problem:
            # Nothing is lost with it: whoever gets no answer begins anew.
            log.warning("gate_mail.unreadable", key=arrived.key, code=problem.code)
            return Outcome.DONE
        with _tracing(said.word):
            try:
                letters = await self._answer(said)
            except _REFUSALS as problem:
                letters = [_bye(said, problem)]
            await self._send(said.caller, letters)
        return Outcome.DONE

    async def on_scans(self, arrived: Arrived) -> Outcome:
        """Take a batch and tell the gate how far its log is stored; what cannot be taken is kept apart."""
        try:
            caller = _find_caller(arrived)
        except (CodeMalformed, LinkMisused) as problem:
            log.warning("gate_mail.stranger", key=arrived.key, code=problem.code)
            return Outcome.DEAD
        if await self._is_too_much(caller, arrived, self._scans):
            return Outcome.DONE
        try:
            word = decode_word(arrived.body)
        except CodeMalformed as problem:
            return await self._set_aside(caller, arrived.body, problem)
        if not isinstance(word.frame, Scans):
            return await self._set_aside(caller, arrived.body, LinkMisused("Only scans come under this key."))
        with _tracing(word):
            return await self._take(_Said(caller=caller, word=word), word.frame.signed)

    async def tell_commands(self, caller: GateCaller) -> None:
        """Tell a gate at once what it is to obey; one that cannot hear it now is told when it says something itself.

        Raises:
            Unavailable: the broker or the database is away.
        """
        async with self._context.db.tenant(caller.tenant) as tx:
            gate = await tx.gates.get(caller.gate)
            due = [] if gate is None or gate.revoked_at is not None else await find_due(tx, self._context, gate)
        if due:
            await self._send(caller, [Letter(session=UNASKED, frame=CommandsFrame(commands=due))])

    async def _take(self, said: _Said, signed: SignedBatch) -> Outcome:
        context = self._context
        try:
            receipt = await take_batch(context.db, context.vault, said.caller, signed, context.clock.now())
        except GateUnknown:
            return Outcome.DEAD
        except _REFUSALS as problem:
            await self._set_aside(said.caller, msgpack.encode(signed), problem)
            await self._send(said.caller, [_bye(said, problem)])
            return Outcome.DONE
        context.counts.batch(Way.AMQP, receipt.taken)
        await self._send(said.caller, [_letter(said, receipt.ack)])
        return Outcome.DONE

    async def _answer(self, said: _Said) -> list[Letter]:
        frame = said.word.frame
        if isinstance(frame, Hello):
            return await self._welcome(said, frame)
        if isinstance(frame, Ping):
            return await self._pong(said, frame)
        if isinstance(frame, Receipts):
            await settle_commands(self._context, said.caller, frame.receipts)
            return []
        raise LinkMisused("Scans come under a key of their own.")

    async def _welcome(self, said: _Said, hello: Hello) -> list[Letter]:
        greeting = await greet(self._context, said.caller, hello)
        event = greeting.gate.event
        async with self._context.db.tenant(said.caller.tenant) as tx:
            stream = await tx.broker.stream(event)
            due_at = await tx.broker.fed_at(event, hello.feed_seq + 1)
        needs_snapshot = _needs_snapshot(greeting, hello, stream)
        place = _find_place(stream, due_at or self._context.clock.now(), needs_snapshot=needs_snapshot)
        log.info("link.open", gate=str(hello.gate), way="broker", software=hello.software, feed_seq=hello.feed_seq)
        letters = [Letter(session=said.word.session, frame=greeting.welcome, place=place)]
        if greeting.bundle is not None:
            letters.append(_letter(said, BundleFrame(bundle=greeting.bundle.sealed)))
        if greeting.commands:
            letters.append(_letter(said, CommandsFrame(commands=greeting.commands)))
        if needs_snapshot:
            high = greeting.welcome.feed_high
            letters.append(_letter(said, SnapshotNeeded(event=event, feed_high=high, anew=greeting.anew)))
        elif stream is None or stream.begun_seq is None:
            # What was fed before the stream begins will not be in it; what is too much for a frame the gate fetches.
            fed = await read_feed(self._context, said.caller, hello.feed_seq, FRAME_ENTRIES)
            letters.append(_letter(said, decode_server_frame(fed.data)))
        return letters

    async def _pong(self, said: _Said, ping: Ping) -> list[Letter]:
        known = Known(bundle_version=ping.bundle_version, commands=ping.command_seq is not None)
        due = await check_up(self._context, said.caller, known, ping)
        now = self._context.clock.now()
        letters = [_letter(said, Pong(sent_ms=ping.sent_ms, server_ms=unix_ms(now)))]
        if due.bundle is not None:
            letters.append(_letter(said, BundleFrame(bundle=due.bundle.sealed)))
        if due.commands:
            letters.append(_letter(said, CommandsFrame(commands=due.commands)))
        return letters

    async def _is_too_much(self, caller: GateCaller, arrived: Arrived, meter: FloodMeter) -> bool:
        """Tell whether a message is to be dropped unread; whoever goes on and on loses the account, and may ask for another."""
        dropped = meter.take(caller.gate, len(arrived.body), self._context.clock.monotonic())
        if dropped == 1:
            log.warning("gate_mail.flood", gate=str(caller.gate), queue=arrived.queue)
        if dropped and dropped % flood.CUT_AFTER == 0:
            log.error("gate_mail.cut_off", gate=str(caller.gate), dropped=dropped)
            async with self._context.db.tenant(caller.tenant) as tx:
                await change_password(tx, caller.gate, self._context.random_bytes)
        return dropped > 0

    async def _set_aside(self, caller: GateCaller, body: bytes, problem: TicketTokenError) -> Outcome:
        log.warning("gate_mail.set_aside", gate=str(caller.gate), code=problem.code)
        async with self._context.db.tenant(caller.tenant) as tx:
            if await tx.gates.get(caller.gate) is None:
                return Outcome.DEAD
            await tx.broker.quarantine(caller.gate, body, problem.code)
        return Outcome.DONE

    async def _send(self, caller: GateCaller, letters: list[Letter]) -> None:
        for letter in letters:
            message_id = str(uuid7(self._context.clock.now(), self._context.random_bytes))
            posting = Posting(
                exchange=DOWN,
                key=f"{caller.tenant}.{caller.gate}",
                message_id=message_id,
                body=encode_message(letter),
            )
            # A queue that is gone is one of a gate that was revoked: it hears nothing any more.
            await self._bus.post(posting)


@contextmanager
def _tracing(word: Word) -> Iterator[None]:
    """Have what a word brings about belong to the connection it came by, whose id is known at both ends."""
    trace = word.session.hex
    with correlating(trace), structlog.contextvars.bound_contextvars(trace=trace):
        yield


def _find_caller(arrived: Arrived) -> GateCaller:
    tenant, gate = read_key(arrived.key)
    # The account's rights say the same; whoever loosens them by mistake shall not open this door as well.
    if arrived.sender != name_account(gate):
        raise LinkMisused("A message was not published with the account of the gate it names.")
    return GateCaller(tenant=tenant, gate=gate)


def _needs_snapshot(greeting: Greeting, hello: Hello, stream: StreamRow | None) -> bool:
    begun = stream.begun_seq if stream is not None else None
    return greeting.needs_snapshot or (begun is not None and hello.feed_seq < begun)


def _find_place(stream: StreamRow | None, due_at: datetime, *, needs_snapshot: bool) -> Place:
    if stream is None or stream.begun_seq is None or stream.snapshot_at is None:
        return Place(edition=0 if stream is None else stream.edition)
    snapshot_ms = unix_ms(stream.snapshot_at - CLOCK_MARGIN)
    return Place(
        from_ms=snapshot_ms if needs_snapshot else unix_ms(due_at - CLOCK_MARGIN),
        snapshot=stream.snapshot,
        snapshot_ms=snapshot_ms,
        edition=stream.edition,
    )


def _letter(said: _Said, frame: ServerFrame) -> Letter:
    return Letter(session=said.word.session, frame=frame)


def _bye(said: _Said, problem: TicketTokenError) -> Letter:
    return _letter(said, Bye(code=problem.code, message=str(problem)[:200]))
