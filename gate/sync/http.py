"""Plain requests to the server: time limits on each, and whatever is not the server's answer taken as no answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Struct, msgpack

from gate.sync.credential import Credential
from gate.sync.problems import DeviceRevoked, FeedTooOld, GateRefused, Gone, NotOurServer, ServerAway
from shared.ids import EventId
from shared.problems import Conflict, InputUnusable, NotFound, TicketTokenError
from shared.sync.feed import SnapshotChunk, SnapshotManifest
from shared.sync.scan import SignedBatch
from shared.sync.wire import FRAME_LIMIT, SNAPSHOT_CHUNK_LIMIT, FeedFrame

CONNECT_S = 5.0
ANSWER_S = 15.0
WHOLE_S = 120.0
_PROBLEM_LIMIT = 64 * 1024

AnswerT = TypeVar("AnswerT", FeedFrame, SnapshotManifest)


class Problem(Struct, frozen=True, kw_only=True):
    """The part of a problem document (RFC 9457) that the gate acts on; other members are the server's business."""

    code: str = ""
    title: str = ""
    detail: str = ""


class _BrokerAnswer(Struct, frozen=True, kw_only=True):
    broker: str


@asynccontextmanager
async def open_session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open an HTTP client with the limits of this module."""
    limits = aiohttp.ClientTimeout(total=WHOLE_S, sock_connect=CONNECT_S, sock_read=ANSWER_S)
    async with aiohttp.ClientSession(timeout=limits, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


class GateHttp:
    """The server's pull side: feed ranges, snapshots."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, credential: Credential) -> None:
        self._session = session
        self._base_url = base_url
        self._credential = credential

    async def fetch_feed(self, event: EventId, after: int) -> FeedFrame:
        """Return the feed entries that follow a position.

        Raises:
            FeedTooOld: the server no longer keeps them.
            ServerAway, NotOurServer, GateRefused, DeviceRevoked: see ``get``.
        """
        try:
            data = await self.get("/gate/v1/feed", {"event": str(event), "after": str(after)}, FRAME_LIMIT)
        except Gone as exc:
            raise FeedTooOld("The server no longer keeps that part of the feed.") from exc
        return _decode(data, FeedFrame, self._base_url)

    async def fetch_manifest(self, event: EventId) -> SnapshotManifest:
        """Return what the server's present snapshot of an event consists of."""
        data = await self.get("/gate/v1/snapshot", {"event": str(event), "marks": "1"}, FRAME_LIMIT)
        return _decode(data, SnapshotManifest, self._base_url)

    async def fetch_chunk(self, snapshot: str, number: int, chunk: SnapshotChunk) -> bytes:
        """Return one chunk's bytes, unchecked, at most as many as were announced."""
        limit = min(chunk.size, SNAPSHOT_CHUNK_LIMIT)
        return await self.get(f"/gate/v1/snapshot/{snapshot}/{number}", {}, limit)

    async def renew_broker(self) -> str:
        """Return a new account at the broker, sealed to this gate, in Base64url.

        Raises:
            NotFound: the server's gates use no broker.
            ServerAway, NotOurServer, GateRefused, DeviceRevoked: see ``get``.
        """
        data = await self._answer("POST", "/gate/v1/broker", {}, FRAME_LIMIT)
        try:
            return msgspec.json.decode(data, type=_BrokerAnswer).broker
        except msgspec.DecodeError as exc:
            raise NotOurServer(f"{self._base_url} answers in a form the server does not use: update the gate?") from exc

    async def hand_in(self, signed: SignedBatch) -> None:
        """Have scans kept apart, of this gate that was revoked; the same ones again do no harm.

        Raises:
            Conflict: the server takes them in the ordinary way, or has no room.
            ServerAway, NotOurServer, GateRefused: see ``get``.
        """
        await self._answer("POST", "/gate/v1/quarantine", {}, _PROBLEM_LIMIT, body=msgpack.encode(signed))

    async def get(self, path: str, query: dict[str, str], limit: int) -> bytes:
        """Return the body of a GET, at most ``limit`` bytes of it.

        Raises:
            ServerAway: no answer in time.
            NotOurServer: an answer the server would not give.
            GateRefused, DeviceRevoked, FeedTooOld, NotFound: the server's own refusals.
        """
        return await self._answer("GET", path, query, limit)

    async def _answer(
        self, method: str, path: str, query: dict[str, str], limit: int, body: bytes | None = None
    ) -> bytes:
        try:
            return await self._ask(method, path, query, limit, body)
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise ServerAway(f"The server at {self._base_url} does not answer ({type(exc).__name__}).") from exc

    async def _ask(self, method: str, path: str, query: dict[str, str], limit: int, body: bytes | None) -> bytes:
        for attempt in range(2):
            headers = self._credential.headers()
            if body is not None:
                headers = headers | {"Content-Type": "application/msgpack"}
            async with self._session.request(
                method, self._base_url + path, params=query, headers=headers, allow_redirects=False, data=body
            ) as response:
                learnt = self._credential.learn(response.headers.get("Date"))
                if response.status == 200:
                    return await read_bounded(response, limit, self._base_url)
                problem = await read_problem(response, self._base_url)
                if response.status == 401 and attempt == 0 and learnt:
                    continue
                raise problem
        raise ServerAway(f"The server at {self._base_url} refused twice.")


async def read_bounded(response: aiohttp.ClientResponse, limit: int, base_url: str) -> bytes:
    """Return a body, refusing one that is longer than ``limit`` bytes before it fills the memory."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > limit:
            raise NotOurServer(f"The answer of {base_url} is longer than the server ever sends.")
    return bytes(body)


async def read_problem(response: aiohttp.ClientResponse, base_url: str) -> TicketTokenError:
    """Return what a refusal means, by its problem document; an answer without one is not the server's."""
    if response.content_type != "application/problem+json":
        return NotOurServer(
            f"Something else than the server answers at {base_url} (HTTP {response.status}): does this network want a login?"
        )
    try:
        problem = msgspec.json.decode(await read_bounded(response, _PROBLEM_LIMIT, base_url), type=Problem)
    except msgspec.DecodeError:
        return NotOurServer(f"{base_url} answers in a form the server does not use (HTTP {response.status}).")
    return name_problem(response.status, problem)


def name_problem(status: int, problem: Problem) -> TicketTokenError:
    """Return the exception for one of the server's refusals."""
    words = " ".join((problem.detail or problem.title or problem.code).split())[:300]
    if problem.code == DeviceRevoked.code:
        return DeviceRevoked("The organiser has revoked this gate: enrol it anew if that was a mistake.")
    if status in {401, 403}:
        return GateRefused(f"The server refuses this gate: {words}")
    if status in _BY_STATUS:
        return _BY_STATUS[status](f"The server refuses this: {words}")
    return ServerAway(f"The server cannot answer now (HTTP {status}): {words}")


_BY_STATUS: dict[int, type[TicketTokenError]] = {
    400: InputUnusable,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: InputUnusable,
    422: InputUnusable,
}


def _decode(data: bytes, kind: type[AnswerT], base_url: str) -> AnswerT:
    try:
        return msgpack.decode(data, type=kind)
    except (ValueError, RecursionError) as exc:
        raise NotOurServer(f"{base_url} answers in a form the server does not use: update the gate?") from exc
