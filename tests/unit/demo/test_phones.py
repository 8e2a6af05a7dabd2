"""The tour's phones against the program's own reader: genuine codes count, old and forged ones do not."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from server.demo.phones import forge, screenshot
from shared.admission.verdict import Reason
from shared.codes.capsule import event_hint
from shared.codes.keys import derive_handle
from shared.codes.reader import CodeRead, CodeReader, CodeRefused
from shared.problems import NotFound
from tests.unit.demo.phones import DAY, make_phone
from tests.unit.shared.samples import EVENT, MASTER, NOW, T0, TICKET, Order, epoch_key, issue


def gate_reader() -> CodeReader:
    """Return a reader with the keys of the event's first two days."""
    return CodeReader([epoch_key(Order(epoch=number, starts=T0 + DAY * number)) for number in range(2)])


@pytest.mark.parametrize("at", [T0, NOW, T0 + DAY - timedelta(seconds=1), T0 + DAY, NOW + DAY])
def test_shown_code_reads_as_the_tickets_own(at: datetime) -> None:
    read = gate_reader().read(make_phone().show(at), at)
    assert isinstance(read, CodeRead)
    assert read.skew_slots == 0
    assert read.capsule.claims.handle == derive_handle(MASTER, TICKET, Order().generation)


def test_phone_shows_exactly_what_the_issuer_would() -> None:
    assert make_phone().show(NOW) == issue(epoch=0, starts=T0).show(NOW)


def test_code_changes_with_every_slot() -> None:
    phone = make_phone()
    shown = {phone.show(NOW + timedelta(seconds=15 * step)) for step in range(20)}
    assert len(shown) == 20


def test_phone_has_no_code_before_its_first_day_and_after_its_last() -> None:
    for at in (T0 - timedelta(seconds=1), T0 + 2 * DAY):
        with pytest.raises(NotFound):
            make_phone().show(at)


def test_screenshot_of_two_minutes_ago_is_stale() -> None:
    refused = gate_reader().read(screenshot(make_phone(), NOW), NOW)
    assert isinstance(refused, CodeRefused)
    assert (refused.reason, refused.skew_s) == (Reason.CODE_STALE, -120)


def test_forgers_code_is_refused_as_forged() -> None:
    made = forge(make_phone(), NOW)
    refused = gate_reader().read(made, NOW)
    assert isinstance(refused, CodeRefused)
    assert refused.reason is Reason.CODE_FORGED
    assert refused.capsule is None


def test_forgers_code_has_the_form_and_the_event_of_a_genuine_one() -> None:
    genuine = make_phone()
    assert genuine.hint == event_hint(EVENT)
    assert len(forge(genuine, NOW)) == len(genuine.show(NOW))
    assert forge(genuine, NOW) != forge(genuine, NOW)


def test_phone_keeps_its_seed_out_of_logs() -> None:
    phone = make_phone()
    assert phone.seed not in repr(phone)
    assert phone.ticket in repr(phone)
