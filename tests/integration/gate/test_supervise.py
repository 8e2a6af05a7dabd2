"""A supervisor at the gate: signed in by PIN with no network, deciding against the rule, taking back; all of it on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from gate.outcome import Outcome
from gate.pins import FREE_TRIES, GATE_TRIES
from gate.staff import Obstacle, Ruling, SignIn
from gate.supervise import SESSION_S
from shared.admission.override import OverrideReason, UndoReason
from shared.admission.verdict import Reason
from shared.clock import ManualClock, unix_ms
from shared.codes.bundle import SupervisorEntry
from shared.codes.number import write_number
from shared.ids import SupervisorId
from shared.sync.feed import TombstoneEntry
from shared.sync.scan import Override
from shared.tickets.lifecycle import State
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.venue import SOUTH, Venue, passage, revised

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)
ANNA, BORIS = SupervisorId(UUID(int=51)), SupervisorId(UUID(int=52))
# The cheapest parameters there are: what is tested is who may try how often, not how slow a try is.
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AGREED = OverrideReason.ORGANISER_AGREED


def entry(who: SupervisorId, label: str, pin: str) -> SupervisorEntry:
    """Return a supervisor as the bundle has one."""
    return SupervisorEntry(id=who, label=label, verifier=_QUICK.hash(pin))


def venue() -> Venue:
    """Return an evening with two supervisors."""
    made = Venue(NOW, slot_s=15)
    made.supervisors = [entry(BORIS, "Boris", "246813"), entry(ANNA, "anna", "135792")]
    return made


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Give a gate with five tickets and two supervisors; nobody is signed in."""
    opened = await open_door(tmp_path, venue(), 5, ManualClock(NOW))
    yield opened
    await opened.close()


async def signed_in(door: Door) -> None:
    """Sign Anna in."""
    assert (await door.staff.sign_in(ANNA, "135792")).accepted


async def refused_as_used(door: Door) -> Outcome:
    """Let ticket 1 in and show it again a minute later."""
    await door.show_ticket(1)
    door.clock.advance(timedelta(minutes=1))
    refused = await door.show_ticket(1)
    assert refused.verdict.reason is Reason.ALREADY_USED
    return refused


async def test_right_pin_opens_a_session_and_a_wrong_one_does_not(door: Door) -> None:
    assert [one.label for one in door.staff.supervisors()] == ["anna", "Boris"]
    wrong = await door.staff.sign_in(ANNA, "246813")
    assert (wrong.accepted, wrong.tries_left, door.staff.session()) == (False, FREE_TRIES - 1, None)
    await signed_in(door)
    session = door.staff.session()
    assert session is not None
    assert (session.who.label, session.left_s) == ("anna", SESSION_S)
    acts = [record.override for record in await door.records()]
    assert acts == [
        Override(supervisor=str(ANNA), reason="pin_refused"),
        Override(supervisor=str(ANNA), reason="signed_in"),
    ]


async def test_session_ends_when_nothing_is_done(door: Door) -> None:
    refused = await refused_as_used(door)
    await signed_in(door)
    door.clock.advance(timedelta(seconds=SESSION_S))
    assert door.staff.session() is None
    assert refused.scan is not None
    ruling = await door.staff.override(refused.scan, AGREED)
    assert ruling == Ruling(done=False, obstacle=Obstacle.NOT_SIGNED_IN)
    assert door.told == []


async def test_supervisor_struck_off_the_list_is_signed_out(door: Door) -> None:
    await signed_in(door)
    door.venue.supervisors = door.venue.supervisors[:1]
    keys = door.seal_to
    await door.knowledge.take_bundle(door.venue.bundle(door.parts.post.gate, keys, version=2))
    assert door.staff.session() is None


async def test_wrong_pins_lock_longer_and_longer_and_over_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    door = await open_door(tmp_path, venue(), 1, clock)
    answers = [await door.staff.sign_in(ANNA, "000000") for _ in range(FREE_TRIES + 1)]
    acts = [record.override.reason for record in await door.records() if record.override is not None]
    await door.close()
    assert acts == ["pin_refused"] * 4 + ["locked_out"]
    left = [(one.tries_left, one.wait_s) for one in answers]
    assert left == [(4, 0), (3, 0), (2, 0), (1, 0), (0, 60), (0, 60)]
    again = await open_door(tmp_path, venue(), 1, clock)
    locked = await again.staff.sign_in(ANNA, "135792")
    clock.advance(timedelta(seconds=60))
    wrong = await again.staff.sign_in(ANNA, "000000")
    clock.advance(timedelta(seconds=120))
    right = await again.staff.sign_in(ANNA, "135792")
    assert locked == SignIn(accepted=False, looked_at=False, wait_s=60)
    assert (wrong.accepted, wrong.wait_s) == (False, 120)
    assert right.accepted
    assert (await again.log.read_tries(str(ANNA))).failed == 0
    await again.close()


