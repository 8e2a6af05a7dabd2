"""The scan path over real files: what is answered, what is recorded, and that nothing is answered before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from shared.admission.policy import Policy
from shared.admission.verdict import Reason
from shared.clock import ManualClock, unix_ms
from shared.sync.feed import PolicyEntry, TombstoneEntry
from shared.sync.scan import as_admission
from shared.tickets.lifecycle import State
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.venue import (
    NORTH,
    SOUTH,
    Venue,
    passage,
    revised,
)

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Give a gate with five tickets on a Saturday evening; its codes turn every 15 seconds."""
    opened = await open_door(tmp_path, Venue(NOW, slot_s=15), 5, ManualClock(NOW))
    yield opened
    await opened.close()


async def test_admission_is_recorded_with_proof_and_shows_the_holder(door: Door) -> None:
    outcome = await door.show_ticket(1)
    (record,) = await door.records()
    assert outcome.verdict.reason is Reason.OK
    assert (outcome.scan, outcome.gate_seq, outcome.at) == (record.scan, 1, NOW)
    assert record.proof is not None
    assert record.feed_seq == 7
    assert record.handle_hash == door.venue.ticket(1).entry.handle_hash
    assert outcome.holder is not None
    assert (outcome.holder.name, outcome.holder.seat) == ("Guest 1", "A1")
    assert outcome.code_id == record.code_hash.hex()


async def test_second_look_is_silent_and_later_return_is_refused(door: Door) -> None:
    await door.show_ticket(1)
    door.clock.advance(timedelta(seconds=3))
    again = await door.show_ticket(1)
    door.clock.advance(timedelta(seconds=3))
    later = await door.show_ticket(1)
    assert (again.verdict.reason, again.scan, again.gate_seq) == (Reason.DOUBLE_READ, None, None)
    assert (later.verdict.reason, later.prior_gate) == (Reason.ALREADY_USED, "North 2")
    assert [record.reason for record in await door.records()] == [Reason.OK, Reason.ALREADY_USED]


async def test_two_looks_at_the_same_instant_admit_once(door: Door) -> None:
    outcomes = await asyncio.gather(*(door.show_ticket(1) for _ in range(8)))
    assert sorted(outcome.verdict.admitted for outcome in outcomes) == [False] * 7 + [True]
    assert len(await door.records()) == 1


async def test_admission_at_another_gate_refuses_and_names_it(door: Door) -> None:
    ticket = door.venue.ticket(2)
    await door.learn(passage(ticket, gate=SOUTH, at_ms=unix_ms(NOW) - 60_000, seq=8))
    outcome = await door.show_ticket(2)
    assert (outcome.verdict.reason, outcome.prior_gate) == (Reason.ALREADY_USED_ELSEWHERE, "South 1")
    assert outcome.verdict.prior is not None
    assert outcome.verdict.prior.at_ms == unix_ms(NOW) - 60_000


async def test_own_admission_that_comes_back_counts_once(door: Door) -> None:
    policy = structs.replace(door.venue.policy, version=2, exits=True, re_entries=1)
    await door.learn(PolicyEntry(seq=8, policy=policy))
    await door.show_ticket(1)
    (record,) = await door.records()
    back = structs.replace(
        passage(door.venue.ticket(1), gate=NORTH, at_ms=1, seq=9), admission=as_admission(record, NORTH)
    )
    inside = door.knowledge.standing().inside
    await door.learn(back)
    assert door.knowledge.standing().inside == inside
    door.clock.advance(timedelta(seconds=10))
    assert (await door.show_ticket(1)).verdict.reason is Reason.MUST_EXIT_FIRST
    sighting = await door.world.find(door.venue.ticket(1).entry.handle_hash)
    assert len(sighting.admissions) == 1


async def test_ticket_sold_after_the_snapshot_is_admitted_on_its_code_alone(door: Door) -> None:
    outcome = await door.show_ticket(99)
    assert (outcome.verdict.reason, outcome.holder) == (Reason.OK, None)


