"""What gates fetch and hand over, over HTTP: the link, feed ranges, snapshots, and scans where no link holds."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct, msgpack
from msgspec.structs import replace

from server.api.exchange import parse_id, read_id
from server.api.hub import LinkHub
from server.api.link import GateLink, LinkTimes
from server.api.problems import MediaTypeUnsupported, RequestInvalid
from server.api.routes import GATE, Auth, Handler, Route
from server.domain.access import GateCaller
from server.domain.limits import LimitClass
from server.services.context import Context
from server.services.gate_access import find_gate
from server.services.ingest import take_batch
from server.services.link import read_feed
from server.services.ports_metrics import Way
from server.services.problems import EventUnknown
from server.services.problems_gates import BatchConflict, BatchUnusable, FeedTooOld, GateUnknown, SnapshotUnknown
from server.services.rows_gates import GateRow
from server.services.snapshot import Snapshots
from shared.ids import EventId
from shared.packed import unpack
from shared.problems import CodeMalformed, NotFound
from shared.sync.feed import UNMARKED
from shared.sync.scan import SignedBatch
from shared.sync.wire import encode_frame

MSGPACK = "application/msgpack"
ZSTD = "application/zstd"
FEED_ENTRIES = 1000
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_NEVER = {"Cache-Control": "no-store"}
_SNAPSHOT_WITHIN_S = 120.0

_batches: msgpack.Decoder[SignedBatch] = msgpack.Decoder(SignedBatch)


class SnapshotQuery(Struct, frozen=True, kw_only=True):
    """Of which event, a gate having but one; with ``marks`` = 1 the manifest names its position's mark."""

    event: EventId
    marks: str | None = None


class FeedQuery(Struct, frozen=True, kw_only=True):
    """Of which event, and after which position; 0 is the beginning."""

    event: EventId
    after: Annotated[int, Meta(ge=0, lt=10**18)]


class GateSyncApi:
    """What gates in service call."""

    def __init__(self, context: Context, snapshots: Snapshots, hub: LinkHub, times: LinkTimes | None = None) -> None:
        self._context = context
        self._snapshots = snapshots
        self._hub = hub
        self._times = times or LinkTimes()

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            replace(
                _route("GET", "/gate/v1/link", self.open_link, "Stay in touch (WebSocket)"),
                answer=None,
                status=101,
                timeout_s=None,
                raises=(GateUnknown, RequestInvalid),
            ),
            replace(
                _route("GET", "/gate/v1/feed", self.send_feed, "A range of the feed (MessagePack)"),
                query=FeedQuery,
                raises=(GateUnknown, EventUnknown, FeedTooOld),
            ),
            replace(
                _route("GET", "/gate/v1/snapshot", self.send_manifest, "The present snapshot's manifest (MessagePack)"),
                timeout_s=_SNAPSHOT_WITHIN_S,
                query=SnapshotQuery,
                raises=(GateUnknown, EventUnknown),
            ),
            replace(
                _route("GET", "/gate/v1/snapshot/{snapshot}/{n}", self.send_chunk, "One chunk of a snapshot"),
                media=(ZSTD,),
                raises=(GateUnknown, EventUnknown, SnapshotUnknown),
            ),
            replace(
                _route("POST", "/gate/v1/scans", self.take_scans, "Hand scans over (MessagePack)"),
                body=bytes,
                takes=(MSGPACK,),
                limit=LimitClass.UPLOAD,
                raises=(GateUnknown, CodeMalformed, BatchUnusable, BatchConflict),
            ),
        ]

    async def open_link(self, request: web.Request) -> web.StreamResponse:
        """Stay in touch with one gate."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise RequestInvalid("The link is a WebSocket.")
        return await GateLink(self._context, self._hub, request[GATE], self._times).serve(request)

    async def send_feed(self, request: web.Request) -> web.Response:
        """Answer with up to 1,000 entries after a position."""
        await self._check_event(request)
        after = _read_number(request.query.get("after", ""))
        if after is None:
            raise RequestInvalid("`after` is a position in the feed, 0 for its beginning.")
        frame = await read_feed(self._context, request[GATE], after, FEED_ENTRIES)
        return web.Response(body=frame.data, content_type=MSGPACK, headers=_NEVER)

    async def send_manifest(self, request: web.Request) -> web.Response:
        """Answer with what the present snapshot consists of."""
        gate = await self._check_event(request)
        manifest = await self._snapshots.current(gate.tenant, gate.event, self._context.clock.now())
        if request.query.get("marks") != "1":
            manifest = replace(manifest, mark=UNMARKED)
        return web.Response(body=msgpack.encode(manifest), content_type=MSGPACK, headers=_NEVER)

    async def send_chunk(self, request: web.Request) -> web.Response:
        """Answer with one chunk."""
        number = _read_number(request.match_info["n"])
        if number is None or number > 10_000:
            raise NotFound("There is no such chunk.")
        gate = await self._find_gate(request[GATE])
        body = await self._snapshots.chunk(gate.tenant, gate.event, read_id(request, "snapshot"), number)
        return web.Response(body=body, content_type=ZSTD, headers=_FOR_EVER)

    async def take_scans(self, request: web.Request) -> web.Response:
        """Take a batch and answer how far the log is stored."""
        if request.content_type != MSGPACK:
            raise MediaTypeUnsupported(f"Send the batch as {MSGPACK}.")
        signed = unpack(_batches, await request.read(), "This is not a batch of scans.")
        context = self._context
        receipt = await take_batch(context.db, context.vault, request[GATE], signed, context.clock.now())
        context.counts.batch(Way.HTTP, receipt.taken)
        return web.Response(body=encode_frame(receipt.ack), content_type=MSGPACK, headers=_NEVER)

    async def _check_event(self, request: web.Request) -> GateRow:
        gate = await self._find_gate(request[GATE])
        if parse_id(request.query.get("event", "")) != gate.event:
            raise EventUnknown("This gate belongs to another event, or the event is not named.")
        return gate

    async def _find_gate(self, caller: GateCaller) -> GateRow:
        async with self._context.db.tenant(caller.tenant) as tx:
            return await find_gate(tx, caller.gate)


def _route(method: str, path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method=method, path=path, handler=handler, auth=Auth.GATE, summary=summary, answer=bytes, media=(MSGPACK,)
    )


def _read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
