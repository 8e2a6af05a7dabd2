"""Laws of admission: presence, the ledger and the rule, over evenings of any kind."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.admission.policy import Place, Policy
from shared.admission.presence import Admission, fold, merge
from shared.admission.presence import passages as standing
from shared.admission.rule import Facts, decide
from shared.admission.verdict import ADMITTING, Direction, Reason, Verdict
from shared.clock import unix_ms
from shared.ids import ScanId
from shared.sync.ledger import settle
from shared.tickets.lifecycle import State
from tests.property.strategies import (
    evenings,
    facts_of_any_ticket,
    law,
    moments,
    mostly_evening,
    passages,
    places,
    policies,
)
from tests.unit.shared.samples import DOORS, NORTH, facts

entry_places = places(direction=Direction.ENTRY)
VOID = (State.REVOKED, State.REFUNDED, State.CANCELLED, State.EXPIRED, State.USED)
UNISSUED = (State.AVAILABLE, State.RESERVED, State.SOLD, State.MINTED)


@law
@given(evenings, evenings, evenings)
def test_merging_is_commutative_associative_and_idempotent(
    a: list[Admission], b: list[Admission], c: list[Admission]
) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c)) == merge(a, b, c)
    assert merge(a, a) == merge(a) == merge(merge(a))
    assert standing(merge(a, b), c) == standing(c, a, b)


@law
@given(evenings, st.randoms(use_true_random=False))
def test_presence_depends_on_the_set_of_passages_alone(evening: list[Admission], dice: random.Random) -> None:
    shuffled = evening + evening[: len(evening) // 2]
    dice.shuffle(shuffled)
    assert fold(shuffled) == fold(evening)


@law
@given(evenings)
def test_bodies_are_counted_and_never_below_zero(evening: list[Admission]) -> None:
    presence = fold(evening)
    entries = [one for one in standing(evening) if one.direction is Direction.ENTRY]
    assert presence.entries == len(entries)
    assert presence.entries + presence.exits == len(standing(evening))
    assert max(0, presence.entries - presence.exits) <= presence.inside <= presence.entries
    assert (presence.first_entry, presence.last_entry) == ((entries[0], entries[-1]) if entries else (None, None))


@law
@given(evenings, st.none() | st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_ledger_depends_on_the_set_of_passages_alone(
    evening: list[Admission], allowed: int | None, dice: random.Random
) -> None:
    shuffled = evening * 2
    dice.shuffle(shuffled)
    assert settle(shuffled, allowed, double_read_s=5) == settle(evening, allowed, double_read_s=5)


@law
@given(evenings, st.none() | st.integers(1, 4))
def test_the_first_entry_is_never_a_surplus_and_what_is_comes_from_the_set(
    evening: list[Admission], allowed: int | None
) -> None:
    ledger = settle(evening, allowed, double_read_s=5)
    known = merge(evening)
    for surplus in ledger.surplus:
        assert {surplus.admission, surplus.earlier} <= set(known)
        assert surplus.admission != surplus.earlier
    if allowed is not None:
        assert len(ledger.surplus) >= ledger.presence.entries - allowed


@law
@given(facts_of_any_ticket(), evenings, policies(), places(), mostly_evening)
def test_every_question_has_an_answer(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    presence = fold(evening)
    verdict = decide(known, presence, rules, where, now)
    assert verdict.admitted is (verdict.reason in ADMITTING)
    assert (verdict.wait_s is not None) is (verdict.reason is Reason.COOLDOWN)
    if verdict.wait_s is not None:
        assert 1 <= verdict.wait_s <= rules.cooldown_s
    if verdict.prior is not None:
        assert (verdict.prior.at_ms, verdict.prior.gate) in {(one.at_ms, one.gate) for one in evening}
    assert presence == fold(evening)


@law
@given(facts_of_any_ticket(), evenings, policies(), entry_places, mostly_evening)
def test_void_locked_replaced_and_unissued_tickets_never_enter(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    bad = known.superseded or known.locked or known.state in VOID + UNISSUED
    if bad:
        assert not decide(known, fold(evening), rules, where, now).admitted
    for state in (*VOID, *UNISSUED):
        assert not decide(structs.replace(known, state=state), fold(evening), rules, where, now).admitted
    for change in ({"superseded": True}, {"locked": True}):
        assert not decide(structs.replace(known, **change), fold(evening), rules, where, now).admitted


@law
@given(st.sampled_from(VOID), evenings, policies(), entry_places, mostly_evening)
def test_what_is_void_is_said_before_anything_else_is(
    state: State, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    reason = decide(facts(state=state, locked=True), fold(evening), rules, where, now).reason
    if state is State.USED:
        assert reason is Reason.LOCKED
    else:
        assert reason.value == state.value


@law
@given(facts_of_any_ticket(), evenings, policies(), places(direction=Direction.EXIT), moments)
def test_nobody_is_kept_in_by_a_state_an_hour_or_a_zone(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    verdict = decide(known, fold(evening), rules, where, now)
    plain = decide(facts(static_code=known.static_code), fold(evening), rules, where, now)
    assert verdict == plain
    assert verdict.reason in {Reason.EXIT_OK, Reason.DOUBLE_READ, Reason.WRONG_GATE, Reason.STATIC_CODE_REFUSED}


@law
@given(facts_of_any_ticket(entries=0), evenings, policies(re_entries=0), entry_places, mostly_evening)
def test_without_re_entry_no_gate_admits_whom_it_let_in_before(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    let_in = Admission(
        scan=known_scan(),
        gate=where.gate,
        gate_seq=99,
        hlc=unix_ms(DOORS) << 16,
        at_ms=unix_ms(DOORS),
        unsure_ms=0,
        direction=Direction.ENTRY,
    )
    assert not decide(known, fold([*evening, let_in]), rules, where, now).admitted


def known_scan() -> ScanId:
    """Return a scan id that no generated passage has."""
    return ScanId(NORTH)


@law
@given(facts_of_any_ticket(), evenings, policies(exits=False), entry_places, mostly_evening)
def test_where_nobody_is_scanned_out_nobody_comes_in_twice(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    if decide(known, fold(evening), rules, where, now).admitted:
        assert standing(evening) == []  # what was taken back is as if it had never been


@law
@given(facts_of_any_ticket(), evenings, policies(cooldown_s=0), entry_places, passages())
def test_hearing_of_one_more_entry_never_opens_a_door(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, heard: Admission
) -> None:
    heard = structs.replace(heard, direction=Direction.ENTRY, scan=known_scan())
    now = DOORS + timedelta(hours=3)
    if not decide(known, fold(evening), rules, where, now).admitted:
        assert not decide(known, fold([*evening, heard]), rules, where, now).admitted


@law
@given(facts_of_any_ticket(), evenings, policies(), entry_places, mostly_evening)
def test_stricter_facts_never_open_a_door(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    presence = fold(evening)
    strict: list[Verdict] = [
        decide(structs.replace(known, code_policy=known.code_policy | 6), presence, rules, where, now),
        decide(known, presence, rules, structs.replace(where, online=False), now),
        decide(known, presence, structs.replace(rules, id_check=True), where, now),
        decide(known, presence, structs.replace(rules, static_codes=False), where, now),
    ]
    if not decide(known, presence, rules, where, now).admitted:
        assert not any(verdict.admitted for verdict in strict)


@law
@given(facts_of_any_ticket(), evenings, policies(), places(), mostly_evening)
def test_a_transferred_ticket_enters_as_an_active_one_does(
    known: Facts, evening: list[Admission], rules: Policy, where: Place, now: datetime
) -> None:
    answers = [
        decide(structs.replace(known, state=state), fold(evening), rules, where, now)
        for state in (State.ACTIVE, State.TRANSFERRED)
    ]
    assert answers[0] == answers[1]
