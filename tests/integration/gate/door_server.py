"""A small real server that speaks the gate's protocol: what a gate says is checked and kept, the network can be cut."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import jwt
import msgspec
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct, msgpack

from gate.keystore import GateKeys, read_b64url, write_b64url
from shared.clock import unix_ms
from shared.codes.bundle import SealedBundle
from shared.ids import IncarnationId
from shared.sync.feed import FeedEntry, SnapshotChunk, SnapshotManifest
from shared.sync.scan import GENESIS, ScanRecord, SignedBatch, chain_hashes, decode_record, verify_batch
from shared.sync.wire import (
    PROTOCOL,
    Ack,
    BundleFrame,
    Bye,
    FeedFrame,
    Hello,
    Ping,
    Pong,
    Scans,
    ServerFrame,
    SnapshotNeeded,
    Welcome,
    decode_gate_frame,
    encode_frame,
    pack_chunk,
)
from tests.integration.gate.venue import EVENT, NORTH, ORGANISER, TENANT, Venue

CHUNK_ROWS = 10_000
LINK_FEED_LIMIT = 20_000


class Received(Struct, kw_only=True):
    """One incarnation's log as the server has it."""

    records: list[ScanRecord] = msgspec.field(default_factory=list)
    chain: bytes = GENESIS

    @property
    def acked(self) -> int:
        """Up to which record it is stored."""
        return len(self.records)


