"""What a ticket's state means for its asset, state by state."""

from __future__ import annotations

import pytest

from server.domain.nft import NftMode, Wish, first_state, wish_for
from shared.tickets.lifecycle import State

NOBODYS = {State.AVAILABLE, State.RESERVED}
OVER = {State.REVOKED, State.REFUNDED, State.CANCELLED}


@pytest.mark.parametrize("state", State)
def test_each_state_means_one_thing_and_a_lock_holds_what_lives(state: State) -> None:
    open_wish, locked_wish = wish_for(state, locked=False), wish_for(state, locked=True)
    if state in NOBODYS:
        assert (open_wish, locked_wish) == (None, None)
    elif state in OVER:
        assert (open_wish, locked_wish) == (Wish.GONE, Wish.GONE)
    else:
        assert (open_wish, locked_wish) == (Wish.LIVE, Wish.HELD)


def test_only_an_event_that_waits_for_the_mint_keeps_its_tickets_waiting() -> None:
    assert {mode: first_state(mode) for mode in NftMode} == {
        NftMode.OFF: State.ACTIVE,
        NftMode.MIRROR: State.ACTIVE,
        NftMode.WAIT_FOR_MINT: State.SOLD,
    }
