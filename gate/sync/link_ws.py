"""The link over one WebSocket: connecting, and frames in both directions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import WSMsgType

from gate.sync.credential import Credential
from gate.sync.http import GateHttp
from gate.sync.problems import GateRefused, NotOurServer, ServerAway
from shared.problems import CodeMalformed, TicketTokenError
from shared.sync.wire import FRAME_LIMIT, GateFrame, ServerFrame, decode_server_frame, encode_frame

CONNECT_WITHIN_S = 10.0
SEND_WITHIN_S = 10.0
CLOSE_WITHIN_S = 2.0
_PATH = "/gate/v1/link"


class WsLink:
    """One connection to the server."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, frame: GateFrame) -> None:
        """Send a frame.

        Raises:
            ServerAway: it could not be sent in time.
        """
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await self._socket.send_bytes(encode_frame(frame))
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise ServerAway("The link broke while sending.") from exc

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Yield what the server sends until the link ends.

        Raises:
            CodeMalformed: something that is not a frame of this protocol.
        """
        async for message in self._socket:
            if message.type is not WSMsgType.BINARY:
                raise CodeMalformed("The server sent something that is not a frame.")
            yield decode_server_frame(message.data)

    async def close(self) -> None:
        """End the link; closing twice is fine."""
        await self._socket.close()


class WsDialler:
    """Connects to one server, as often as asked."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, credential: Credential) -> None:
        self._session = session
        self._base_url = base_url
        self._credential = credential
        self._http = GateHttp(session, base_url, credential)

    async def connect(self) -> WsLink:
        """Return a new connection, not yet welcomed.

        Raises:
            ServerAway: no answer in time.
            NotOurServer: an answer that is not a WebSocket's beginning.
            GateRefused, DeviceRevoked: the server does not accept this gate.
        """
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                return await self._connect()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise ServerAway(f"The server at {self._base_url} does not answer ({type(exc).__name__}).") from exc

    async def _connect(self) -> WsLink:
        for attempt in range(2):
            try:
                return WsLink(await self._open())
            except aiohttp.WSServerHandshakeError as exc:
                date = exc.headers.get("Date") if exc.headers is not None else None
                if exc.status == 401 and attempt == 0 and self._credential.learn(date):
                    continue
                raise await self._ask_why(exc.status) from exc
        raise GateRefused("The server refused this gate twice.")

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        return await self._session.ws_connect(
            self._base_url + _PATH,
            headers=self._credential.headers(),
            max_msg_size=FRAME_LIMIT,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_WITHIN_S),
        )

    async def _ask_why(self, status: int) -> TicketTokenError:
        """Ask again without a WebSocket, whose handshake keeps the answer's text to itself."""
        try:
            await self._http.get(_PATH, {}, FRAME_LIMIT)
        except TicketTokenError as problem:
            return problem
        return NotOurServer(f"Something else than the server answers at {self._base_url} (HTTP {status}).")