async def test_pins_cannot_be_tried_round_the_list(tmp_path: Path) -> None:
    crowded = venue()
    crowded.supervisors += [entry(SupervisorId(UUID(int=60 + one)), f"Extra {one}", "802468") for one in range(3)]
    door = await open_door(tmp_path, crowded, 1, ManualClock(NOW))
    names = [one.id for one in door.staff.supervisors()]
    answers = [await door.staff.sign_in(names[one % 5], "111111") for one in range(GATE_TRIES + 1)]
    right = await door.staff.sign_in(ANNA, "135792")
    await door.close()
    assert [one.wait_s for one in answers] == [0] * (GATE_TRIES - 1) + [60, 60]
    assert right == SignIn(accepted=False, looked_at=False, wait_s=60)


async def test_used_ticket_is_let_in_by_a_supervisor_once(door: Door) -> None:
    refused = await refused_as_used(door)
    await signed_in(door)
    assert refused.scan is not None
    assert await door.staff.override(refused.scan, OverrideReason.SCANNED_IN_ERROR) == Ruling(done=True)
    [outcome] = door.told
    record = (await door.records())[-1]
    assert (outcome.verdict.admitted, outcome.verdict.reason, outcome.supervisor) == (True, Reason.OK_REENTRY, "anna")
    assert (outcome.scan, outcome.override) == (record.scan, "scanned_in_error")
    assert record.override == Override(supervisor=str(ANNA), reason="scanned_in_error")
    assert record.proof is not None
    assert (record.handle_hash, record.admitted) == (door.venue.ticket(1).entry.handle_hash, True)
    again = await door.staff.override(refused.scan, AGREED)
    assert again == Ruling(done=False, obstacle=Obstacle.FORGOTTEN)


async def test_forged_or_strange_code_is_never_let_in(door: Door) -> None:
    await signed_in(door)
    code = door.venue.code(door.venue.ticket(1), NOW)
    forged = await door.show(code[:-1] + ("0" if code[-1] != "0" else "1"))
    strange = await door.show("HELLO")
    for outcome in (forged, strange):
        assert outcome.scan is not None
        ruling = await door.staff.override(outcome.scan, AGREED)
        assert (ruling.done, ruling.obstacle, ruling.reason) == (False, Obstacle.NEVER, outcome.verdict.reason)
    assert {forged.verdict.reason, strange.verdict.reason} <= {Reason.CODE_FORGED, Reason.CODE_UNREADABLE}


async def test_ticket_revoked_after_its_refusal_stays_out(door: Door) -> None:
    refused = await refused_as_used(door)
    await signed_in(door)
    gone = revised(door.venue.ticket(1).entry, seq=20, version=2, state=State.REVOKED)
    await door.learn(gone)
    assert refused.scan is not None
    ruling = await door.staff.override(refused.scan, AGREED)
    assert ruling == Ruling(done=False, obstacle=Obstacle.NEVER, reason=Reason.REVOKED)


async def test_stale_code_of_a_good_ticket_can_be_let_in_and_of_a_passed_on_one_cannot(door: Door) -> None:
    await signed_in(door)
    old = [door.venue.code(door.venue.ticket(number), NOW - timedelta(minutes=5)) for number in (1, 2)]
    good, gone = [await door.show(text) for text in old]
    await door.learn(TombstoneEntry(seq=30, handle_hash=door.venue.ticket(2).entry.handle_hash, version=2))
    assert good.scan is not None
    assert gone.scan is not None
    assert (await door.staff.override(good.scan, OverrideReason.PHONE_BROKEN)).done
    ruling = await door.staff.override(gone.scan, OverrideReason.PHONE_BROKEN)
    assert ruling.reason is Reason.TRANSFERRED_OR_REISSUED
    assert (await door.records())[-1].proof is None


async def test_admission_is_taken_back_and_the_ticket_is_good_again(door: Door) -> None:
    admitted = await door.show_ticket(1)
    door.knowledge.note_scan(admitted.gate_seq or 0, admitted.at, admitted=True)
    door.clock.advance(timedelta(minutes=2))
    await signed_in(door)
    [offered] = await door.staff.undoable()
    assert (offered.scan, offered.number) == (admitted.scan, write_number(door.venue.ticket(1).entry.handle_hash))
    assert await door.staff.undo(offered.scan, UndoReason.GUEST_TURNED_BACK) == Ruling(done=True)
    record = (await door.records())[-1]
    assert (record.reason, record.undoes, record.admitted) == (Reason.UNDONE, admitted.scan, False)
    assert record.proof == (await door.records())[0].proof
    assert door.knowledge.counts().admitted == door.knowledge.standing().inside == 0
    assert await door.staff.undoable() == ()
    assert (await door.staff.undo(offered.scan, UndoReason.WRONG_PERSON)).obstacle is Obstacle.DONE_ALREADY
    assert (await door.show_ticket(1)).verdict.reason is Reason.OK


