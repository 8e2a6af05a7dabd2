"""Links that must end: wrong words, wrong frames, wrong logs."""

from __future__ import annotations

import asyncio
from uuid import UUID

import aiohttp
import pytest
from aiohttp import WSMsgType

from shared.ids import EventId, GateId
from shared.sync.wire import (
    FRAME_LIMIT,
    Bye,
    Hello,
    Ping,
    Scans,
    decode_server_frame,
    encode_frame,
)
from tests.integration.server.doors.house import House
from tests.integration.server.doors.linked import enter
from tests.integration.server.doors.paper_gate import PaperGate


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"protocol": 0}, "protocol_unsupported"),
        ({"gate": GateId(UUID(int=5))}, "link_misused"),
        ({"event": EventId(UUID(int=5))}, "link_misused"),
    ],
)
async def test_hello_of_another_protocol_gate_or_event_is_refused(
    house: House, changes: dict[str, object], code: str
) -> None:
    gate = await house.stage.enrol()
    wire = await house.link(gate, **changes)
    assert (await wire.until(Bye)).code == code
    assert await wire.receive() is None
    assert house.parts.hub.count == 0


async def test_frame_before_hello_second_hello_text_and_rubbish_end_the_link(house: House) -> None:
    gate = await house.stage.enrol()
    ping = encode_frame(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=0))
    wire = await house.dial(gate)
    await wire.socket.send_bytes(ping)
    assert (await wire.until(Bye)).code == "link_misused"
    for late, code in ((b"rubbish", "code_malformed"), (None, "link_misused"), ("text", "link_misused")):
        wire, _ = await enter(house, gate)
        if isinstance(late, str):
            await wire.socket.send_str(late)
        else:
            await wire.socket.send_bytes(late or encode_frame(hello_again(gate)))
        assert (await wire.until(Bye)).code == code


def hello_again(gate: PaperGate) -> Hello:
    return Hello(
        protocol=1,
        gate=gate.id,
        incarnation=gate.incarnation,
        event=gate.row.event,
        feed_seq=0,
        bundle_version=0,
        last_gate_seq=0,
        software="test",
    )


async def test_oversize_frame_ends_the_link(house: House) -> None:
    gate = await house.stage.enrol()
    wire, _ = await enter(house, gate)
    await wire.socket.send_bytes(b"\x00" * (FRAME_LIMIT + 1))
    async with asyncio.timeout(20):
        while (message := await wire.socket.receive()).type is WSMsgType.BINARY:
            assert not isinstance(decode_server_frame(message.data), Bye)
    assert message.type in {WSMsgType.CLOSE, WSMsgType.CLOSED}
    assert wire.socket.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_diverging_log_ends_the_link_and_says_so(house: House) -> None:
    stage = house.stage
    tickets = await stage.issue(2)
    gate = await stage.enrol()
    await gate.scan(tickets[0])
    await gate.hand_over()
    gate.bodies.clear()
    del gate.chain[1:]
    await gate.scan(tickets[1])
    wire, _ = await enter(house, gate)
    await wire.send(Scans(signed=gate.batch()))
    assert (await wire.until(Bye)).code == "batch_conflict"
