"""Crockford's Base32, the twin for keyboard-wedge readers."""

from __future__ import annotations

import pytest

from shared.codes import base32
from shared.problems import CodeMalformed


def test_known_values_hold_in_both_directions() -> None:
    pairs = [(b"", ""), (b"\x00", "00"), (b"\xff", "ZW"), (b"foobar", "CSQPYRK1E8"), (bytes(range(5)), "000G40R4")]
    assert [(base32.decode(text), base32.encode(data)) for data, text in pairs] == pairs


def test_lower_case_hyphens_and_look_alikes_mean_the_same() -> None:
    assert base32.decode("csqp-yrk1-e8") == b"foobar"
    assert base32.decode("CSQPYRKIE8") == base32.decode("CSQPYRKlE8") == b"foobar"
    assert base32.decode("OO") == b"\x00"


@pytest.mark.parametrize("text", ["0", "000", "000000", "U0", "0!", "ZZ", "\u0131W", "\u00df", "\ufb01", "\ud83c"])
def test_impossible_lengths_padding_and_letters_are_refused(text: str) -> None:
    with pytest.raises(CodeMalformed):
        base32.decode(text)
