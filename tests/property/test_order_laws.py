"""Laws of the order in which passages may have been, held against every order there is."""

from __future__ import annotations

import random
from functools import cache
from itertools import combinations, permutations

from hypothesis import given
from hypothesis import strategies as st

from shared.admission.order import Span, count_pairs, find_walk, may_end
from tests.property.strategies import costly_law, law

WAYS = {b"north": True, b"south": True, b"east": True, b"out": False, b"back": False}
Cost = tuple[int, int]


@st.composite
def spans(draw: st.DrawFn, /, one_way: bool = True) -> Span:
    """Return a passage with a clock that may be anything; a gate lets people pass one way, or both."""
    gate = draw(st.sampled_from(sorted(WAYS)))
    at, unsure = draw(st.integers(100, 130)), draw(st.sampled_from([0, 1, 5, 20]))
    place = draw(st.integers(0, 2**30))
    return Span(
        gate=gate,
        key=(place, gate, place, b""),
        inward=WAYS[gate] if one_way else draw(st.booleans()),
        first_ms=at - unsure,
        last_ms=at + unsure,
    )


def evenings(most: int, *, one_way: bool = True) -> st.SearchStrategy[list[Span]]:
    """Return a few passages of one ticket."""
    return st.lists(spans(one_way=one_way), max_size=most, unique_by=lambda span: span.key)


@law
@given(evenings(8, one_way=False), st.randoms(use_true_random=False))
def test_pairs_and_walk_depend_on_the_set_alone(evening: list[Span], dice: random.Random) -> None:
    shuffled = [*evening]
    dice.shuffle(shuffled)
    assert count_pairs(shuffled) == count_pairs(evening)
    assert find_walk(shuffled) == find_walk(evening)


@law
@given(evenings(8, one_way=False) | evenings(8))
def test_no_other_matching_has_more_pairs(evening: list[Span]) -> None:
    entries, exits = ([span for span in evening if span.inward is inward] for inward in (True, False))
    most = 0
    for size in range(1, min(len(entries), len(exits)) + 1):
        possible = any(
            all(may_end(entry, leaving) for entry, leaving in zip(chosen, order, strict=True))
            for chosen in combinations(entries, size)
            for order in permutations(exits, size)
        )
        most = size if possible else most
    assert count_pairs(evening) == most


@law
@given(evenings(8, one_way=False), spans(one_way=False))
def test_one_more_entry_never_empties_the_house_and_one_more_exit_never_fills_it(
    evening: list[Span], one_more: Span
) -> None:
    if any(span.key == one_more.key for span in evening):
        return
    before, after = inside(evening), inside([*evening, one_more])
    assert 0 <= after - before <= 1 if one_more.inward else -1 <= after - before <= 0


@law
@given(evenings(9, one_way=False))
def test_a_walk_is_possible_and_leaves_nobody_out(evening: list[Span]) -> None:
    order = find_walk(evening).order
    assert sorted(span.key for span in order) == sorted(span.key for span in evening)
    for earlier, later in combinations(order, 2):
        assert not is_certainly_before(later, earlier)


@costly_law
@given(evenings(9))
def test_no_possible_order_explains_the_passages_with_fewer_people(evening: list[Span]) -> None:
    walk = find_walk(evening)
    assert walk.doubles == least_doubles(walk.order)


def inside(evening: list[Span]) -> int:
    """Return how many bodies are inside."""
    return sum(span.inward for span in evening) - count_pairs(evening)


def is_certainly_before(one: Span, other: Span) -> bool:
    """Say the same as the program by the definition."""
    return one.key < other.key if one.gate == other.gate else one.last_ms < other.first_ms


def least_doubles(evening: tuple[Span, ...]) -> int:
    """Return the fewest entries beside somebody that any possible order has: all of them are tried."""
    everybody = frozenset(range(len(evening)))
    before = {
        at: frozenset(other for other in everybody if is_certainly_before(evening[other], evening[at]))
        for at in everybody
    }

    @cache
    def least(passed: frozenset[int], bodies: int) -> int:
        ready = [at for at in everybody - passed if before[at] <= passed]
        costs = []
        for at in ready:
            inward = evening[at].inward
            then = bodies + 1 if inward else max(0, bodies - 1)
            costs.append((inward and bodies > 0) + least(passed | {at}, then))
        return min(costs, default=0)

    return least(frozenset(), 0)
