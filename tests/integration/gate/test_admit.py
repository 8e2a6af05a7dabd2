"""The scan path over real files: what is answered, what is recorded, and that nothing is answered before it is durable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import UNSET, structs

from gate.clockbelief import ClockSample
from shared.admission.policy import GateLimit, Policy, Stale, Window
from shared.admission.verdict import Reason
from shared.clock import ManualClock, unix_ms
from shared.sync.feed import PolicyEntry, TombstoneEntry
from shared.sync.hlc import physical_ms
from shared.sync.scan import as_admission, tag_seen
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


async def test_a_printed_code_leaves_a_tag_that_only_its_reader_can_make(tmp_path: Path) -> None:
    window = Venue(NOW).policy.window
    venue = Venue(NOW, policy=Policy(version=1, window=window, static_codes=True))
    door = await open_door(tmp_path, venue, 0, ManualClock(NOW))
    sheet = venue.ticket(9)
    outcome = await door.show(venue.printed(sheet))
    (record,) = await door.records()
    await door.close()
    assert outcome.verdict.reason is Reason.OK
    assert record.proof is None
    assert record.seen == tag_seen(sheet.handle, record.scan)
    assert record.seen != tag_seen(bytes(len(sheet.handle)), record.scan)


async def test_a_live_code_needs_no_tag(door: Door) -> None:
    await door.show_ticket(1)
    (record,) = await door.records()
    assert record.seen is UNSET


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


async def test_guests_are_not_called_late_for_a_gates_own_wrong_clock(door: Door) -> None:
    late = timedelta(seconds=75)
    reasons = []
    for number in range(1, 8):
        outcome = await door.show(door.venue.code(door.venue.ticket(number), door.clock.now() - late))
        reasons.append(outcome.verdict.reason)
    assert reasons == [Reason.CODE_STALE] * 5 + [Reason.CLOCK_UNSURE] * 2
    picture = await door.show(door.venue.code(door.venue.ticket(8), door.clock.now() - 3 * late))
    assert (picture.verdict.reason, picture.verdict.admitted) == (Reason.CODE_STALE, False)


async def test_a_gate_whose_clock_is_wrong_reads_codes_by_the_servers_time(door: Door) -> None:
    true, off = door.clock.now(), timedelta(minutes=10)
    door.clock.step_wall(off)
    door.parts.belief.note(
        ClockSample(offset_ms=600_000, unsure_ms=5, wall_ms=unix_ms(door.clock.now()), at_s=door.clock.monotonic())
    )
    fresh = await door.show(door.venue.code(door.venue.ticket(1), true))
    picture = await door.show(door.venue.code(door.venue.ticket(2), true - timedelta(minutes=1)))
    ahead = await door.show(door.venue.code(door.venue.ticket(3), true + off))
    assert (fresh.verdict.reason, fresh.skew_s) == (Reason.OK, 0)
    assert (picture.verdict.reason, picture.skew_s) == (Reason.CODE_STALE, -60)
    assert (ahead.verdict.reason, ahead.skew_s) == (Reason.CODE_FUTURE, 600)
    assert [record.unsure_ms for record in await door.records()] == [600_005] * 3


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(hours=-4), timedelta(hours=20)])
async def test_a_gate_whose_clock_is_wrong_keeps_the_events_hours_by_the_servers_time(
    tmp_path: Path, off: timedelta
) -> None:
    answers: list[Reason] = []
    for opens_in in (timedelta(minutes=1), timedelta(minutes=-1), timedelta(hours=-3)):
        doors = NOW + opens_in
        window = Window(doors=doors, starts=doors, ends=doors + timedelta(hours=1))
        venue, clock = Venue(NOW, slot_s=15, policy=Policy(version=1, window=window)), ManualClock(NOW)
        door = await open_door(tmp_path / str(len(answers)), venue, 1, clock)
        clock.step_wall(off)
        off_ms = off.total_seconds() * 1000
        sample = ClockSample(offset_ms=off_ms, unsure_ms=5, wall_ms=unix_ms(clock.now()), at_s=clock.monotonic())
        door.parts.belief.note(sample)
        outcome = await door.show(venue.code(venue.ticket(1), NOW))
        answers.append(outcome.verdict.reason)
        await door.close()
    assert answers == [Reason.NOT_YET_VALID, Reason.OK, Reason.EXPIRED]


async def test_capacity_counts_bodies_of_all_gates(door: Door) -> None:
    policy: Policy = structs.replace(door.venue.policy, version=2, capacity=2)
    entry = passage(door.venue.ticket(5), gate=SOUTH, at_ms=unix_ms(NOW) - 1000, seq=9)
    await door.learn(PolicyEntry(seq=8, policy=policy), entry)
    first = await door.show_ticket(1)
    door.knowledge.note_scan(first.gate_seq or 0, first.at, admitted=True)
    second = await door.show_ticket(2)
    assert (first.verdict.reason, second.verdict.reason) == (Reason.OK, Reason.CAPACITY_FULL)


async def test_admission_taken_back_at_another_gate_frees_the_ticket_here(door: Door) -> None:
    ticket = door.venue.ticket(2)
    entered = passage(ticket, gate=SOUTH, at_ms=unix_ms(NOW) - 60_000, seq=8)
    later = passage(ticket, gate=SOUTH, at_ms=unix_ms(NOW) - 30_000, seq=9, number=2)
    undo = structs.replace(later.admission, undoes=entered.admission.scan, override=True)
    await door.learn(entered)
    assert (await door.staff.peek(door.venue.code(ticket, NOW))).verdict.reason is Reason.ALREADY_USED_ELSEWHERE
    assert door.knowledge.standing().inside == 1
    await door.learn(structs.replace(later, admission=undo))
    assert door.knowledge.standing().inside == 0
    assert sum((await door.world.count_bodies(NORTH)).values()) == 0
    assert (await door.show_ticket(2)).verdict.reason is Reason.OK


@pytest.mark.parametrize(
    ("changes", "age_s", "expected"),
    [
        ({"stale_after_s": 3600, "when_stale": Stale.SUPERVISOR}, 3601, Reason.SUPERVISOR_REQUIRED),
        ({"stale_after_s": 3600, "when_stale": Stale.REFUSE}, 3601, Reason.SNAPSHOT_TOO_OLD),
        ({"stale_after_s": 3600, "when_stale": Stale.REFUSE}, 3599, Reason.OK),
        ({"unsure_after_s": 30}, 0, Reason.CLOCK_UNSURE),
        ({"unsure_after_s": 60}, 0, Reason.OK),
        ({"gate_limits": (GateLimit(gate=NORTH, capacity=0),)}, 0, Reason.CAPACITY_FULL),
    ],
)
async def test_gate_that_is_cut_off_unsure_or_full_does_as_its_policy_says(
    door: Door, changes: dict[str, object], age_s: int, expected: Reason
) -> None:
    policy = structs.replace(door.venue.policy, version=2, **changes)
    await door.learn(PolicyEntry(seq=8, policy=policy))
    door.knowledge.on_current(unix_ms(NOW) - age_s * 1000)
    assert (await door.show_ticket(1)).verdict.reason is expected


async def test_an_admission_told_again_after_a_snapshot_is_counted_once(door: Door) -> None:
    entered = passage(door.venue.ticket(2), gate=SOUTH, at_ms=unix_ms(NOW) - 60_000, seq=8)
    await door.learn(entered)
    await door.knowledge.on_snapshot()
    await door.learn(structs.replace(entered, seq=9), passage(door.venue.ticket(3), gate=SOUTH, at_ms=1, seq=10))
    assert door.knowledge.standing().inside == 2
    assert sum((await door.world.count_bodies(NORTH)).values()) == 2


async def test_a_stamp_from_tomorrow_is_known_and_not_adopted(door: Door) -> None:
    tomorrow = passage(door.venue.ticket(2), gate=SOUTH, at_ms=unix_ms(NOW) + 86_400_000, seq=8)
    await door.learn(tomorrow)
    assert (await door.show_ticket(2)).verdict.reason is Reason.ALREADY_USED_ELSEWHERE
    assert (await door.show_ticket(1)).verdict.admitted
    stamps = [physical_ms(record.hlc) for record in await door.records()]
    assert all(abs(stamp - unix_ms(NOW)) < 60_000 for stamp in stamps)
