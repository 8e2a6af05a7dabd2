"""A gate's WebSocket: frames in both directions until one side has enough."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp import WSMsgType, web
from msgspec import Struct

from server.api.hub import LinkHub
from server.api.mailbox import Mailbox
from server.domain.access import GateCaller
from server.services import link
from server.services.bundles import MadeBundle
from server.services.context import Context
from server.services.gate_commands import settle_commands
from server.services.ingest import take_batch
from server.services.ports_metrics import Way
from server.services.problems_gates import LinkMisused
from shared.clock import unix_ms
from shared.problems import TicketTokenError
from shared.sync.command import SignedCommand
from shared.sync.scan import SignedBatch
from shared.sync.wire import (
    FRAME_LIMIT,
    BundleFrame,
    Bye,
    CommandsFrame,
    GateFrame,
    Hello,
    Ping,
    Pong,
    Receipts,
    Scans,
    SnapshotNeeded,
    decode_gate_frame,
    encode_frame,
)

_SEND_WITHIN_S = 10.0
_CLOSE_WITHIN_S = 5.0
_BATCHES_WAITING = 2

log = structlog.get_logger()


class LinkTimes(Struct, frozen=True, kw_only=True):
    """How long a link waits: for the first frame, and for any frame after it."""

    hello_s: float = 10.0
    silence_s: float = 30.0


class GateLink:
    """One gate's link."""

    def __init__(self, context: Context, hub: LinkHub, caller: GateCaller, times: LinkTimes) -> None:
        self._context = context
        self._hub = hub
        self._caller = caller
        self._times = times
        self._socket = web.WebSocketResponse(max_msg_size=FRAME_LIMIT, timeout=_CLOSE_WITHIN_S, compress=False)
        self._batches: asyncio.Queue[SignedBatch] = asyncio.Queue(maxsize=_BATCHES_WAITING)
        self._ping: Ping | None = None
        self._bundle_version = 0
        self._takes_commands = False

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Talk to the gate until the link ends."""
        await self._socket.prepare(request)
        try:
            hello = await self._read_hello()
            greeting = await link.greet(self._context, self._caller, hello)
        except TicketTokenError as problem:
            await self._part(problem)
            return self._socket
        log.info("link.open", software=hello.software, feed_seq=hello.feed_seq, last_gate_seq=hello.last_gate_seq)
        mailbox = Mailbox(greeting.gate.event, greeting.number)
        try:
            await self._hub.join(self._caller.tenant, self._caller.gate, mailbox)
            await self._converse(mailbox, hello, greeting)
        finally:
            self._hub.leave(self._caller.gate, mailbox)
            log.info("link.closed", socket_code=self._socket.close_code)
        return self._socket

    async def _converse(self, mailbox: Mailbox, hello: Hello, greeting: link.Greeting) -> None:
        async with asyncio.TaskGroup() as tasks:
            parts = (
                self._read(mailbox),
                self._take_batches(mailbox),
                self._keep_checking(mailbox),
                self._welcome(mailbox, hello, greeting),
            )
            others = [tasks.create_task(_end_on_problem(part, mailbox)) for part in parts]
            try:
                # the writer is the last to stop: it sends the last word
                await self._write(mailbox)
            finally:
                for task in others:
                    task.cancel()

    async def _welcome(self, mailbox: Mailbox, hello: Hello, greeting: link.Greeting) -> None:
        """Say what the gate needs to hear first, then let it follow the feed."""
        await mailbox.put(greeting.welcome)
        self._bundle_version = hello.bundle_version
        self._takes_commands = hello.command_seq is not None
        if greeting.bundle is not None:
            await self._send_bundle(mailbox, greeting.bundle)
        await _send_commands(mailbox, greeting.commands)
        position = hello.feed_seq
        if greeting.needs_snapshot:
            position = greeting.welcome.feed_high
            await mailbox.put(SnapshotNeeded(event=greeting.gate.event, feed_high=position, anew=greeting.anew))
        while True:
            frame = await link.read_feed(self._context, self._caller, position, link.FRAME_ENTRIES)
            if frame.to_seq > position:
                await mailbox.put_packed(frame.data)
                position = frame.to_seq
            elif mailbox.go_live():
                return

    async def _read(self, mailbox: Mailbox) -> None:
        """Take what the gate sends until it is silent for too long or gone."""
        while True:
            frame = await self._receive(self._times.silence_s)
            if frame is None:
                mailbox.end()
                return
            match frame:
                case Ping():
                    await mailbox.put(Pong(sent_ms=frame.sent_ms, server_ms=unix_ms(self._context.clock.now())))
                    self._ping = frame
                    mailbox.check_due.set()
                    if frame.feed_seq < (head := self._hub.position(mailbox.event)):
                        mailbox.hint(head)
                case Scans():
                    await self._batches.put(frame.signed)
                case Receipts():
                    await settle_commands(self._context, self._caller, frame.receipts)
                case Hello():
                    raise LinkMisused("A gate introduces itself once on each link.")

    async def _take_batches(self, mailbox: Mailbox) -> None:
        """Take batches beside the heartbeats: a large one must not make the link look slow."""
        while True:
            signed = await self._batches.get()
            context = self._context
            receipt = await take_batch(context.db, context.vault, self._caller, signed, context.clock.now())
            context.counts.batch(Way.WEBSOCKET, receipt.taken)
            await mailbox.put(receipt.ack)

    async def _keep_checking(self, mailbox: Mailbox) -> None:
        """At every heartbeat, and when keys may have changed: may the gate go on, and has it the keys it should have?"""
        while True:
            await mailbox.check_due.wait()
            mailbox.check_due.clear()
            ping, self._ping = self._ping, None
            known = link.Known(
                bundle_version=self._bundle_version, commands=self._takes_commands, number=mailbox.number
            )
            due = await link.check_up(self._context, self._caller, known, ping)
            if due.bundle is not None:
                await self._send_bundle(mailbox, due.bundle)
            await _send_commands(mailbox, due.commands)

    async def _send_bundle(self, mailbox: Mailbox, bundle: MadeBundle) -> None:
        await mailbox.put(BundleFrame(bundle=bundle.sealed))
        self._bundle_version = bundle.version

    async def _write(self, mailbox: Mailbox) -> None:
        """Send what waits until the link ends, then close it."""
        try:
            while (frame := await mailbox.get()) is not None:
                async with asyncio.timeout(_SEND_WITHIN_S):
                    await self._socket.send_bytes(frame)
        except (OSError, TimeoutError) as exc:
            # the gate is gone or takes nothing any more; it will come back and say how far it got
            log.info("link.broken", kind=type(exc).__name__)
        await self._socket.close()

    async def _read_hello(self) -> Hello:
        frame = await self._receive(self._times.hello_s)
        if not isinstance(frame, Hello):
            raise LinkMisused("A gate introduces itself first.")
        return frame

    async def _receive(self, patience_s: float) -> GateFrame | None:
        """Return the next frame; None when the gate is gone or was silent for too long.

        Raises:
            CodeMalformed, LinkMisused: what it sent is not of this protocol.
        """
        try:
            async with asyncio.timeout(patience_s):
                message = await self._socket.receive()
        except TimeoutError:
            log.info("link.silent")
            return None
        if message.type is WSMsgType.BINARY:
            return decode_gate_frame(message.data)
        if message.type is WSMsgType.TEXT:
            raise LinkMisused("Frames are binary.")
        return None

    async def _part(self, problem: TicketTokenError) -> None:
        """Say why the link cannot begin, and close it."""
        log.info("link.refused", code=problem.code)
        try:
            async with asyncio.timeout(_SEND_WITHIN_S):
                await self._socket.send_bytes(encode_frame(_bye(problem)))
        except (OSError, TimeoutError) as exc:
            log.info("link.broken", kind=type(exc).__name__)
        await self._socket.close()


async def _send_commands(mailbox: Mailbox, commands: list[SignedCommand]) -> None:
    if commands:
        await mailbox.put(CommandsFrame(commands=commands))


async def _end_on_problem(part: Coroutine[Any, Any, None], mailbox: Mailbox) -> None:
    """Carry a part of the link out; a problem in it is the link's last word."""
    try:
        await part
    except TicketTokenError as problem:
        log.info("link.ended", code=problem.code)
        mailbox.end(_bye(problem))


def _bye(problem: TicketTokenError) -> Bye:
    return Bye(code=problem.code, message=str(problem)[:500])
