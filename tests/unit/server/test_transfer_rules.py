"""When a ticket may change hands or be given back, to the microsecond, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from server.domain.refund import Obstacle as Held
from server.domain.refund import Return, refuse_return
from server.domain.rules import RefundRules, TransferRules
from server.domain.transfer import Obstacle, Offer, Standing, mask_email, refuse_change, refuse_offer
from shared.tickets.lifecycle import ADMISSIBLE, State

STARTS = datetime(2026, 6, 20, 19, tzinfo=UTC)
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
NOW = STARTS - 10 * HOUR
STANDING = Standing(state=State.ACTIVE, locked=False, starts=STARTS, over=STARTS + 9 * HOUR, rules=TransferRules())
OFFER = Offer(standing=STANDING, handed_over=0, last_handed_over=None, sent_today=0)
RETURN = Return(state=State.ACTIVE, locked=False, entered=False, starts=STARTS, rules=RefundRules(deadline_s=3600))


def obstacle(standing: Standing, now: datetime = NOW) -> Obstacle | None:
    """Return what keeps a ticket where it is."""
    refusal = refuse_change(standing, now)
    return None if refusal is None else refusal.obstacle


def offer_obstacle(offer: Offer, now: datetime = NOW) -> Obstacle | None:
    """Return what keeps a ticket from being offered."""
    refusal = refuse_offer(offer, now)
    return None if refusal is None else refusal.obstacle


@pytest.mark.parametrize("state", list(State))
def test_only_admissible_tickets_change_hands(state: State) -> None:
    expected = None if state in ADMISSIBLE else Obstacle.STATE
    assert obstacle(replace(STANDING, state=state)) == expected


@pytest.mark.parametrize(
    ("rules", "now", "expected"),
    [
        (TransferRules(), STARTS - TICK, None),
        (TransferRules(), STARTS, Obstacle.LATE),
        (TransferRules(), STARTS + 9 * HOUR, Obstacle.OVER),
        (TransferRules(deadline_s=3600), STARTS - HOUR - TICK, None),
        (TransferRules(deadline_s=3600), STARTS - HOUR, Obstacle.LATE),
        (TransferRules(allowed=False), NOW, Obstacle.FORBIDDEN),
        (TransferRules(blackout_from=NOW), NOW - TICK, None),
        (TransferRules(blackout_from=NOW), NOW, Obstacle.PAUSE),
        (TransferRules(blackout_from=NOW, blackout_until=NOW + HOUR), NOW + HOUR - TICK, Obstacle.PAUSE),
        (TransferRules(blackout_from=NOW, blackout_until=NOW + HOUR), NOW + HOUR, None),
        (TransferRules(blackout_until=NOW), NOW - TICK, Obstacle.PAUSE),
        (TransferRules(blackout_until=NOW), NOW, None),
    ],
)
def test_the_organisers_times_begin_and_end_where_they_say(
    rules: TransferRules, now: datetime, expected: Obstacle | None
) -> None:
    assert obstacle(replace(STANDING, rules=rules), now) == expected


def test_a_locked_ticket_stays_whatever_else_holds() -> None:
    assert obstacle(replace(STANDING, locked=True, state=State.USED)) == Obstacle.LOCKED


@pytest.mark.parametrize(
    ("offer", "expected"),
    [
        (replace(OFFER, handed_over=4, sent_today=9), None),
        (replace(OFFER, handed_over=5), Obstacle.TICKET_LIMIT),
        (replace(OFFER, sent_today=10), Obstacle.DAY_LIMIT),
        (replace(OFFER, last_handed_over=NOW - HOUR / 2), None),
        (replace(OFFER, last_handed_over=NOW - HOUR / 2 + TICK), Obstacle.COOLDOWN),
        (replace(OFFER, standing=replace(STANDING, rules=TransferRules(per_ticket=0))), Obstacle.TICKET_LIMIT),
        (replace(OFFER, standing=replace(STANDING, rules=TransferRules(per_user_day=0))), Obstacle.DAY_LIMIT),
        (replace(OFFER, standing=replace(STANDING, locked=True)), Obstacle.LOCKED),
    ],
)
def test_offers_are_counted_and_tickets_rest(offer: Offer, expected: Obstacle | None) -> None:
    assert offer_obstacle(offer) == expected


@pytest.mark.parametrize(
    ("wish", "now", "expected"),
    [
        (RETURN, STARTS - HOUR - TICK, None),
        (RETURN, STARTS - HOUR, Held.LATE),
        (replace(RETURN, state=State.SOLD), NOW, None),
        (replace(RETURN, state=State.MINTED), NOW, None),
        (replace(RETURN, state=State.CHECKED_IN), NOW, Held.STATE),
        (replace(RETURN, state=State.REFUNDED), NOW, Held.STATE),
        (replace(RETURN, entered=True), NOW, Held.USED),
        (replace(RETURN, locked=True), NOW, Held.LOCKED),
        (replace(RETURN, rules=RefundRules(allowed=False)), NOW, Held.FORBIDDEN),
    ],
)
def test_tickets_are_taken_back_unused_and_in_time(wish: Return, now: datetime, expected: Held | None) -> None:
    refusal = refuse_return(wish, now)
    assert (refusal and refusal.obstacle) == expected


def test_an_address_shows_its_first_letter_and_domain() -> None:
    assert mask_email("ada.lovelace@example.org") == "a•••@example.org"
