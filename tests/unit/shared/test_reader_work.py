"""How much work a code may cause, and what the reader remembers."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest
from msgspec import structs

from shared.admission.verdict import Reason
from shared.codes import chain
from shared.codes.reader import CodeOpened, CodeRead, CodeReader, CodeRefused, EpochKey, Walk
from shared.codes.token import Token, write_token
from tests.unit.shared.samples import NOW, T0, Guarded, epoch_key, issue

PHONE = issue()
SLOT_NOW = chain.slot_at(T0, 15, NOW)


class Meter:
    """A chain walk that counts its hashes."""

    def __init__(self) -> None:
        self.hashes = 0

    def walk(self, context: bytes, value: bytes, start: int, stop: int) -> bytes:
        """Walk as usual."""
        self.hashes += start - stop
        return chain.walk_down(context, value, start, stop)

    def read(self, reader: CodeReader, text: str, now: datetime) -> tuple[CodeRead | CodeRefused, int]:
        """Return the answer and the hashes it took."""
        self.hashes = 0
        return reader.read(text, now), self.hashes


@pytest.fixture
def meter() -> Meter:
    """Give a fresh meter."""
    return Meter()


def metered(meter: Meter) -> CodeReader:
    """Return a reader on a meter."""
    walk: Walk = meter.walk
    return CodeReader([epoch_key()], walk=walk)


@pytest.mark.parametrize("slot", [0, 5761, 65535])
def test_slots_outside_the_epoch_cost_no_hash(meter: Meter, slot: int) -> None:
    text = write_token(Token(capsule=PHONE.capsule, slot=slot, value=bytes(16)))
    assert meter.read(metered(meter), text, NOW) == (CodeRefused(reason=Reason.CODE_FORGED), 0)


def test_a_capsule_that_does_not_open_costs_no_hash(meter: Meter) -> None:
    forged = structs.replace(PHONE.token(5760), capsule=PHONE.capsule[:-1] + bytes([PHONE.capsule[-1] ^ 1]))
    assert meter.read(metered(meter), write_token(forged), NOW) == (CodeRefused(reason=Reason.CODE_FORGED), 0)


def test_a_false_value_costs_at_most_its_slot_and_spoils_nothing(meter: Meter) -> None:
    reader = metered(meter)
    false = write_token(Token(capsule=PHONE.capsule, slot=5760, value=bytes(16)))
    for _ in range(3):
        assert meter.read(reader, false, NOW) == (CodeRefused(reason=Reason.CODE_FORGED), 5760)
    result, hashes = meter.read(reader, PHONE.show(NOW), NOW)
    assert isinstance(result, CodeRead)
    assert hashes == SLOT_NOW


def test_after_a_good_code_a_false_one_costs_only_the_distance(meter: Meter) -> None:
    reader = metered(meter)
    meter.read(reader, PHONE.show(NOW), NOW)
    false = write_token(Token(capsule=PHONE.capsule, slot=SLOT_NOW + 1, value=bytes(16)))
    assert meter.read(reader, false, NOW) == (CodeRefused(reason=Reason.CODE_FORGED), 1)


def test_the_second_scan_hashes_only_the_difference(meter: Meter) -> None:
    reader = metered(meter)
    later = NOW + timedelta(minutes=5)
    assert meter.read(reader, PHONE.show(NOW), NOW)[1] == SLOT_NOW
    assert meter.read(reader, PHONE.show(NOW), NOW)[1] == 0
    assert meter.read(reader, PHONE.show(later), later)[1] == 20
    result, hashes = meter.read(reader, PHONE.show(NOW), later)
    assert (result.reason if isinstance(result, CodeRefused) else None, hashes) == (Reason.CODE_STALE, 20)


def test_chain_values_are_compared_in_constant_time() -> None:
    def walk(context: bytes, value: bytes, start: int, stop: int) -> bytes:
        return Guarded(chain.walk_down(context, value, start, stop))

    reader = CodeReader([epoch_key()], walk=walk)
    later, false = NOW + timedelta(minutes=5), Token(capsule=PHONE.capsule, slot=SLOT_NOW, value=bytes(16))
    shown = [(PHONE.show(NOW), NOW), (PHONE.show(later), later), (PHONE.show(NOW), NOW), (write_token(false), NOW)]
    assert [isinstance(reader.read(text, now), CodeRead) for text, now in shown] == [True, True, True, False]


def test_of_many_codes_the_one_not_seen_for_longest_is_forgotten(meter: Meter) -> None:
    short = timedelta(seconds=30)
    key = structs.replace(epoch_key(), ends=T0 + short)
    reader = CodeReader([key], walk=meter.walk)
    phones = [issue(length=short, generation=number) for number in range(4097)]
    for phone in phones[:-1]:
        assert meter.read(reader, write_token(phone.token(2)), T0)[1] == 2
    for phone, hashes in [(phones[0], 0), (phones[-1], 2), (phones[0], 0), (phones[2], 0), (phones[1], 2)]:
        assert meter.read(reader, write_token(phone.token(2)), T0)[1] == hashes


@pytest.mark.parametrize("change", [{"ends": T0}, {"ends": T0 - timedelta(days=1)}, {"slot_s": 1}])
def test_an_epoch_whose_slots_cannot_be_numbered_is_no_key(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="slots"):
        structs.replace(epoch_key(), **change)


def test_a_key_of_the_wrong_size_is_not_decoded() -> None:
    fields = msgspec.to_builtins(epoch_key())
    assert msgspec.convert(fields, EpochKey) == epoch_key()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields | {"envelope_key": "AAAA"}, EpochKey)


def test_who_can_make_the_chains_end_walks_from_there_and_then_never_again(meter: Meter) -> None:
    reader, text = metered(meter), write_token(PHONE.token(SLOT_NOW))
    for hashes in (5760 - SLOT_NOW, 0):
        opened = reader.open(text)
        assert isinstance(opened, CodeOpened)
        meter.hashes = 0
        read = reader.check(opened, NOW, lambda: PHONE.top)
        assert isinstance(read, CodeRead)
        assert (read.recomputed, meter.hashes) == (True, hashes)


def test_a_genuine_signature_under_a_false_chain_does_not_help_where_the_end_is_known(meter: Meter) -> None:
    reader = metered(meter)
    text = write_token(PHONE.token(SLOT_NOW))
    opened = reader.open(text)
    assert isinstance(opened, CodeOpened)
    # to whoever has the anchor alone it is good
    assert isinstance(CodeReader([epoch_key()]).read(text, NOW), CodeRead)
    assert reader.check(opened, NOW, lambda: bytes(16)) == CodeRefused(reason=Reason.CODE_FORGED)