async def test_turnstile_that_nobody_turned_takes_back_without_a_supervisor_and_says_so(door: Door) -> None:
    admitted = await door.show_ticket(1)
    assert admitted.scan is not None
    assert await door.staff.take_back_unused(admitted.scan)
    record = (await door.records())[-1]
    assert (record.reason, record.undoes) == (Reason.UNDONE, admitted.scan)
    assert record.override == Override(supervisor="-", reason="nobody_turned")
    assert [one.override for one in door.told] == ["nobody_turned"]
    assert not await door.staff.take_back_unused(admitted.scan)
    assert (await door.show_ticket(1)).verdict.reason is Reason.OK


async def test_admission_cannot_be_taken_back_after_a_quarter_of_an_hour(door: Door) -> None:
    admitted = await door.show_ticket(1)
    door.clock.advance(timedelta(minutes=15, milliseconds=1))
    await signed_in(door)
    assert await door.staff.undoable() == ()
    assert admitted.scan is not None
    ruling = await door.staff.undo(admitted.scan, UndoReason.SCANNED_IN_ERROR)
    assert ruling.obstacle is Obstacle.TOO_LATE


async def test_counts_are_the_same_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    door = await open_door(tmp_path, venue(), 5, clock)
    outcomes = [await door.show_ticket(number) for number in (1, 2, 3)]
    for outcome in outcomes:
        door.knowledge.note_scan(outcome.gate_seq or 0, outcome.at, admitted=True)
    await signed_in(door)
    last = outcomes[-1].scan
    assert last is not None
    await door.staff.undo(last, UndoReason.WRONG_PERSON)
    before = (door.knowledge.counts(), door.knowledge.standing().inside, door.knowledge.standing().behind)
    await door.close()
    again = await open_door(tmp_path, venue(), 5, clock)
    after = (again.knowledge.counts(), again.knowledge.standing().inside, again.knowledge.standing().behind)
    await again.close()
    assert before == after
    assert (before[0].admitted, before[0].refused, before[1], before[2]) == (2, 0, 2, 2)


async def test_looking_at_a_ticket_uses_nothing_and_writes_nothing(door: Door) -> None:
    ticket = door.venue.ticket(2)
    await door.learn(passage(ticket, gate=SOUTH, at_ms=unix_ms(NOW) - 60_000, seq=8))
    seen = await door.staff.peek(door.venue.code(ticket, NOW))
    fresh = await door.staff.peek(door.venue.code(door.venue.ticket(1), NOW))
    assert (seen.verdict.reason, seen.prior_gate) == (Reason.ALREADY_USED_ELSEWHERE, "South 1")
    assert [(one.gate, one.at) for one in seen.passages] == [("South 1", NOW - timedelta(minutes=1))]
    assert fresh.verdict.admitted
    assert fresh.holder is not None
    assert (fresh.holder.name, fresh.state, fresh.passages) == ("Guest 1", State.ACTIVE, ())
    assert await door.records() == []
    assert (await door.show_ticket(1)).verdict.reason is Reason.OK


async def test_ticket_is_found_by_its_number_by_supervisors_only(door: Door) -> None:
    ticket = door.venue.ticket(3)
    number = write_number(ticket.entry.handle_hash)
    stranger = await door.staff.peek(number)
    assert (stranger.verdict.reason, stranger.handle_hash) == (Reason.CODE_UNREADABLE, None)
    await signed_in(door)
    found = await door.staff.peek(number.lower().replace("-", " "))
    assert (found.handle_hash, found.number, found.verdict.admitted) == (ticket.entry.handle_hash, number, True)
    assert found.holder is None
    assert found.handle_hash is not None
    assert (await door.staff.admit_found(found.handle_hash, OverrideReason.PHONE_BROKEN)).done
    searched, record = (await door.records())[-2:]
    assert (searched.reason, searched.handle_hash) == (Reason.STAFF_ACTION, ticket.entry.handle_hash)
    assert (record.admitted, record.proof, record.handle_hash) == (True, None, ticket.entry.handle_hash)
    nobody = await door.staff.peek("0000-0000")
    assert nobody.verdict.reason is Reason.UNKNOWN_TICKET


async def test_closed_lane_looks_at_no_codes(door: Door) -> None:
    await door.staff.close_lane()
    await door.desk.put(door.shown_ticket(1))
    assert not door.staff.open
    await door.staff.open_lane()
    await door.desk.put(door.shown_ticket(2))
    await door.desk.finish()
    await door.desk.work()
    assert [record.reason for record in await door.records()] == [
        Reason.STAFF_ACTION,
        Reason.STAFF_ACTION,
        Reason.OK,
    ]
    assert len(door.told) == 1
