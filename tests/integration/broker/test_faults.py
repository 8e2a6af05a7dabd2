"""Batches that come twice, cannot be read, are forged or come too late; a gate that dies: nothing lost, nothing twice, no loop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import aio_pika
import msgspec
from msgspec import msgpack
from structlog.testing import capture_logs

from gate.sync.ways import Way
from server.bus.gate_topology import SCANS
from server.services.gate_mail import GateMail
from server.services.ports_bus import Arrived, Outcome
from server.services.rows_broker import QuarantineRow
from shared.clock import ManualClock
from shared.sync.broker import UP, Word, encode_message, name_account, name_key
from shared.sync.scan import SignedBatch
from shared.sync.wire import Ack, Bye, FeedFrame, Scans, Welcome
from tests.conftest import Databases
from tests.integration.broker.agents import enrol_at, scan_junk, stored_seqs
from tests.integration.broker.stage import Exchange, open_exchange
from tests.integration.broker.thief import breaking_in
from tests.integration.server.doors.paper_gate import PaperGate
from tests.services.plugin import VirtualHost


async def quarantined(exchange: Exchange, gate: PaperGate) -> list[QuarantineRow]:
    async with exchange.house.stage.db.tenant(gate.row.tenant) as tx:
        return await tx.broker.quarantined(gate.id, 100)


async def acked(exchange: Exchange, gate: PaperGate) -> int:
    async with exchange.house.stage.db.tenant(gate.row.tenant) as tx:
        return (await tx.scans.read_log(gate.id, gate.incarnation)).acked


async def logged(exchange: Exchange, count: int) -> PaperGate:
    """Return a gate that has let so many people in."""
    gate = await exchange.house.stage.enrol()
    for ticket in await exchange.house.stage.issue(count):
        await gate.scan(ticket)
    return gate


async def test_a_batch_that_comes_again_and_again_is_taken_once_and_answered_the_same(exchange: Exchange) -> None:
    gate = await logged(exchange, 4)
    line = await exchange.link(gate)
    await line.until(Welcome)
    for batch in (gate.batch(1, 2), gate.batch(1, 2), gate.batch(), gate.batch(2, 3)):
        await line.send(Scans(signed=batch))
    answers = [(await line.until(Ack)).upto for _ in range(4)]
    assert max(answers) == 4
    assert await stored_seqs(exchange, gate.id) == [1, 2, 3, 4]
    await line.send(Scans(signed=gate.batch(1, 2)))
    assert (await line.until(Ack)).upto == 4
    await line.link.close()


async def test_what_a_gate_hands_over_can_be_traced_to_its_connection(exchange: Exchange) -> None:
    gate = await logged(exchange, 1)
    line = await exchange.link(gate)
    await line.until(Welcome)
    with capture_logs() as told:
        await line.send(Scans(signed=gate.batch()))
        await line.until(Ack)
        await line.until(FeedFrame)
    traces = [one["traces"] for one in told if one["event"] == "feed.numbered"]
    assert [line.link.trace] in [list(one) for one in traces]
    await line.link.close()


async def test_forged_and_unreadable_batches_are_set_aside_once_and_hold_nobody_up(exchange: Exchange) -> None:
    gate, beside = await logged(exchange, 2), await logged(exchange, 1)
    access = await exchange.access(gate)
    line, other = await exchange.dial(gate, access), await exchange.link(beside)
    forged = msgspec.structs.replace(gate.batch(), signature=bytes(64))
    for _ in range(3):
        await line.send(Scans(signed=forged))
        assert (await line.until(Bye)).code == "batch_tampered"
    await line.send(Scans(signed=beside.batch()))
    assert (await line.until(Bye)).code == "batch_tampered"
    key = name_key("scans", gate.row.tenant, gate.id)
    async with breaking_in(access) as thief:

        async def publish_noise(channel: aio_pika.abc.AbstractChannel) -> None:
            target = await channel.get_exchange(UP, ensure=False)
            await target.publish(aio_pika.Message(b"\x00noise", user_id=access.account), key)

        assert await thief.tries(publish_noise) == "done"
    await exchange.until_queue_empty(SCANS)
    kept = await quarantined(exchange, gate)
    assert sorted(row.reason for row in kept) == ["batch_tampered", "batch_tampered", "code_malformed"]
    assert msgpack.encode(forged) in [row.body for row in kept]
    # The true log is taken all the same, the neighbour's too.
    await line.send(Scans(signed=gate.batch()))
    assert (await line.until(Ack)).upto == 2
    await other.until(Welcome)
    await other.send(Scans(signed=beside.batch()))
    assert (await other.until(Ack)).upto == 1
    await line.link.close()
    await other.link.close()


async def test_what_a_gate_handed_over_before_its_revocation_is_kept_for_a_person_to_see(exchange: Exchange) -> None:
    gate = await logged(exchange, 2)
    stage, parts = exchange.house.stage, exchange.house.parts
    await stage.enrolment.revoke(stage.tenant, gate.id, stage.clock.now())
    # It lay in the queue when the account went.
    arrived = Arrived(
        queue=SCANS,
        key=name_key("scans", stage.tenant, gate.id),
        message_id="m1",
        body=encode_message(Word(session=uuid4(), frame=Scans(signed=gate.batch()))),
        attempt=1,
        sender=name_account(gate.id),
    )
    assert parts.gate_broker is not None
    mail = GateMail(parts.context, parts.gate_broker.bus)
    assert [await mail.on_scans(arrived) for _ in range(2)] == [Outcome.DONE, Outcome.DONE]
    [kept] = await quarantined(exchange, gate)
    assert kept.reason == "device_revoked"
    assert msgpack.decode(kept.body, type=SignedBatch) == gate.batch()
    assert await acked(exchange, gate) == 0


async def test_gate_that_dies_while_it_hands_over_goes_on_where_the_server_is(
    database: Databases, vhost: VirtualHost, tmp_path: Path
) -> None:
    async with open_exchange(database, ManualClock(datetime.now(UTC)), vhost) as exchange:
        post = await enrol_at(exchange, tmp_path / "north")
        async with post.running() as gate:
            await gate.until(lambda now: now.way == Way.BROKER and gate.agent.view.ready)
            await scan_junk(gate, 450, "before")
            assert gate.task is not None
            gate.task.cancel()
            await asyncio.wait([gate.task])
            gate.task = asyncio.create_task(asyncio.sleep(0))
        async with post.running() as gate:
            await scan_junk(gate, 5, "after")
            await gate.until(lambda now: now.linked and now.backlog == 0)
        assert await stored_seqs(exchange, post.gate) == list(range(1, 456))


async def test_two_servers_share_what_gates_hand_over(exchange: Exchange, database: Databases) -> None:
    gates = [await logged(exchange, 3) for _ in range(4)]
    async with open_exchange(database, exchange.house.stage.clock, exchange.vhost):
        lines = [await exchange.link(gate) for gate in gates]
        for gate, line in zip(gates, lines, strict=True):
            await line.until(Welcome)
            for seq in range(1, 4):
                await line.send(Scans(signed=gate.batch(seq, seq)))
        for line in lines:
            assert [(await line.until(Ack)).upto for _ in range(3)][-1] >= 1
        await exchange.until_queue_empty(SCANS)
        for gate, line in zip(gates, lines, strict=True):
            await line.send(Scans(signed=gate.batch()))
            while (await line.until(Ack)).upto < 3:
                pass
            assert await stored_seqs(exchange, gate.id) == [1, 2, 3]
            await line.link.close()
