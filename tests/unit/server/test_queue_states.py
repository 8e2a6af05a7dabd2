"""Which queues the broker cannot start, by what its management API says of them."""

from __future__ import annotations

import pytest

from server.bus.queue_states import QueueState, sort_streams


@pytest.mark.parametrize(
    ("state", "down", "suspect"),
    [
        (QueueState(name="q", type="quorum", state="running", members=["a"], online=["a"]), False, False),
        (QueueState(name="q", type="quorum", members=["a"], online=["a"]), False, True),
        (QueueState(name="q", type="quorum", members=["a", "b", "c"], online=["a"]), False, False),
        (QueueState(name="q", type="quorum"), False, False),
        (QueueState(name="q", type="classic"), False, False),
        (QueueState(name="q", type="classic", state="crashed"), True, False),
        (QueueState(name="q", type="stream", state="down"), True, False),
    ],
)
def test_a_queue_whose_members_are_all_there_and_of_which_nothing_is_known_may_be_stuck(
    state: QueueState, down: bool, suspect: bool
) -> None:
    assert (state.is_down, state.is_suspect) == (down, suspect)
    found = sort_streams([state])
    assert (found.there, found.broken) == ((frozenset("q"),) * 2 if state.type == "stream" else (frozenset(),) * 2)
