"""Enrolment codes as text."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest

from server.domain.enrolment import read_code, write_code
from shared.ids import TenantId
from shared.problems import CodeMalformed

TENANT = TenantId(UUID("01890a5d-ac96-774b-bcce-b302099a8057"))
SECRET = bytes(range(10))


def test_code_says_whose_it_is_and_is_kept_as_a_hash() -> None:
    text = write_code(TENANT, SECRET)
    found = read_code(text)
    assert found.tenant == TENANT
    assert found.code_hash == hashlib.sha256(TENANT.bytes + SECRET).digest()


def test_code_has_the_documented_form() -> None:
    text = write_code(TENANT, SECRET)
    prefix, *groups = text.split("-")
    assert prefix == "TT1"
    assert [len(group) for group in groups] == [6] * 7
    assert set("".join(groups)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@pytest.mark.parametrize("change", [str.lower, lambda text: text.replace("-", " "), lambda text: f"  {text}\n"])
def test_typing_habits_make_no_difference(change: object) -> None:
    assert callable(change)
    text = write_code(TENANT, SECRET)
    assert read_code(change(text)) == read_code(text)


@pytest.mark.parametrize("text", ["", "TT1", "TT1-", "TT2-AAAAAA", "TT1-AAAAAA", "TT1-" + "U" * 42, "TT1-" + "0" * 43])
def test_other_texts_are_no_codes(text: str) -> None:
    with pytest.raises(CodeMalformed):
        read_code(text)


def test_different_secrets_make_different_codes() -> None:
    assert write_code(TENANT, SECRET) != write_code(TENANT, bytes(10))
