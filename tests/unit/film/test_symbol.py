"""Codes come out in the size the standard gives for their text."""

from __future__ import annotations

import pytest

from gate.film.symbol import draw_symbol
from shared.problems import InputUnusable


@pytest.mark.parametrize(
    ("length", "error", "side"),
    [(38, "M", 25), (90, "M", 33), (219, "L", 45), (219, "M", 49), (219, "Q", 57)],
)
def test_base45_text_takes_the_alphanumeric_size(length: int, error: str, side: int) -> None:
    text = ("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" * 5)[:length]
    assert draw_symbol(text, error).shape == (side, side)


def test_finder_patterns_sit_in_three_corners() -> None:
    modules = draw_symbol("TICKET 0001", "M")
    for corner in (modules[:7, :7], modules[:7, -7:], modules[-7:, :7]):
        assert corner[0].all()
        assert corner[:, 0].all()
        assert corner[2:5, 2:5].all()
        assert not corner[1, 1:6].any()
    assert not modules[-7:, -7:].all()


def test_text_too_long_for_any_code_is_a_typed_problem() -> None:
    with pytest.raises(InputUnusable, match="does not fit"):
        draw_symbol("🎫" * 1200, "H")
