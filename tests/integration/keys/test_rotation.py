"""Epoch keys replaced, scheduled and in an emergency: what phones that fetched earlier or later get at the gates."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.services.enrol import Enrolment
from server.services.key_rotation import rotate_event
from server.services.link import greet
from server.services.problems import EventUnknown
from server.services.problems_gates import GateRevoked
from server.services.show_code import Wallet, show_code
from shared.admission.verdict import Reason
from shared.codes.capsule import open_capsule
from shared.codes.reader import CodeRead, CodeReader, EpochKey
from shared.ids import EventId
from tests.integration.keys.stage import DAY, Festival, stranger
from tests.integration.server.doors.house import hello
from tests.integration.server.selling.test_codes import unpack

MINUTE = timedelta(minutes=1)


async def renew(festival: Festival, *, at_once: bool = False) -> None:
    """Rotate the event's keys as another process does, such as the command line."""
    await rotate_event(festival.elsewhere(), festival.stage.tenant, festival.stage.event, at_once=at_once)


def opens(wallet: Wallet, epoch: int, keys: list[EpochKey]) -> bool:
    """Say whether somebody with these keys can look into a wallet's code of an epoch."""
    (data,) = (unpack(one.capsule) for one in wallet.capsules if one.epoch == epoch)
    return any(
        open_capsule(data, key.event, key.envelope_key, Ed25519PublicKey.from_public_bytes(key.issuer)) is not None
        for key in keys
    )


