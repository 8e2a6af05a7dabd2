"""The figures of the tour and what the command makes of them."""

from __future__ import annotations

import io

import msgspec
import pytest

from server.demo.command import conclude
from server.demo.story import find_fault
from server.demo.summary import Summary, count_refusals, percentile
from tests.unit.demo.samples import guest, seen, summary


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, 0.0),
        ([7.0], 0.99, 7.0),
        ([1.0, 3.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(number) for number in range(101)], 0.5, 50.0),
        ([float(number) for number in range(101)], 0.99, 99.0),
    ],
)
def test_percentile_lies_between_its_neighbours(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_only_recorded_refusals_are_counted() -> None:
    scans = [
        seen(),
        seen(admitted=False, reason="code_stale"),
        seen(admitted=False, reason="already_used"),
        seen(admitted=False, reason="code_stale"),
        seen(admitted=False, reason="double_read", gate_seq=None),
    ]
    assert count_refusals(scans) == {"already_used": 1, "code_stale": 2}


def test_answer_that_must_happen_is_no_fault() -> None:
    assert find_fault("North", guest("a"), seen()) is None


def test_wrong_answer_is_named_with_both_reasons() -> None:
    fault = find_fault("North", guest("a", who="a forger", admitted=False, reason="code_forged"), seen())
    assert fault == "North: a forger must get code_forged but got ok"


def test_right_word_with_the_wrong_colour_is_a_fault() -> None:
    assert find_fault("North", guest("a"), seen(admitted=False)) is not None


def test_person_nobody_read_is_a_fault() -> None:
    assert find_fault("South", guest("a"), None) == "South: guest a must get ok but was never read"


@pytest.mark.parametrize("as_json", [False, True])
def test_good_evening_ends_with_zero(*, as_json: bool) -> None:
    assert conclude(summary(), io.StringIO(), as_json=as_json) == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_one_unmet_expectation_ends_with_one_and_is_told(*, as_json: bool) -> None:
    out = io.StringIO()
    assert conclude(summary(problems=["the gate let a forger in"]), out, as_json=as_json) == 1
    assert "the gate let a forger in" in out.getvalue()


def test_json_is_one_document_on_one_line() -> None:
    out, result = io.StringIO(), summary(problems=["a [bold]b[/]\nc"])
    conclude(result, out, as_json=True)
    assert out.getvalue().count("\n") == 1
    assert msgspec.json.decode(out.getvalue(), type=Summary) == result


def test_problem_is_printed_as_it_is_whatever_it_looks_like() -> None:
    out = io.StringIO()
    conclude(summary(problems=["[red]not markup[/]"]), out, as_json=False)
    assert "[red]not markup[/]" in out.getvalue()
