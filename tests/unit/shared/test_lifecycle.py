"""The table of states: what may follow what, and by whose hand."""

from __future__ import annotations

import pytest

from shared.problems import Conflict, Denied
from shared.tickets.lifecycle import (
    ADMISSIBLE,
    TERMINAL,
    TRANSITIONS,
    Actor,
    RevocationReason,
    State,
    TransitionDenied,
    TransitionInvalid,
    check_transition,
)

FROM_ADMISSIBLE = "transferred checked_in refunded revoked expired cancelled used"
TABLE = {
    "available": "reserved sold cancelled",
    "reserved": "available sold expired cancelled",
    "sold": "active minted refunded revoked cancelled",
    "minted": "active refunded revoked cancelled",
    "active": FROM_ADMISSIBLE,
    "transferred": FROM_ADMISSIBLE,
    "checked_in": "active transferred used revoked",
    "used": "",
    "revoked": "",
    "refunded": "",
    "expired": "",
    "cancelled": "",
}


def test_the_steps_are_exactly_these() -> None:
    steps = {source.value: {target.value for target in targets} for source, targets in TRANSITIONS.items()}
    assert steps == {source: set(targets.split()) for source, targets in TABLE.items()}


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    reached, frontier = {State.AVAILABLE}, [State.AVAILABLE]
    while frontier:
        fresh = set(TRANSITIONS[frontier.pop()]) - reached
        reached |= fresh
        frontier += fresh
    assert reached == set(State) == set(TRANSITIONS)


def test_terminal_states_have_no_way_out() -> None:
    assert {state.value for state in TERMINAL} == {"used", "revoked", "refunded", "expired", "cancelled"}
    for state in TERMINAL:
        for target in State:
            with pytest.raises(TransitionInvalid):
                check_transition(state, target, Actor.SYSTEM, "because")


def test_what_may_enter_can_be_checked_in_and_nothing_else_can() -> None:
    assert {state for state, steps in TRANSITIONS.items() if State.CHECKED_IN in steps} == ADMISSIBLE


@pytest.mark.parametrize(
    ("source", "target", "actors"),
    [
        (State.AVAILABLE, State.RESERVED, {Actor.HOLDER, Actor.ORGANISER, Actor.SYSTEM}),
        (State.RESERVED, State.SOLD, {Actor.HOLDER, Actor.SYSTEM}),
        (State.RESERVED, State.EXPIRED, {Actor.SYSTEM}),
        (State.SOLD, State.ACTIVE, {Actor.SYSTEM}),
        (State.ACTIVE, State.TRANSFERRED, {Actor.HOLDER, Actor.ORGANISER, Actor.SYSTEM}),
        (State.ACTIVE, State.CHECKED_IN, {Actor.GATE, Actor.ORGANISER, Actor.SYSTEM}),
        (State.CHECKED_IN, State.ACTIVE, {Actor.GATE, Actor.ORGANISER, Actor.SYSTEM}),
        (State.CHECKED_IN, State.USED, {Actor.SYSTEM}),
        (State.ACTIVE, State.REVOKED, {Actor.ORGANISER, Actor.SYSTEM}),
    ],
)
def test_each_step_is_for_certain_hands(source: State, target: State, actors: set[Actor]) -> None:
    allowed = set()
    for actor in Actor:
        try:
            check_transition(source, target, actor, RevocationReason.ADMIN_REQUEST)
        except TransitionDenied:
            continue
        allowed.add(actor)
    assert allowed == actors


def test_taking_a_ticket_back_needs_a_reason() -> None:
    needing = {target for steps in TRANSITIONS.values() for target, step in steps.items() if step.needs_reason}
    assert needing == {State.REVOKED, State.CANCELLED}
    for reason in (None, ""):
        with pytest.raises(TransitionDenied, match="needs a reason"):
            check_transition(State.ACTIVE, State.REVOKED, Actor.ORGANISER, reason)


def test_the_problems_say_which_kind_they_are() -> None:
    assert issubclass(TransitionInvalid, Conflict)
    assert issubclass(TransitionDenied, Denied)
    with pytest.raises(TransitionInvalid, match="A ticket that is used cannot become active"):
        check_transition(State.USED, State.ACTIVE, Actor.SYSTEM)
