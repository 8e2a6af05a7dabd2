"""The hash chain and its clock."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest

from shared.codes import chain
from tests.unit.shared.samples import EVENT, T0, issue

CONTEXT = bytes(range(16))


def test_one_step_is_the_documented_hash() -> None:
    value = b"v" * 16
    stepped = hashlib.sha256(CONTEXT + b"\x00\x07" + value).digest()[:16]
    assert chain.walk_down(CONTEXT, value, 7, 6) == stepped


def test_a_walk_is_the_sum_of_its_parts() -> None:
    top = b"t" * 16
    whole = chain.walk_down(CONTEXT, top, 300, 0)
    assert chain.walk_down(CONTEXT, chain.walk_down(CONTEXT, top, 300, 123), 123, 0) == whole
    assert chain.walk_down(CONTEXT, top, 300, 300) == top


def test_context_binds_event_header_and_handle() -> None:
    header, handle = b"\x10\x01\x00\x00", b"h" * 16
    base = chain.derive_context(EVENT, header, handle)
    others = [
        chain.derive_context(UUID(int=1), header, handle),
        chain.derive_context(EVENT, b"\x10\x01\x00\x01", handle),
        chain.derive_context(EVENT, header, b"i" * 16),
    ]
    assert len({base, *others}) == 4
    assert len(base) == 16


def test_every_epoch_has_a_top_of_its_own() -> None:
    seed = b"s" * 32
    assert chain.derive_top(seed, b"\x10\x01\x00\x00") != chain.derive_top(seed, b"\x10\x01\x00\x01")


@pytest.mark.parametrize(
    ("length", "slot_s", "slots"),
    [
        (timedelta(hours=24), 15, 5760),
        (timedelta(seconds=31), 15, 3),
        (timedelta(seconds=30), 15, 2),
        (timedelta(days=7), 10, 60480),
    ],
)
def test_the_last_slot_may_be_short(length: timedelta, slot_s: int, slots: int) -> None:
    assert chain.slot_count(T0, T0 + length, slot_s) == slots


@pytest.mark.parametrize(
    ("after_s", "slot"), [(0, 1), (14.999, 1), (15, 2), (-0.001, 0), (-15, 0), (-15.001, -1), (86400, 5761)]
)
def test_slots_count_from_one_at_the_epochs_start(after_s: float, slot: int) -> None:
    assert chain.slot_at(T0, 15, T0 + timedelta(seconds=after_s)) == slot


def test_what_a_phone_shows_hashes_down_to_the_anchor() -> None:
    phone = issue()
    shown = phone.token(phone.slots)
    assert shown.value == phone.top
    first = phone.token(1).value
    assert first is not None
    assert chain.walk_down(phone.context, first, 1, 0) == chain.walk_down(phone.context, phone.top, phone.slots, 0)
