"""A ticket's number can be read aloud, typed back, and names the handles it was made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.codes.number import looks_like_number, read_number, write_number
from shared.problems import CodeMalformed


def test_a_number_is_two_groups_of_four() -> None:
    assert write_number(bytes.fromhex("9ddfc1d05d") + bytes(11)) == "KQFW-3M2X"


@given(st.binary(min_size=16, max_size=16))
def test_a_number_leads_back_to_its_handle_hash(handle_hash: bytes) -> None:
    number = write_number(handle_hash)
    lowest, highest = read_number(number.lower().replace("-", "  "))
    assert lowest <= handle_hash <= highest
    assert lowest[:5] == highest[:5] == handle_hash[:5]
    assert looks_like_number(number)


@pytest.mark.parametrize("text", ["", "K7QW-3M2", "K7QW-3M2X-1", "K7QW-3M2U", "ÄÖÜß-ÄÖÜß"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(CodeMalformed):
        read_number(text)
