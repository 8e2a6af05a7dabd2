"""A token's bytes and its two texts."""

from __future__ import annotations

import pytest

from shared.codes import base45
from shared.codes.token import MAX_TEXT, Token, pack_token, read_text, unpack_token, write_token, write_wedge_token
from shared.problems import CodeMalformed
from tests.unit.shared.samples import issue

LIVE = issue().token(77)
STATIC = Token(capsule=LIVE.capsule)


def test_texts_have_the_documented_lengths() -> None:
    assert (len(write_token(LIVE)), len(write_wedge_token(LIVE))) == (219, 234)
    assert (len(write_token(STATIC)), len(write_wedge_token(STATIC))) == (192, 205)


@pytest.mark.parametrize("token", [LIVE, STATIC], ids=["live", "static"])
def test_both_texts_give_the_token_back(token: Token) -> None:
    assert unpack_token(read_text(write_token(token))) == token
    assert unpack_token(read_text(write_wedge_token(token))) == token
    assert unpack_token(read_text(write_wedge_token(token).lower())) == token


def test_what_readers_append_is_dropped() -> None:
    assert read_text("\t" + write_token(LIVE) + "\r\n") == pack_token(LIVE)


def test_a_space_is_a_digit() -> None:
    assert read_text("0 0") == base45.decode("0 0") != read_text("000")
    assert read_text(" 00") == base45.decode(" 00") == b"\x00\x24"


def test_a_text_longer_than_any_ticket_is_refused_unread() -> None:
    assert len(read_text("0" * (MAX_TEXT - 1))) == (MAX_TEXT - 1) // 3 * 2
    with pytest.raises(CodeMalformed, match="longer"):
        read_text("0" * (MAX_TEXT + 2))


@pytest.mark.parametrize("size", [0, 1, 127, 129, 145, 147, 500])
def test_any_other_length_is_no_token(size: int) -> None:
    with pytest.raises(CodeMalformed):
        unpack_token(bytes(size))


def test_a_token_prints_nothing_of_itself() -> None:
    assert repr(LIVE) == "Token(...)"
    assert LIVE.__rich_repr__() == []