class DoorServer:
    """The server's side of the event; everything a test may change is a plain attribute."""

    def __init__(self, venue: Venue, keys: GateKeys) -> None:
        self.venue = venue
        self.keys = keys
        self.feed: list[FeedEntry] = []
        self.feed_starts = 0
        self.feed_limit = LINK_FEED_LIMIT
        self.bundle_version = 1
        self.logs: dict[IncarnationId, Received] = {}
        self.hellos: list[Hello] = []
        self.quarantine: list[SignedBatch] = []
        self.problem: tuple[int, str] | None = None
        self.portal = False
        self.chunk_fault: Callable[[int, bytes], bytes] | None = None
        self.snapshot_name = "snap-1"
        self.chunks_served: list[int] = []
        self.changed = asyncio.Condition()
        self._chunks: list[bytes] = []
        self._links: set[web.WebSocketResponse] = set()

    @property
    def records(self) -> list[ScanRecord]:
        """All records of all incarnations, in the order of their arrival."""
        return [record for log in self.logs.values() for record in log.records]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until the server's state is as a test wants it."""
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(holds)

    async def publish(self, *entries: FeedEntry) -> None:
        """Commit feed entries and tell every link."""
        after = len(self.feed)
        self.feed.extend(entries)
        for link in list(self._links):
            await self._send(link, FeedFrame(event=EVENT, after=after, entries=list(entries)))

    async def say(self, frame: ServerFrame) -> None:
        """Send a frame on every link."""
        for link in list(self._links):
            await self._send(link, frame)

    async def send_bundle(self) -> None:
        """Send the present key bundle on every link."""
        await self.say(BundleFrame(bundle=self._bundle()))

    async def cut(self) -> None:
        """Break every link."""
        for link in list(self._links):
            await link.close()

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[int]:
        """Listen on this machine; give the port."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/gate/v1/link", self._link),
                web.get("/gate/v1/feed", self._feed),
                web.get("/gate/v1/snapshot", self._manifest),
                web.get("/gate/v1/snapshot/{snapshot}/{number}", self._chunk),
                web.post("/gate/v1/enrol", self._enrol),
                web.post("/gate/v1/quarantine", self._keep_apart),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        try:
            yield int(runner.addresses[0][1])
        finally:
            await self.cut()
            await runner.cleanup()

    def _refuse(self, request: web.Request) -> web.Response | None:
        if self.portal:
            return web.Response(text="<html>Welcome to our network!</html>", content_type="text/html")
        if self.problem is None and self._is_genuine(request):
            return None
        status, code = self.problem or (401, "token_invalid")
        return web.json_response({"code": code, "title": code}, status=status, content_type="application/problem+json")

    def _is_genuine(self, request: web.Request) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with suppress(jwt.InvalidTokenError):
            claims = jwt.decode(token, self.keys.sign.public_key(), algorithms=["EdDSA"], audience="tickettoken-gate")
            short = claims["exp"] - claims["iat"] <= 60
            return bool(short and claims["sub"] == str(NORTH) and claims["tenant_id"] == str(TENANT))
        return False

    async def _link(self, request: web.Request) -> web.StreamResponse:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        link = web.WebSocketResponse()
        await link.prepare(request)
        try:
            async for message in link:
                if message.type is not WSMsgType.BINARY:
                    break
                await self._on_frame(link, message.data)
        finally:
            self._links.discard(link)
        return link

    async def _on_frame(self, link: web.WebSocketResponse, data: bytes) -> None:
        frame = decode_gate_frame(data)
        if isinstance(frame, Hello):
            await self._greet(link, frame)
        elif isinstance(frame, Ping):
            await self._send(link, Pong(sent_ms=frame.sent_ms, server_ms=unix_ms(datetime.now(UTC))))
        elif isinstance(frame, Scans):
            await self._take(link, frame.signed)

    async def _greet(self, link: web.WebSocketResponse, hello: Hello) -> None:
        log = self.logs.setdefault(hello.incarnation, Received())
        self.hellos.append(hello)
        high = len(self.feed)
        await self._send(
            link,
            Welcome(protocol=PROTOCOL, server_ms=unix_ms(datetime.now(UTC)), feed_high=high, acked=log.acked),
        )
        if hello.bundle_version < self.bundle_version:
            await self._send(link, BundleFrame(bundle=self._bundle()))
        after = min(hello.feed_seq, high)
        if high - after > self.feed_limit or after < self.feed_starts:
            await self._send(link, SnapshotNeeded(event=EVENT, feed_high=high))
        else:
            for at in range(after, high, 500):
                entries = self.feed[at : min(at + 500, high)]
                await self._send(link, FeedFrame(event=EVENT, after=at, entries=entries))
        self._links.add(link)
        await self._notify()

    async def _take(self, link: web.WebSocketResponse, signed: SignedBatch) -> None:
        verify_batch(signed, self.keys.sign.public_key())
        batch = signed.batch
        log = self.logs[batch.incarnation]
        if batch.first_seq <= log.acked + 1:
            skip = log.acked + 1 - batch.first_seq
            hashes = chain_hashes(batch)
            if skip == 0 and batch.previous != log.chain:
                raise AssertionError("the gate's chain does not continue")
            for body, chain in list(zip(batch.records, hashes, strict=True))[skip:]:
                log.records.append(decode_record(body))
                log.chain = chain
        await self._send(link, Ack(incarnation=batch.incarnation, upto=log.acked))
        await self._notify()

    async def _keep_apart(self, request: web.Request) -> web.Response:
        signed = msgpack.decode(await request.read(), type=SignedBatch)
        verify_batch(signed, self.keys.sign.public_key())
        self.quarantine.append(signed)
        await self._notify()
        return web.json_response({"incarnation": str(signed.batch.incarnation), "upto": len(signed.batch.records)})

    async def _feed(self, request: web.Request) -> web.Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        after = int(request.query["after"])
        if after < self.feed_starts:
            return web.json_response({"code": "feed_too_old"}, status=410, content_type="application/problem+json")
        frame = FeedFrame(event=EVENT, after=after, entries=self.feed[after : after + 1000])
        return web.Response(body=msgpack.encode(frame), content_type="application/msgpack")

    async def _manifest(self, request: web.Request) -> web.Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        rows = list(self.feed)
        self._chunks = await asyncio.to_thread(_pack, rows)
        chunks = [SnapshotChunk(size=len(data), sha256=hashlib.sha256(data).digest()) for data in self._chunks]
        manifest = SnapshotManifest(
            snapshot=self.snapshot_name, event=EVENT, seq=len(rows), rows=len(rows), chunks=chunks
        )
        return web.Response(body=msgpack.encode(manifest), content_type="application/msgpack")

    async def _chunk(self, request: web.Request) -> web.Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        number = int(request.match_info["number"])
        self.chunks_served.append(number)
        data = self._chunks[number]
        if self.chunk_fault is not None:
            data = self.chunk_fault(number, data)
        return web.Response(body=data)

    async def _enrol(self, request: web.Request) -> web.Response:
        if self.portal:
            return web.Response(text="<html>Welcome to our network!</html>", content_type="text/html")
        question = msgspec.json.decode(await request.read(), type=dict[str, str])
        if question["code"] != "TT1-GOOD":
            return web.json_response(
                {"code": "enrolment_code_invalid", "detail": "This code was used or is too old."},
                status=404,
                content_type="application/problem+json",
            )
        Ed25519PublicKey.from_public_bytes(read_b64url(question["signKey"]))
        answer = {
            "gateId": str(NORTH),
            "tenantId": str(TENANT),
            "eventId": str(EVENT),
            "eventName": "Evening",
            "name": question.get("name", "North 2"),
            "direction": "entry",
            "zones": 0,
            "products": [],
            "configKey": write_b64url(ORGANISER.public_key().public_bytes_raw()),
            "serverTime": datetime.now(UTC).isoformat(),
            "somethingNewer": True,
        }
        return web.json_response(answer)

    def _bundle(self) -> SealedBundle:
        return self.venue.bundle(NORTH, self.keys.seal.public_key(), self.bundle_version)

    async def _send(self, link: web.WebSocketResponse, frame: ServerFrame) -> None:
        with suppress(ConnectionError):
            await link.send_bytes(encode_frame(frame))

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def revoke_notice() -> Bye:
    """Return the server's last word to a revoked gate."""
    return Bye(code="device_revoked", message="This gate was revoked.")


def _pack(rows: list[FeedEntry]) -> list[bytes]:
    return [pack_chunk(rows[at : at + CHUNK_ROWS]) for at in range(0, len(rows), CHUNK_ROWS)]
