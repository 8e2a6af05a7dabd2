"""Batches that are cut, mixed up, forged or foreign: each refused with its reason, while everybody else's scans go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import json, msgpack
from msgspec.structs import replace

from server.services.enrol import Enrolled
from shared.clock import unix_ms
from shared.ids import IncarnationId
from shared.sync.feed import AdmissionEntry
from shared.sync.ledger import ConflictClass
from shared.sync.scan import SignedBatch, sign_batch
from shared.sync.wire import Ack, decode_server_frame
from shared.tickets.lifecycle import State
from tests.integration.server.doors.house import House
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage


def cut_short(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return msgpack.encode(gate.batch())[:-30]


def mixed_up(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return altered(gate.batch(), records=gate.batch().batch.records[::-1])


def one_dropped(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return altered(gate.batch(), records=gate.batch().batch.records[:-1])


def one_doubled(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    records = gate.batch().batch.records
    return altered(gate.batch(), records=[*records, records[-1]])


def wrongly_numbered(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return altered(gate.batch(), first_seq=2)


def in_another_life(gate: PaperGate, other: PaperGate) -> bytes:
    return altered(gate.batch(), incarnation=IncarnationId(other.incarnation))


def signed_by_nobody_we_know(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return msgpack.encode(sign_batch(gate.batch().batch, Ed25519PrivateKey.generate()))


def anothers_log(gate: PaperGate, other: PaperGate) -> bytes:
    return msgpack.encode(sign_batch(other.batch().batch, gate.sign))


def with_a_broken_chain(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return msgpack.encode(sign_batch(replace(gate.batch().batch, previous=bytes(31) + b"x"), gate.sign))


def too_long(gate: PaperGate, other: PaperGate) -> bytes:
    assert other is not gate
    return msgpack.encode(sign_batch(replace(gate.batch().batch, records=[b"x"] * 201), gate.sign))


REFUSED: dict[Callable[[PaperGate, PaperGate], bytes], tuple[int, str]] = {
    cut_short: (400, "code_malformed"),
    mixed_up: (403, "batch_tampered"),
    one_dropped: (403, "batch_tampered"),
    one_doubled: (403, "batch_tampered"),
    wrongly_numbered: (403, "batch_tampered"),
    in_another_life: (403, "batch_tampered"),
    signed_by_nobody_we_know: (403, "batch_tampered"),
    anothers_log: (400, "batch_unusable"),
    with_a_broken_chain: (409, "batch_conflict"),
    too_long: (400, "code_malformed"),
}


async def test_every_bad_batch_is_refused_with_its_reason_and_holds_nobody_up(house: House) -> None:
    stage = house.stage
    tickets = iter(await stage.issue(len(REFUSED) * 3 + 3))
    for make, (status, code) in REFUSED.items():
        gate, other = await stage.enrol("North"), await stage.enrol("South")
        for writer in (gate, gate, other):
            await writer.scan(next(tickets))
        said, answer = await post(house, gate, make(gate, other))
        assert (said, json.decode(answer)["code"]) == (status, code), make.__name__
        for honest in (gate, other):
            said, answer = await post(house, honest, msgpack.encode(honest.batch()))
            assert said == 200
            assert decode_server_frame(answer) == Ack(incarnation=honest.incarnation, upto=len(honest.bodies))


async def test_of_two_hosts_with_one_log_the_first_goes_on_and_the_other_is_told(house: House) -> None:
    stage = house.stage
    tickets = await stage.issue(4)
    gate, neighbour = await stage.enrol("North"), await stage.enrol("South")
    await gate.scan(tickets[0])
    await gate.hand_over()
    copy = PaperGate(
        stage, Enrolled(gate=gate.row, event=await stage.event_row(), config_key=gate.config_key), gate.sign, gate.seal
    )
    copy.incarnation, copy.bodies, copy.chain = gate.incarnation, [*gate.bodies], [*gate.chain]
    await gate.scan(tickets[1])
    await gate.hand_over()
    await copy.scan(tickets[2])
    status, answer = await post(house, copy, msgpack.encode(copy.batch()))
    assert (status, json.decode(answer)["code"]) == (409, "batch_conflict")
    for honest, ticket in ((gate, tickets[3]), (neighbour, tickets[2])):
        await honest.scan(ticket)
        assert (await honest.hand_over()).ack.upto == len(honest.bodies)
    assert [(await stage.ticket(ticket.id)).state for ticket in tickets] == [State.CHECKED_IN] * 4


async def test_a_stamp_from_tomorrow_is_kept_and_the_next_gates_scan_is_judged_all_the_same(stage: Stage) -> None:
    mine, shared = await stage.issue(2)
    fast, right = await stage.enrol("Fast"), await stage.enrol("Right")
    tomorrow = (unix_ms(stage.clock.now()) + 86_400_000) << 16
    await fast.scan(shared, hlc=tomorrow)
    assert (await fast.hand_over()).ack.upto == 1
    stage.clock.advance(timedelta(seconds=20))
    await right.scan(mine)
    await right.scan(shared)
    assert (await right.hand_over()).ack.upto == 2
    async with stage.db.tenant(stage.tenant) as tx:
        found = await tx.conflicts.list_of_event(stage.event, None, 10)
    assert [(row.ticket, row.kind) for row in found] == [(shared.id, ConflictClass.CLONE)]
    await stage.relay_all()
    told = [entry.admission for entry in await stage.feed() if isinstance(entry, AdmissionEntry)]
    assert [one.hlc == tomorrow for one in told] == [True, False, False]


def altered(signed: SignedBatch, **changes: object) -> bytes:
    """Return a batch as somebody on the way would change it, under the gate's own signature."""
    return msgpack.encode(replace(signed, batch=replace(signed.batch, **changes)))


async def post(house: House, gate: PaperGate, body: bytes) -> tuple[int, bytes]:
    """Hand bytes over by HTTP as a gate; return status and answer."""
    headers = house.gate(gate) | {"Content-Type": "application/msgpack"}
    async with house.client.post(house.base_url + "/gate/v1/scans", data=body, headers=headers) as response:
        return response.status, await response.read()
