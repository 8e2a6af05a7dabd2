"""The server as one gate reaches it: by broker or WebSocket, feed ranges and snapshots by whichever of them can be had."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import structlog
from msgspec import Struct

from gate.broker import CERTIFICATE_NAME, keep_access, unseal_access
from gate.identity import Identity
from gate.keystore import GateKeys
from gate.store.shadow import open_shelf
from gate.sync.broker_finder import BrokerFinder, FinderParts
from gate.sync.credential import Credential
from gate.sync.happenings import Link
from gate.sync.http import GateHttp
from gate.sync.link_ws import WsDialler
from gate.sync.problems import FeedTooOld
from gate.sync.snapshot import SnapshotProgress, SnapshotSource, load_snapshot
from gate.sync.ways import Way, Ways, WayTimes
from shared.clock import Clock
from shared.ids import EventId
from shared.problems import TicketTokenError
from shared.sync.access import BrokerAccess
from shared.sync.scan import SignedBatch
from shared.sync.wire import FeedFrame

if TYPE_CHECKING:
    from gate.sync.link_amqp import AmqpLink

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class BrokerChoice(Struct, frozen=True, kw_only=True):
    """The account to begin with, if there is one, and whether a broker elsewhere may be used without TLS."""

    access: BrokerAccess | None = None
    allow_plain: bool = False
    times: WayTimes = WayTimes()


class RemoteParts(Struct, frozen=True, kw_only=True, eq=False):
    """What a remote is made from."""

    directory: Path
    identity: Identity
    keys: GateKeys
    clock: Clock
    broker: BrokerChoice = BrokerChoice()


class GateRemote:
    """Implements ``gate.sync.driver.Remote``."""

    def __init__(self, parts: RemoteParts, session: aiohttp.ClientSession) -> None:
        identity = parts.identity
        credential = Credential(identity.gate, identity.tenant, parts.keys.sign, parts.clock)
        self._parts = parts
        self._http = GateHttp(session, identity.server, credential)
        finder = BrokerFinder(
            FinderParts(
                tenant=identity.tenant,
                event=identity.event,
                gate=identity.gate,
                http=self._http,
                unseal=self._unseal,
                monotonic=parts.clock.monotonic,
                allow_plain=parts.broker.allow_plain,
                certificate=parts.directory / CERTIFICATE_NAME,
            ),
            parts.broker.access,
        )
        self._ways = Ways(finder.find, WsDialler(session, identity.server, credential), parts.broker.times)

    @property
    def way(self) -> Way | None:
        """How the gate was linked last."""
        return self._ways.way

    async def connect(self) -> Link:
        """Return a new connection, or raise a TicketTokenError."""
        return await self._ways.connect()

    async def keep(self) -> None:
        """Look for the better way while on the other, until cancelled."""
        try:
            await self._ways.keep()
        finally:
            await self._ways.close()

    async def fetch_feed(self, event: EventId, after: int) -> FeedFrame:
        """Return the feed entries that follow a position, or raise a TicketTokenError."""
        try:
            return await self._http.fetch_feed(event, after)
        except FeedTooOld:
            raise
        except TicketTokenError:
            link = self._find_broker_link()
            if link is None:
                raise
            from gate.sync.stream_source import read_range  # noqa: PLC0415 - needs the broker's library

            return await read_range(link, event, after)

    async def hand_in(self, signed: SignedBatch) -> None:
        """Have a revoked gate's scans kept apart, or raise a TicketTokenError."""
        await self._http.hand_in(signed)

    async def load_snapshot(self) -> int:
        """Fetch the snapshot, swap it in, and return the feed position it stands for."""
        link = self._find_broker_link()
        if link is None:
            return await self._load_from(self._http)
        from gate.sync.stream_source import open_snapshot  # noqa: PLC0415 - needs the broker's library

        async with AsyncExitStack() as stack:
            try:
                source = await stack.enter_async_context(open_snapshot(link))
                if source is not None:
                    return await self._load_from(source)
            except TicketTokenError as problem:
                _log.warning("snapshot.not_in_stream", code=problem.code, message=str(problem))
        return await self._load_from(self._http)

    async def _load_from(self, source: SnapshotSource) -> int:
        began_s = self._parts.clock.monotonic()
        async with open_shelf(self._parts.directory) as shelf:
            feed_seq = await load_snapshot(source, shelf, self._parts.identity.event, _report_progress)
        took_s = round(self._parts.clock.monotonic() - began_s, 2)
        _log.info("snapshot.loaded", feed_seq=feed_seq, took_s=took_s, source=type(source).__name__)
        return feed_seq

    async def _unseal(self, text: str) -> BrokerAccess:
        access = unseal_access(text, self._parts.identity, self._parts.keys)
        await keep_access(self._parts.directory, access)
        return access

    def _find_broker_link(self) -> AmqpLink | None:
        if self._ways.way is not Way.BROKER:
            return None
        from gate.sync.link_amqp import AmqpLink  # noqa: PLC0415 - needs the broker's library

        present = self._ways.present
        return present if isinstance(present, AmqpLink) else None


def _report_progress(progress: SnapshotProgress) -> None:
    _log.info("snapshot.progress", chunks=progress.chunks, of=progress.of, rows=progress.rows)
