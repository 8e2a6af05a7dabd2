"""What somebody gets who steals a gate that was at work: everything on its disk, and yet no ticket, no name, no other log."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from msgspec import Struct
from msgspec.structs import replace

from gate.briefing import Briefing
from gate.examine import examine
from server.domain.access import GateCaller
from server.services.enrol import Enrolment
from server.services.ingest import Receipt, take_batch
from server.services.key_rotation import rotate_event
from server.services.problems_gates import BatchUnusable, GateRevoked
from server.services.rows import TicketRow
from server.services.rows_gates import ScanRow
from shared.admission.verdict import Direction, Reason
from shared.clock import unix_ms
from shared.codes import base45
from shared.codes.keys import hash_handle, open_holder
from shared.codes.reader import CodeRead, CodeReader, Proof
from shared.codes.token import pack_token, read_text, unpack_token
from shared.ids import GateId, IncarnationId, ScanId
from shared.problems import CodeMalformed
from shared.sync.feed import AdmissionEntry
from shared.sync.scan import (
    GENESIS,
    BatchTampered,
    Mode,
    ScanBatch,
    ScanRecord,
    SignedBatch,
    encode_record,
    sign_batch,
)
from shared.tickets.lifecycle import State
from tests.integration.keys.grounds import Grounds, identity_of
from tests.integration.keys.loot import Loot, alter, make_attempts, take_everything
from tests.integration.keys.stage import DAY
from tests.integration.server.doors.house import gate_token
from tests.integration.server.selling.test_codes import rotate

NAME = "Zephyrine Quill-Abernathy"
SLOT = timedelta(seconds=15)


class Heist(Struct, frozen=True, kw_only=True, eq=False):
    """The evening: one ticket was shown at the north gate, which was stolen; the victim's never was."""

    grounds: Grounds
    loot: Loot
    shown: str
    known: TicketRow
    victim: TicketRow
    south: Path

    @property
    def thief(self) -> GateCaller:
        """Return the stolen gate as a caller."""
        return GateCaller(tenant=self.loot.identity.tenant, gate=self.loot.identity.gate)

    async def peer(self) -> CodeReader:
        """Return how the other gate reads codes."""
        async with self.grounds.gate(self.south) as gate:
            return CodeReader(gate.agent.knowledge._bundle.epochs if gate.agent.knowledge._bundle else [])

    async def claim(self, **changes: object) -> tuple[Receipt, ScanRow]:
        """Have the stolen gate say that it let the victim's ticket in; return what the server made of it."""
        record = await self.forge(**changes)
        stage = self.grounds.festival.stage
        receipt = await take_batch(stage.db, stage.vault, self.thief, self.sign(record), stage.clock.now())
        async with stage.db.tenant(stage.tenant) as tx:
            scans = await tx.scans.list_of_event(stage.event, None, 100)
        return receipt, next(scan for scan in scans if scan.scan == record.scan)

    async def forge(self, **changes: object) -> ScanRecord:
        """Return a record of an admission that never was."""
        stage = self.grounds.festival.stage
        record = ScanRecord(
            scan=ScanId(uuid4()),
            gate_seq=1,
            hlc=unix_ms(stage.clock.now()) << 16,
            at_ms=unix_ms(stage.clock.now()),
            unsure_ms=50,
            event=stage.event,
            handle_hash=await stage.handle_hash(self.victim),
            code_hash=os.urandom(8),
            direction=Direction.ENTRY,
            admitted=True,
            reason=Reason.OK,
            mode=Mode.OFFLINE,
            feed_seq=0,
            policy_version=1,
        )
        return replace(record, **changes)

    def sign(self, record: ScanRecord, gate: GateId | None = None) -> SignedBatch:
        """Return a log of one record, signed with the stolen key."""
        batch = ScanBatch(
            gate=gate or self.loot.identity.gate,
            incarnation=IncarnationId(uuid4()),
            first_seq=1,
            previous=GENESIS,
            records=[encode_record(record)],
        )
        return sign_batch(batch, self.loot.keys.sign)


@pytest.fixture
async def heist(grounds: Grounds) -> Heist:
    """Play the evening up to the theft."""
    festival = grounds.festival
    north, south = await grounds.enrol("north"), await grounds.enrol("south")
    known, victim, _ = await festival.stage.issue(3, NAME)
    shown = rotate(await festival.wallet(known), festival.clock)
    async with grounds.gate(north) as gate:
        await grounds.beat_until(gate, lambda: gate.agent.view.status().tickets == 3)
        shown = rotate(await festival.wallet(known), festival.clock)
        (outcome,) = await gate.show(shown)
        assert outcome.verdict.admitted
        await grounds.beat_until(gate, lambda: gate.agent.view.status().backlog == 0)
    loot = await take_everything(north)
    return Heist(grounds=grounds, loot=loot, shown=shown, known=known, victim=victim, south=south)


