"""A ticket's link says what its maker said, and any other text is no link."""

from __future__ import annotations

import base64
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from server.domain.ticket_link import LinkInvalid, TicketLink, check_link, read_link, write_link
from shared.ids import TenantId
from shared.problems import Internal
from tests.unit.shared.samples import MASTER, NOW, TICKET, secret

LINK = TicketLink(
    tenant=TenantId(UUID("0190a000-0000-7000-8000-0000000000f1")),
    ticket=TICKET,
    generation=3,
    expires=NOW + timedelta(days=30),
)
TEXT = write_link(MASTER, LINK)


def test_a_link_says_what_was_written() -> None:
    assert check_link(MASTER, read_link(TEXT), NOW) == LINK
    assert len(TEXT) == 74


def test_the_form_is_the_documented_one() -> None:
    data = base64.urlsafe_b64decode(TEXT + "==")
    assert data[:33] == b"\x01" + LINK.tenant.bytes + LINK.ticket.bytes
    assert data[33:39] == (3).to_bytes(2, "big") + int(LINK.expires.timestamp()).to_bytes(4, "big")
    assert len(data) == 55


def test_another_tenants_secret_proves_nothing() -> None:
    with pytest.raises(LinkInvalid):
        check_link(secret("another tenant"), read_link(TEXT), NOW)


@given(at=st.integers(min_value=0, max_value=54), change=st.integers(min_value=1, max_value=255))
def test_no_byte_can_be_changed(at: int, change: int) -> None:
    data = bytearray(base64.urlsafe_b64decode(TEXT + "=="))
    data[at] ^= change
    with pytest.raises(LinkInvalid):
        check_link(MASTER, read_link(base64.urlsafe_b64encode(data).rstrip(b"=").decode()), NOW)


def test_a_link_ends_when_it_says() -> None:
    unproven = read_link(TEXT)
    assert check_link(MASTER, unproven, LINK.expires - timedelta(microseconds=1)) == LINK
    with pytest.raises(LinkInvalid, match="out of date"):
        check_link(MASTER, unproven, LINK.expires)


@pytest.mark.parametrize(
    "text",
    ["", "x", TEXT[:-1], TEXT + "A", TEXT + "=", TEXT[:-1] + "é", TEXT.replace("_", "/").replace("-", "+") + "==",
     " " + TEXT, "\ud800" * 74, "A" * 74, "A" * 100_000],
)  # fmt: skip
def test_anything_else_is_no_link(text: str) -> None:
    with pytest.raises(LinkInvalid):
        check_link(MASTER, read_link(text), NOW)


def test_a_link_has_one_text_only() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [TEXT[:-1] + letter for letter in letters]
    same_bytes = [
        twin for twin in twins if base64.urlsafe_b64decode(twin + "==") == base64.urlsafe_b64decode(TEXT + "==")
    ]
    assert len(same_bytes) > 1
    for twin in set(same_bytes) - {TEXT}:
        with pytest.raises(LinkInvalid):
            read_link(twin)


def test_what_does_not_fit_is_a_fault_of_ours() -> None:
    with pytest.raises(Internal):
        write_link(MASTER, structs.replace(LINK, generation=65536))


def test_a_link_prints_nothing_of_itself() -> None:
    shown = repr(LINK) + repr(read_link(TEXT))
    assert str(TICKET) not in shown
    assert TEXT not in shown
