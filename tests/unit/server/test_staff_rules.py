"""Names, passwords and cookies of the operations page: what is taken, what is refused, and that nothing shows a secret."""

from __future__ import annotations

import os
from datetime import timedelta
from uuid import UUID

import pytest

from server.cli_parsers_staff import ROLES
from server.domain.staff import (
    IDLE,
    STAFF_ROLES,
    SessionToken,
    find_password_fault,
    is_over,
    make_password,
    read_login,
    read_token,
    write_token,
)
from shared.ids import SessionId, TenantId
from tests.unit.shared.samples import NOW

TOKEN = SessionToken(tenant=TenantId(UUID(int=1)), session=SessionId(UUID(int=2)), secret=bytes(range(32)))


def test_parser_knows_every_role_that_may_sign_in() -> None:
    assert set(ROLES) == {role.value for role in STAFF_ROLES}


@pytest.mark.parametrize(
    ("typed", "kept"), [(" Sam ", "sam"), ("a.b+c@example.org", "a.b+c@example.org"), ("ＳＡＭ", "sam")]
)
def test_names_are_kept_in_one_form(typed: str, kept: str) -> None:
    assert read_login(typed) == kept


@pytest.mark.parametrize("typed", ["", "a", "@sam", "sam okafor", "<b>", "sam\u202e", "s\0m", "x" * 101, "шам"])
def test_other_names_are_nobodys(typed: str) -> None:
    assert read_login(typed) is None


@pytest.mark.parametrize(
    "password", ["short", "x" * 201, "aaaaaaaaaaaaaaaa", "password123456", "sam-sam-sam-1234-abcd", "Qwertz123456!"]
)
def test_guessable_passwords_are_refused(password: str) -> None:
    assert find_password_fault(password, "sam")


def test_long_and_odd_passwords_are_fine() -> None:
    assert find_password_fault("correct horse battery staple", "sam") is None
    assert find_password_fault("über-grün-öl-nässe", "sam") is None


def test_made_passwords_are_fine_and_different() -> None:
    made = {make_password(os.urandom) for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 24 and find_password_fault(one, "sam") is None for one in made)
    assert not set("".join(made)) & set("io01")


def test_cookie_survives_the_way_and_nothing_else_is_one() -> None:
    text = write_token(TOKEN)
    assert read_token(text) == TOKEN
    for other in ("", "x", text[:-1], text + "A", text.replace(text[3], "!"), "ü" * 86, "=" * 86):
        assert read_token(other) is None or read_token(other) != TOKEN


def test_a_form_fits_its_own_session_alone() -> None:
    other = SessionToken(tenant=TOKEN.tenant, session=TOKEN.session, secret=bytes(32))
    assert TOKEN.fits(TOKEN.form_token)
    assert not TOKEN.fits(other.form_token)
    assert not TOKEN.fits("")
    assert not TOKEN.fits("ü")
    assert TOKEN.form_token not in write_token(TOKEN)


def test_secrets_do_not_show() -> None:
    assert repr(TOKEN) == "SessionToken(...)"


def test_a_session_ends_when_idle_and_at_its_end() -> None:
    ends = NOW + timedelta(hours=16)
    assert not is_over(NOW, ends, NOW + IDLE - timedelta(seconds=1))
    assert is_over(NOW, ends, NOW + IDLE)
    assert is_over(ends - timedelta(seconds=1), ends, ends)