async def test_the_thief_has_all_there_was(heist: Heist) -> None:
    assert {"keys.json", "identity.json", "log.db", "world.db"} <= heist.loot.files.keys()
    assert len(heist.loot.rows) == 3
    assert heist.loot.bundle.epochs
    token = unpack_token(read_text(heist.shown))
    handle = heist.loot.open(token).claims.handle
    assert open_holder(handle, heist.loot.rows[hash_handle(handle)]).name == NAME


async def test_no_code_the_thief_can_make_is_read_at_another_gate(heist: Heist) -> None:
    clock = heist.grounds.festival.clock
    victim_hash = await heist.grounds.festival.stage.handle_hash(heist.victim)
    attempts = make_attempts(heist.loot, heist.shown, victim_hash)
    reader = await heist.peer()
    assert isinstance(reader.read(heist.shown, clock.now()), CodeRead)
    answers: dict[str, set[Reason]] = {why: set() for why in attempts}
    for step in range(-2, 45):
        for why, text in attempts.items():
            read = reader.read(text, clock.now() + step * SLOT)
            assert not isinstance(read, CodeRead), why
            answers[why].add(read.reason)
    static = {"no live part": {Reason.STATIC_CODE_REFUSED}}
    assert answers == {why: static.get(why, {Reason.CODE_FORGED}) for why in attempts}


async def test_the_code_that_was_seen_is_dead_within_its_slots(heist: Heist) -> None:
    clock, reader = heist.grounds.festival.clock, await heist.peer()
    for step in range(3, 60):
        read = reader.read(heist.shown, clock.now() + step * SLOT)
        assert not isinstance(read, CodeRead)
        assert read.reason is Reason.CODE_STALE


async def test_no_name_is_readable_without_its_code(heist: Heist) -> None:
    for file, content in heist.loot.files.items():
        for text in (NAME, NAME.rpartition(" ")[2], "Quill"):
            assert text.encode() not in content, file
            assert text.encode("utf-16-le") not in content, file
    token = unpack_token(read_text(heist.shown))
    handle = heist.loot.open(token).claims.handle
    victim = await heist.grounds.festival.stage.handle_hash(heist.victim)
    guesses = [
        victim,
        handle,
        hash_handle(victim),
        bytes(16),
        *(key.envelope_key[:16] for key in heist.loot.bundle.epochs),
    ]
    for guess in guesses:
        with pytest.raises(CodeMalformed):
            open_holder(guess, heist.loot.rows[victim])


async def test_a_claim_without_the_live_code_is_kept_and_proves_nothing(heist: Heist) -> None:
    token = unpack_token(read_text(heist.shown))
    assert token.slot is not None
    assert token.value is not None
    epoch = heist.loot.open(token).header.epoch
    anchor = heist.loot.open(token).anchor
    guesses = {
        "noise": Proof(epoch=epoch, slot=token.slot, value=os.urandom(16)),
        "another ticket's": Proof(epoch=epoch, slot=token.slot, value=token.value),
        "an anchor": Proof(epoch=epoch, slot=1, value=anchor),
        "no such epoch": Proof(epoch=60_000, slot=token.slot, value=token.value),
    }
    for why, proof in guesses.items():
        receipt, scan = await heist.claim(proof=proof)
        assert (receipt.taken, scan.ticket, scan.proven) == (1, heist.victim.id, False), why
        assert scan.server_reason is Reason.CODE_FORGED, why
    receipt, scan = await heist.claim(proof=None)
    assert (receipt.taken, scan.proven, scan.server_reason) == (1, False, Reason.STATIC_CODE_REFUSED)
    stage = heist.grounds.festival.stage
    assert (await stage.ticket(heist.victim.id)).state is State.ACTIVE
    told = [entry for entry in await stage.feed() if isinstance(entry, AdmissionEntry)]
    assert [entry.handle_hash for entry in told] == [await stage.handle_hash(heist.known)]


