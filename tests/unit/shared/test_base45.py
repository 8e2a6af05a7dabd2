"""Base45 as RFC 9285 has it."""

from __future__ import annotations

import pytest

from shared.codes import base45
from shared.problems import CodeMalformed

# RFC 9285, sections 4.3 and 4.4.
RFC_EXAMPLES = [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")]


@pytest.mark.parametrize(("data", "text"), RFC_EXAMPLES)
def test_the_standards_own_examples_hold_in_both_directions(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


def test_nothing_is_the_empty_text() -> None:
    assert base45.encode(b"") == ""
    assert base45.decode("") == b""


def test_the_highest_groups_are_read_and_the_next_refused() -> None:
    assert base45.decode("FGW") == b"\xff\xff"
    with pytest.raises(CodeMalformed):
        base45.decode("GGW")
    assert base45.decode("U5") == b"\xff"
    with pytest.raises(CodeMalformed):
        base45.decode("V5")


@pytest.mark.parametrize("text", ["A", "ABCD", "bb8", "BB\u00e4", "\U0001f3ab\U0001f3ab", "\ud800AB", "BB\n"])
def test_impossible_lengths_and_foreign_characters_are_refused(text: str) -> None:
    with pytest.raises(CodeMalformed):
        base45.decode(text)
