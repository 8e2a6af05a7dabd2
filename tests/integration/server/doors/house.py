"""The whole server on a socket, and gates that talk to it by wire."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from uuid import uuid4

import aiohttp
import jwt
import msgspec
from aiohttp import ClientWebSocketResponse, WSMsgType
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from server.app import run_server
from server.domain.access import Role, User
from server.listening import bind
from server.parts import Parts, ServerPlan
from shared.clock import ManualClock
from shared.codes.keys import KeyRing
from shared.ids import GateId, TenantId, UserId
from shared.settings import Secret
from shared.sync.wire import (
    PROTOCOL,
    GateFrame,
    Hello,
    ServerFrame,
    decode_server_frame,
    encode_frame,
)
from tests.conftest import Databases
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage, open_policy, set_up_with

PATIENCE_S = 20.0
FrameT = TypeVar("FrameT")


class House(Struct, frozen=True, kw_only=True, eq=False):
    """A running server, an event in it, and a client."""

    base_url: str
    parts: Parts
    stage: Stage
    client: aiohttp.ClientSession
    metrics_url: str | None = None

    def organiser(self, stage: Stage | None = None, role: Role = Role.VENUE_MANAGER) -> dict[str, str]:
        """Return the headers of an event's organiser."""
        tenant = (stage or self.stage).tenant
        token = self.parts.tokens.make(User(tenant=tenant, user=UserId(uuid4()), role=role))
        return {"Authorization": f"Bearer {token}"}

    def gate(self, gate: PaperGate, **claims: object) -> dict[str, str]:
        """Return the headers of a gate."""
        token = gate_token(gate.row.tenant, gate.id, gate.sign, self.stage.clock, **claims)
        return {"Authorization": f"Bearer {token}"}

    async def ask(self, method: str, path: str, headers: dict[str, str], body: object = None) -> tuple[int, object]:
        """Return status and JSON answer."""
        async with self.client.request(method, self.base_url + path, headers=headers, json=body) as response:
            return response.status, msgspec.json.decode(await response.read())

    async def read(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return status and raw answer."""
        async with self.client.get(self.base_url + path, headers=headers) as response:
            return response.status, await response.read()

    async def dial(self, gate: PaperGate) -> Wire:
        """Open a gate's link, without a word yet."""
        socket = await self.client.ws_connect(self.base_url + "/gate/v1/link", headers=self.gate(gate))
        return Wire(socket)

    async def link(self, gate: PaperGate, /, **changes: object) -> Wire:
        """Open a gate's link and introduce it."""
        wire = await self.dial(gate)
        await wire.send(msgspec.structs.replace(hello(gate), **changes))
        return wire


class Wire:
    """One link, seen from the gate."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, frame: GateFrame) -> None:
        """Send a frame."""
        await self.socket.send_bytes(encode_frame(frame))

    async def receive(self) -> ServerFrame | None:
        """Return the next frame, None at the end."""
        async with asyncio.timeout(PATIENCE_S):
            message = await self.socket.receive()
        if message.type is not WSMsgType.BINARY:
            return None
        return decode_server_frame(message.data)

    async def until(self, kind: type[FrameT]) -> FrameT:
        """Return the next frame of a kind, passing over others."""
        while True:
            frame = await self.receive()
            assert frame is not None, f"the link ended before a {kind.__name__}"
            if isinstance(frame, kind):
                return frame


def hello(gate: PaperGate) -> Hello:
    """Return what a gate that knows nothing yet says first."""
    return Hello(
        protocol=PROTOCOL,
        gate=gate.id,
        incarnation=gate.incarnation,
        event=gate.row.event,
        feed_seq=0,
        bundle_version=0,
        last_gate_seq=len(gate.bodies),
        software="test 1",
    )


def gate_token(tenant: TenantId, gate: GateId, key: Ed25519PrivateKey, clock: ManualClock, **changes: object) -> str:
    """Return a gate's token as a gate makes it; ``changes`` alter its claims."""
    now = int(clock.now().timestamp())
    claims: dict[str, object] = {
        "sub": str(gate),
        "tenant_id": str(tenant),
        "aud": "tickettoken-gate",
        "iat": now,
        "exp": now + 60,
    }
    return jwt.encode(claims | changes, key, algorithm="EdDSA", headers={"kid": str(gate)})


def b64url(data: bytes) -> str:
    """Return Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@asynccontextmanager
async def open_house(database: Databases, clock: ManualClock, **changes: object) -> AsyncIterator[House]:
    """Run the whole server on a loopback port, with one event on sale; ``changes`` alter its plan."""
    usual = ServerPlan(
        app_dsn=database.app_dsn,
        worker_dsn=database.worker_dsn,
        jwt_secret=Secret("0123456789abcdef" * 4),
        ring=KeyRing({"k1": os.urandom(32)}),
        clock=clock,
    )
    plan = msgspec.structs.replace(usual, **changes)
    with bind("127.0.0.1", 0) as listener:
        async with run_server(plan, listener) as running, aiohttp.ClientSession() as client:
            parts = running.parts
            stage = await set_up_with(parts.database, parts.context.vault, clock, open_policy())
            yield House(
                base_url=running.base_url,
                parts=parts,
                stage=stage,
                client=client,
                metrics_url=running.metrics_url,
            )