async def test_a_scheduled_rotation_lets_no_fetched_code_die(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    early = await festival.wallet(ticket)
    await renew(festival)
    late = await festival.wallet(ticket)
    assert [one.epoch for one in early.capsules if one not in late.capsules] == [1, 2, 3]
    for _ in range(3):
        reader = await festival.reader(gate)
        assert festival.look(reader, early) is Reason.OK
        assert festival.look(reader, late) is Reason.OK
        festival.clock.advance(DAY)


async def test_codes_of_every_series_are_read_after_many_rotations(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    wallets = [await festival.wallet(ticket)]
    for _ in range(3):
        await renew(festival)
        wallets.append(await festival.wallet(ticket))
    festival.clock.advance(DAY)
    reader = await festival.reader(gate)
    assert [festival.look(reader, wallet) for wallet in wallets] == [Reason.OK] * 4
    assert len({one.capsule for wallet in wallets for one in wallet.capsules if one.epoch == 1}) == 4


async def test_the_present_epochs_codes_stay_as_they_are_in_a_scheduled_rotation(festival: Festival) -> None:
    ticket = await festival.ticket()
    owner = festival.owner(ticket)
    before = await show_code(festival.context, festival.mint, owner, ticket.id)
    await renew(festival)
    assert await show_code(festival.context, festival.mint, owner, ticket.id) == before


async def test_after_an_emergency_fetched_codes_count_for_the_overlap_and_no_longer(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    early = await festival.wallet(ticket)
    await renew(festival, at_once=True)
    reader = await festival.reader(gate)
    assert festival.look(reader, early) is Reason.OK
    assert festival.look(reader, await festival.wallet(ticket)) is Reason.OK
    festival.clock.advance(festival.context.overlap - timedelta(seconds=1))
    assert festival.look(reader, early) is Reason.OK
    festival.clock.advance(timedelta(seconds=1))
    assert festival.look(reader, early) is Reason.EPOCH_UNKNOWN
    # a gate that gets its keys only now says the same, and accuses nobody of forgery
    assert festival.look(await festival.reader(gate), early) is Reason.EPOCH_UNKNOWN
    assert festival.look(reader, await festival.wallet(ticket)) is Reason.OK


async def test_a_phone_that_asks_when_it_is_told_to_is_never_turned_away_in_an_emergency(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    wallet = await festival.wallet(ticket)
    reader = await festival.reader(gate)
    seen = []
    for step in range(90):
        if step == 7:
            await renew(festival, at_once=True)
            reader = await festival.reader(gate)
        if festival.clock.now() >= wallet.refresh_after:
            wallet = await festival.wallet(ticket)
        seen.append(festival.look(reader, wallet))
        festival.clock.advance(timedelta(seconds=15))
    assert set(seen) == {Reason.OK}


async def test_an_emergency_ends_what_scheduled_rotations_had_left_alive(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    oldest = await festival.wallet(ticket)
    await renew(festival)
    older = await festival.wallet(ticket)
    await renew(festival, at_once=True)
    festival.clock.advance(DAY)
    reader = await festival.reader(gate)
    assert festival.look(reader, oldest) is Reason.EPOCH_UNKNOWN
    assert festival.look(reader, older) is Reason.EPOCH_UNKNOWN
    assert festival.look(reader, await festival.wallet(ticket)) is Reason.OK


async def test_a_second_emergency_does_not_lengthen_the_first_ones_overlap(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    early = await festival.wallet(ticket)
    await renew(festival, at_once=True)
    festival.clock.advance(9 * MINUTE)
    middle = await festival.wallet(ticket)
    await renew(festival, at_once=True)
    festival.clock.advance(MINUTE)
    reader = await festival.reader(gate)
    assert festival.look(reader, early) is Reason.EPOCH_UNKNOWN
    assert festival.look(reader, middle) is Reason.OK


async def test_what_was_seen_before_and_after_an_emergency_is_proven(festival: Festival) -> None:
    gate, (one, other) = await festival.stage.enrol(), await festival.stage.issue(2)
    await gate.scan(one)
    await renew(festival, at_once=True)
    await gate.scan(other)
    await gate.hand_over()
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        scans = await tx.scans.list_of_event(festival.stage.event, None, 10)
    assert [(scan.proven, scan.server_reason) for scan in scans] == [(True, Reason.OK)] * 2


async def test_a_revoked_gate_never_has_the_keys_of_the_next_epoch(festival: Festival) -> None:
    stolen, other = await festival.stage.enrol("South"), await festival.stage.enrol("North")
    ticket = await festival.ticket()
    before = await festival.wallet(ticket)
    had = (await festival.bundle(stolen)).epochs
    enrolment = Enrolment(festival.stage.db, festival.elsewhere().vault, festival.context.random_bytes)
    await enrolment.revoke(festival.stage.tenant, stolen.id, festival.clock.now())
    with pytest.raises(GateRevoked):
        await greet(festival.context, stolen.caller, hello(stolen))
    after = await festival.wallet(ticket)
    assert [opens(after, epoch, had) for epoch in (0, 1, 2, 3)] == [True, False, False, False]
    assert before.capsules[0] == after.capsules[0]
    festival.clock.advance(DAY)
    reader = await festival.reader(other)
    assert (festival.look(reader, before), festival.look(reader, after)) == (Reason.OK, Reason.OK)


async def test_revoking_twice_replaces_keys_once(festival: Festival) -> None:
    gate = await festival.stage.enrol()
    both = [festival.stage.enrolment.revoke(festival.stage.tenant, gate.id, festival.clock.now()) for _ in range(2)]
    rows = await asyncio.gather(*both)
    assert all(row.revoked_at is not None for row in rows)
    assert (await festival.stage.event_row()).key_series == 1


async def test_a_rotation_raises_the_version_of_every_gates_bundle(festival: Festival) -> None:
    gate = await festival.stage.enrol()
    versions = []
    for at_once in (False, True, False):
        versions.append((await festival.bundle(gate)).version)
        await renew(festival, at_once=at_once)
    versions.append((await festival.bundle(gate)).version)
    assert versions == sorted(set(versions))


async def test_rotating_before_the_first_epoch_replaces_that_too(festival: Festival) -> None:
    ticket = await festival.ticket()
    festival.clock.step_wall(-2 * DAY)
    early = await festival.wallet(ticket)
    await renew(festival)
    late = await festival.wallet(ticket)
    assert {one.capsule for one in early.capsules}.isdisjoint({one.capsule for one in late.capsules})
    assert [one.starts for one in early.capsules] == [one.starts for one in late.capsules]


async def test_phones_that_fetch_while_keys_are_replaced_get_codes_that_are_read(festival: Festival) -> None:
    gate = await festival.stage.enrol()
    tickets = await festival.stage.issue(12)
    work = [festival.wallet(ticket) for ticket in tickets]
    wallets, *_ = await asyncio.gather(asyncio.gather(*work), renew(festival), renew(festival))
    festival.clock.advance(DAY)
    reader = await festival.reader(gate)
    assert [festival.look(reader, wallet) for wallet in wallets] == [Reason.OK] * len(tickets)


async def test_nobody_rotates_another_tenants_event(festival: Festival) -> None:
    with pytest.raises(EventUnknown):
        await rotate_event(festival.context, festival.stage.tenant, EventId(stranger()), at_once=False)


async def test_a_replaced_key_without_end_is_read_like_any_other(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    early = await festival.wallet(ticket)
    await renew(festival)
    keys = (await festival.bundle(gate)).epochs
    assert [key.until for key in keys] == [None] * len(keys)
    only_replaced = CodeReader([key for key in keys if opens(early, 1, [key])])
    festival.clock.advance(DAY)
    assert festival.look(only_replaced, early) is Reason.OK
    read = only_replaced.read("not a code", festival.clock.now())
    assert not isinstance(read, CodeRead)