async def test_dead_generation_and_cancelled_ticket_are_refused(door: Door) -> None:
    one, two = door.venue.ticket(1).entry, door.venue.ticket(2).entry
    dead = TombstoneEntry(seq=9, handle_hash=one.handle_hash, version=2)
    await door.learn(revised(two, seq=8, version=2, state=State.CANCELLED), dead)
    assert (await door.show_ticket(1)).verdict.reason is Reason.TRANSFERRED_OR_REISSUED
    assert (await door.show_ticket(2)).verdict.reason is Reason.CANCELLED


async def test_screenshot_is_refused_and_says_how_old_it_is(door: Door) -> None:
    picture = door.venue.code(door.venue.ticket(1), NOW)
    door.clock.advance(timedelta(minutes=2))
    outcome = await door.show(picture)
    (record,) = await door.records()
    assert (outcome.verdict.reason, outcome.skew_s, outcome.holder) == (Reason.CODE_STALE, -120, None)
    assert (record.handle_hash, record.proof) == (door.venue.ticket(1).entry.handle_hash, None)


async def test_strange_code_is_recorded_once_in_ten_seconds(door: Door) -> None:
    outcomes = []
    for _ in range(4):
        outcomes.append(await door.show("HTTPS://EXAMPLE.ORG/MENU"))
        door.clock.advance(timedelta(seconds=4))
    assert {outcome.verdict.reason for outcome in outcomes} == {Reason.CODE_UNREADABLE}
    assert [outcome.gate_seq for outcome in outcomes] == [1, None, None, 2]


async def test_keys_that_ran_out_are_told_from_a_code_of_an_unknown_day(tmp_path: Path) -> None:
    venue = Venue(NOW)
    door = await open_door(tmp_path, venue, 2, ManualClock(NOW))
    stranger = Venue(NOW)
    stranger.epoch = 8
    text = stranger.code(stranger.ticket(1), NOW)
    unknown = await door.show(text)
    door.clock.advance(timedelta(days=2))
    expired = await door.show(text)
    await door.close()
    assert (unknown.verdict.reason, expired.verdict.reason) == (Reason.EPOCH_UNKNOWN, Reason.KEYS_EXPIRED)


async def test_holder_data_that_does_not_open_stops_nobody(door: Door) -> None:
    broken = structs.replace(door.venue.ticket(1).entry, seq=8, version=2, sealed=b"x" * 40)
    await door.learn(broken)
    outcome = await door.show_ticket(1)
    assert (outcome.verdict.reason, outcome.holder) == (Reason.OK, None)


async def test_record_sorts_after_everything_the_gate_has_heard_of(door: Door) -> None:
    ahead = passage(door.venue.ticket(3), gate=SOUTH, at_ms=unix_ms(NOW) + 60_000, seq=8)
    await door.learn(ahead)
    await door.show_ticket(1)
    (record,) = await door.records()
    assert record.hlc > ahead.admission.hlc


async def test_stamp_from_the_far_future_does_not_drag_the_gate_along(door: Door) -> None:
    ahead = passage(door.venue.ticket(3), gate=SOUTH, at_ms=unix_ms(NOW) + 3_600_000, seq=8)
    await door.learn(ahead)
    await door.show_ticket(1)
    (record,) = await door.records()
    assert record.hlc < ahead.admission.hlc


async def test_wrong_clock_shows_in_the_codes_of_thirty_guests(door: Door) -> None:
    for number in range(1, 32):
        await door.show(door.venue.code(door.venue.ticket(number), door.clock.now() - timedelta(seconds=75)))
    assert door.parts.belief.offset_s() == pytest.approx(75, abs=1)


async def test_capacity_counts_bodies_of_all_gates(door: Door) -> None:
    policy: Policy = structs.replace(door.venue.policy, version=2, capacity=2)
    entry = passage(door.venue.ticket(5), gate=SOUTH, at_ms=unix_ms(NOW) - 1000, seq=9)
    await door.learn(PolicyEntry(seq=8, policy=policy), entry)
    first = await door.show_ticket(1)
    door.knowledge.note_scan(first.gate_seq or 0, first.at, admitted=True)
    second = await door.show_ticket(2)
    assert (first.verdict.reason, second.verdict.reason) == (Reason.OK, Reason.CAPACITY_FULL)
