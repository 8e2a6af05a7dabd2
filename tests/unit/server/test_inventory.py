"""What decides about an order, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from server.domain.inventory import Cause, Shelf, Wish, check_window, check_wishes
from shared.ids import TicketTypeId

NOW = datetime(2026, 6, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
KIND, OTHER = TicketTypeId(uuid4()), TicketTypeId(uuid4())


def shelf(available: int = 5, max_per_order: int = 10, currency: str = "EUR") -> Shelf:
    """Return a shelf."""
    return Shelf(name="Standing", available=available, max_per_order=max_per_order, currency=currency)


@pytest.mark.parametrize(
    ("starts", "ends", "cause"),
    [
        (NOW, NOW + HOUR, None),
        (NOW - HOUR, NOW + timedelta(microseconds=1), None),
        (NOW + timedelta(microseconds=1), NOW + HOUR, Cause.WINDOW),
        (NOW - HOUR, NOW, Cause.WINDOW),
    ],
)
def test_a_sale_begins_with_its_first_moment_and_ends_before_its_last(
    starts: datetime, ends: datetime, cause: Cause | None
) -> None:
    refusal = check_window(starts, ends, NOW)
    assert (refusal and refusal.cause) == cause


@pytest.mark.parametrize(
    ("quantity", "stock", "bought", "cause"),
    [
        (5, shelf(5), 0, None),
        (6, shelf(5), 0, Cause.SHORT),
        (3, shelf(5, max_per_order=2), 0, Cause.LIMIT),
        (2, shelf(5), 18, None),
        (3, shelf(5), 18, Cause.LIMIT),
        (1, shelf(0), 0, Cause.SHORT),
    ],
)
def test_an_order_fits_stock_and_limits_or_names_what_stands_in_its_way(
    quantity: int, stock: Shelf, bought: int, cause: Cause | None
) -> None:
    refusal = check_wishes([Wish(ticket_type=KIND, quantity=quantity)], {KIND: stock}, bought=bought, max_per_user=20)
    assert (refusal and refusal.cause) == cause


def test_unknown_types_and_mixed_currencies_are_named() -> None:
    wishes = [Wish(ticket_type=KIND, quantity=1), Wish(ticket_type=OTHER, quantity=1)]
    unknown = check_wishes(wishes, {KIND: shelf()}, bought=0, max_per_user=20)
    mixed = check_wishes(wishes, {KIND: shelf(), OTHER: shelf(currency="USD")}, bought=0, max_per_user=20)
    assert unknown is not None
    assert mixed is not None
    assert (unknown.cause, mixed.cause) == (Cause.UNKNOWN, Cause.MIXED)
