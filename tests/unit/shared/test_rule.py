"""The admission rule against its table, and what its answers point at."""

from __future__ import annotations

import ast
import inspect
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.admission import rule
from shared.admission.policy import Place, Policy, Window
from shared.admission.presence import Admission, fold
from shared.admission.rule import Facts, allowed_entries, decide
from shared.admission.verdict import ADMITTING, Direction, PriorUse, Reason
from shared.clock import unix_ms
from tests.unit.shared.samples import DOORS, NORTH, NOW, SOUTH, facts, leaving, passage, place, policy
from tests.vectors.make_admission import TARGET, make_vectors

CASES: list[dict[str, Any]] = json.loads(TARGET.read_text())["cases"]
BACK_IN = policy(re_entries=1, exits=True, cooldown_s=3600)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_rule_answers_as_the_table_says(case: dict[str, Any]) -> None:
    verdict = decide(
        msgspec.convert(case["facts"], Facts),
        fold(msgspec.convert(case["admissions"], list[Admission])),
        msgspec.convert(case["policy"], Policy),
        msgspec.convert(case["place"], Place),
        msgspec.convert(case["now"], datetime),
    )
    assert {"admitted": verdict.admitted, "reason": verdict.reason} == case["verdict"]


def test_the_committed_table_is_what_the_script_makes() -> None:
    assert json.loads(TARGET.read_text()) == json.loads(json.dumps(make_vectors()))


def test_the_table_has_every_reason_the_rule_can_give() -> None:
    tree = ast.parse(inspect.getsource(rule))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    given = {Reason[node.attr] for node in named if isinstance(node.value, ast.Name) and node.value.id == "Reason"}
    assert {Reason(case["verdict"]["reason"]) for case in CASES} == given


def test_only_admitting_reasons_admit() -> None:
    assert {case["verdict"]["reason"] for case in CASES if case["verdict"]["admitted"]} == ADMITTING


def test_a_refusal_points_at_the_last_entry() -> None:
    before = fold([passage(10), passage(20, gate=SOUTH)])
    verdict = decide(facts(), before, policy(), place(), NOW)
    assert verdict.prior == PriorUse(at_ms=unix_ms(DOORS + timedelta(minutes=20)), gate=SOUTH)


def test_a_double_read_points_at_the_passage_it_repeats() -> None:
    out = leaving(20)
    verdict = decide(
        facts(),
        fold([passage(10), out]),
        BACK_IN,
        place(gate=SOUTH, direction=Direction.EXIT),
        DOORS + timedelta(minutes=20),
    )
    assert verdict.reason is Reason.DOUBLE_READ
    assert verdict.prior == PriorUse(at_ms=out.at_ms, gate=SOUTH)


@pytest.mark.parametrize(("after_s", "wait_s"), [(0, 3600), (0.5, 3600), (1, 3599), (3599.5, 1)])
def test_a_cool_down_counts_whole_seconds_from_the_exit(after_s: float, wait_s: int) -> None:
    before = fold([passage(10), leaving(60)])
    verdict = decide(facts(), before, BACK_IN, place(), NOW + timedelta(seconds=after_s))
    assert (verdict.reason, verdict.wait_s) == (Reason.COOLDOWN, wait_s)


def test_another_gates_fast_clock_does_not_lengthen_a_cool_down() -> None:
    before = fold([passage(10), leaving(11, at_ms=unix_ms(NOW + timedelta(hours=1)))])
    assert decide(facts(), before, BACK_IN, place(), NOW).wait_s == 3600


def test_an_evening_at_the_end_of_time_is_still_decided() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    eternal = policy(window=Window(doors=DOORS, starts=DOORS, ends=last, grace_s=30 * 24 * 3600))
    assert decide(facts(), fold([]), eternal, place(), last).admitted


@pytest.mark.parametrize(
    ("own", "changes", "allowed"),
    [
        (0, {}, 1),
        (0, {"re_entries": 5}, 1),
        (9, {"re_entries": None}, 1),
        (0, {"re_entries": 0, "exits": True}, 1),
        (0, {"re_entries": 2, "exits": True}, 3),
        (0, {"re_entries": None, "exits": True}, None),
        (4, {"re_entries": None, "exits": True}, 4),
    ],
)
def test_nobody_and_without_limit_are_different_re_entries(
    own: int, changes: dict[str, Any], allowed: int | None
) -> None:
    assert allowed_entries(own, policy(**changes)) == allowed


def test_a_state_nobody_knows_is_never_let_in() -> None:
    with pytest.raises(AssertionError):
        decide(facts(state="enchanted"), fold([]), policy(), place(), NOW)


def test_a_policy_nobody_knows_is_not_guessed() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(msgspec.to_builtins(policy()) | {"unknown": "perhaps"}, Policy)


def test_a_second_gate_refuses_what_the_first_let_in() -> None:
    before = fold([passage(10, gate=NORTH)])
    assert decide(facts(), before, policy(), place(gate=SOUTH), NOW).reason is Reason.ALREADY_USED_ELSEWHERE