async def test_the_victim_still_gets_in_and_the_false_claim_shows_as_a_conflict(heist: Heist) -> None:
    festival, stage = heist.grounds.festival, heist.grounds.festival.stage
    token = unpack_token(read_text(heist.shown))
    assert token.slot is not None
    await heist.claim(proof=Proof(epoch=0, slot=token.slot, value=os.urandom(16)))
    async with heist.grounds.gate(heist.south) as gate:
        festival.clock.advance(timedelta(minutes=5))
        (outcome,) = await gate.show(rotate(await festival.wallet(heist.victim), festival.clock))
        assert outcome.verdict.reason is Reason.OK
        await heist.grounds.beat_until(gate, lambda: gate.agent.view.status().backlog == 0)
    assert (await stage.ticket(heist.victim.id)).state is State.CHECKED_IN
    async with stage.db.tenant(stage.tenant) as tx:
        conflicts = await tx.conflicts.list_of_event(stage.event, None, 10)
        scans = await tx.scans.list_of_event(stage.event, None, 10)
    south = (await identity_of(heist.south)).gate
    assert {(scan.gate == south, scan.proven) for scan in scans if scan.ticket == heist.victim.id} == {
        (True, True),
        (False, False),
    }
    assert [(one.ticket, one.kind.value, one.severity.value) for one in conflicts] == [
        (heist.victim.id, "staff_error", "medium")
    ]


async def test_nobody_elses_log_can_be_written(heist: Heist) -> None:
    stage = heist.grounds.festival.stage
    south = (await identity_of(heist.south)).gate
    record = await heist.forge()
    forged = heist.sign(record, gate=south)
    for caller in (heist.thief, replace(heist.thief, gate=south)):
        with pytest.raises((BatchTampered, BatchUnusable)):
            await take_batch(stage.db, stage.vault, caller, forged, stage.clock.now())
    token = gate_token(stage.tenant, south, heist.loot.keys.sign, stage.clock)
    async with aiohttp.ClientSession() as client:
        url, headers = heist.grounds.base_url + "/gate/v1/scans", {"Authorization": f"Bearer {token}"}
        async with client.post(url, data=b"", headers=headers) as response:
            assert response.status == 401
    async with stage.db.tenant(stage.tenant) as tx:
        assert record.scan not in {scan.scan for scan in await tx.scans.list_of_event(stage.event, None, 10)}


async def test_once_revoked_it_gets_nothing_and_its_keys_open_nothing_new(heist: Heist) -> None:
    festival, stage = heist.grounds.festival, heist.grounds.festival.stage
    await Enrolment(stage.db, stage.vault, os.urandom).revoke(stage.tenant, heist.thief.gate, stage.clock.now())
    with pytest.raises(GateRevoked):
        await heist.claim(proof=None)
    token = gate_token(stage.tenant, heist.thief.gate, heist.loot.keys.sign, stage.clock)
    async with aiohttp.ClientSession() as client:
        for path in (f"/gate/v1/feed?event={stage.event}&after=0", f"/gate/v1/snapshot?event={stage.event}"):
            headers = {"Authorization": f"Bearer {token}"}
            async with client.get(heist.grounds.base_url + path, headers=headers) as response:
                assert response.status in {401, 403}, path
    festival.clock.advance(DAY)
    shown = unpack_token(read_text(rotate(await festival.wallet(heist.victim), festival.clock)))
    assert [heist.loot.open_with(key, shown) for key in heist.loot.bundle.epochs] == [None] * len(
        heist.loot.bundle.epochs
    )


async def test_ten_thousand_altered_codes_are_refused_at_a_gate_with_replaced_keys(heist: Heist) -> None:
    """Several keys for one epoch are several doors to try: none of them gives way."""
    festival, stage = heist.grounds.festival, heist.grounds.festival.stage
    await rotate_event(festival.elsewhere(), stage.tenant, stage.event, at_once=True)
    gate = await stage.enrol("west")
    bundle = await festival.bundle(gate)
    assert sum(key.epoch == 0 for key in bundle.epochs) == 2
    briefing = Briefing(
        event=stage.event,
        event_name="Concert",
        reader=CodeReader(bundle.epochs),
        policy=bundle.policy,
        gates={},
        keys_until=max(key.ends for key in bundle.epochs),
    )
    fresh = rotate(await festival.wallet(heist.known), festival.clock)
    good = [pack_token(unpack_token(read_text(text))) for text in (heist.shown, fresh)]
    now, dice = festival.clock.now(), random.Random(8)  # noqa: S311 - repeatable noise, not a secret
    assert all(examine(base45.encode(data), briefing, now).refusal is None for data in good)
    tried = 0
    while tried < 10_000:
        altered = alter(good[tried % 2], good[1 - tried % 2], dice)
        if altered not in good:
            tried += 1
            assert examine(base45.encode(altered), briefing, now).refusal is not None, altered.hex()
