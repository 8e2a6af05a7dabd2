"""API keys as text, and which PINs nobody should have."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cli_parsers_access import CALLS, SCOPES
from server.domain.access import KEY_SCOPES, Role, Scope, ServiceCall
from server.domain.access import SCOPES as ROLE_SCOPES
from server.domain.api_key import LENGTH, PREFIX, ApiKey, hash_secret, read_key, write_key
from server.domain.pins import find_fault, is_guessable, make_pin
from shared.ids import ApiKeyId, TenantId

KEY = ApiKey(tenant=TenantId(UUID(int=1)), id=ApiKeyId(UUID(int=2)), secret=bytes(range(32)))


@given(tenant=st.uuids(), key=st.uuids(), secret=st.binary(min_size=32, max_size=32))
def test_a_key_comes_back_as_it_was_written(tenant: UUID, key: UUID, secret: bytes) -> None:
    made = ApiKey(tenant=TenantId(tenant), id=ApiKeyId(key), secret=secret)
    text = write_key(made)
    assert len(text) == len(PREFIX) + LENGTH
    assert text.removeprefix(PREFIX).isalnum()
    assert read_key(text) == made
    assert secret.hex() not in repr(made)


@given(at=st.integers(0, LENGTH - 1), letter=st.sampled_from("0aZz"))
def test_a_mistyped_key_is_no_key(at: int, letter: str) -> None:
    text = write_key(KEY)
    place = len(PREFIX) + at
    typed = text[:place] + letter + text[place + 1 :]
    assert (read_key(typed) is None) == (typed != text)


@pytest.mark.parametrize(
    "text", ["", "tt_live_", "tt_test_" + "0" * LENGTH, "tt_live_" + "z" * LENGTH, "tt_live_" + "é" * LENGTH]
)
def test_other_text_is_no_key(text: str) -> None:
    assert read_key(text) is None


def test_what_is_kept_is_not_the_secret() -> None:
    assert hash_secret(KEY.secret) != KEY.secret
    assert len(hash_secret(KEY.secret)) == 32


@pytest.mark.parametrize(
    "pin", ["000000", "123456", "987654", "135791", "121212", "345345", "19841984", "112233", "555556"]
)
def test_patterns_are_guessable(pin: str) -> None:
    assert is_guessable(pin)
    assert find_fault(pin) is not None


@pytest.mark.parametrize("pin", ["", "12345", "1" * 13, "12345a", "१२३४५६", " 827364"])
def test_pins_of_another_form_are_refused(pin: str) -> None:
    assert find_fault(pin) == "A PIN has 6 to 12 digits."


def test_pins_made_here_have_no_pattern_and_no_preference() -> None:
    # The highest numbers, which would make small PINs likelier, are passed over, as is a pattern.
    given = iter([b"\xff\xff\xff", (123456).to_bytes(3), (16_827_364 - 8_000_000).to_bytes(3)])
    assert make_pin(lambda size: next(given)[:size]) == "827364"
    counter = itertools.count(827_365)
    assert find_fault(make_pin(lambda _: next(counter).to_bytes(3))) is None


def test_the_command_line_names_what_there_is() -> None:
    assert set(SCOPES) == set(KEY_SCOPES)
    assert {name.replace("-", "_").upper() for name in CALLS} == {call.name for call in ServiceCall}
    assert ROLE_SCOPES[Role.DOOR_STAFF] >= KEY_SCOPES
    assert Scope.TICKETS_FORCE not in KEY_SCOPES
