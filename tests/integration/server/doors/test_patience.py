"""How long a link waits for a silent gate."""

from __future__ import annotations

import os

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from server.api.gate_sync import GateSyncApi
from server.api.guard import mount
from server.api.hub import LinkHub
from server.api.link import LinkTimes
from server.api.routes import Authenticators
from server.domain.access import GateCaller, User
from server.services.snapshot import Snapshots
from shared.problems import Denied
from shared.sync.wire import Welcome
from tests.integration.server.doors.house import Wire, hello
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage


def server(stage: Stage, gate: PaperGate, hub: LinkHub, times: LinkTimes) -> TestServer:
    async def known(_request: web.Request) -> GateCaller:
        return gate.caller

    async def nobody(_request: web.Request) -> User:
        raise Denied("no users here")

    app = web.Application()
    api = GateSyncApi(stage.context, Snapshots(stage.db, stage.vault, os.urandom), hub, times)
    mount(app, api.routes(), Authenticators(user=nobody, gate=known))
    return TestServer(app)


async def dial(client: aiohttp.ClientSession, running: BaseTestServer) -> Wire:
    return Wire(await client.ws_connect(running.make_url("/gate/v1/link")))


async def test_gate_that_never_introduces_itself_is_let_go(stage: Stage) -> None:
    gate, hub = await stage.enrol(), LinkHub(stage.db)
    async with server(stage, gate, hub, LinkTimes(hello_s=0.05)) as running, aiohttp.ClientSession() as client:
        wire = await dial(client, running)
        frame = await wire.receive()
        assert frame is None or getattr(frame, "code", "") == "link_misused"


async def test_gate_that_falls_silent_is_let_go(stage: Stage) -> None:
    gate, hub = await stage.enrol(), LinkHub(stage.db)
    async with server(stage, gate, hub, LinkTimes(silence_s=0.05)) as running, aiohttp.ClientSession() as client:
        wire = await dial(client, running)
        await wire.send(hello(gate))
        await wire.until(Welcome)
        while await wire.receive() is not None:
            assert hub.count == 1
        assert wire.socket.closed
    assert hub.count == 0
