"""Time, ids and problems."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

import pytest
from msgspec import Struct, msgpack

from shared import problems
from shared.clock import ManualClock, SystemClock, from_unix_ms, unix_ms
from shared.ids import uuid7
from shared.packed import unpack
from shared.problems import CodeMalformed, TicketTokenError
from tests.unit.shared.samples import NOW


def test_milliseconds_round_down_on_both_sides_of_1970() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert [unix_ms(epoch + timedelta(microseconds=us)) for us in (-1, 0, 999, 1000)] == [-1, 0, 0, 1]
    assert unix_ms(datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == 253_402_300_799_999
    assert from_unix_ms(unix_ms(NOW)) == NOW


def test_a_manual_clock_moves_only_by_hand() -> None:
    clock = ManualClock(NOW)
    clock.advance(timedelta(seconds=3))
    clock.step_wall(timedelta(hours=-1))
    assert (clock.now(), clock.monotonic()) == (NOW + timedelta(seconds=3, hours=-1), 3.0)


def test_the_systems_clock_is_aware_and_runs() -> None:
    clock = SystemClock()
    first, second = clock.monotonic(), clock.monotonic()
    assert second >= first
    assert clock.now().utcoffset() == timedelta(0)


def test_the_systems_counter_goes_on_while_the_machine_sleeps() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= SystemClock().monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_uuid7_has_the_standards_layout_and_sorts_by_time() -> None:
    made = uuid7(NOW, lambda count: b"\xff" * count)
    assert (made.version, made.variant, made.int >> 80) == (7, RFC_4122, unix_ms(NOW))
    # RFC 9562, appendix A.6.
    standard = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    noise = (0xCC3 << 68 | 0x18C4DC0C0C07398F & (1 << 62) - 1).to_bytes(10, "big")
    assert uuid7(standard, lambda _: noise) == UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert made < uuid7(NOW + timedelta(milliseconds=1), bytes)


def test_every_problem_has_a_code_an_exit_code_and_its_place_in_the_tree() -> None:
    kinds = [kind for kind in vars(problems).values() if isinstance(kind, type) and issubclass(kind, TicketTokenError)]
    assert len({kind.code for kind in kinds}) == len(kinds) - 1  # the root and Internal share theirs
    assert all(1 <= kind.exit_code <= 4 for kind in kinds)
    assert all(kind.__name__ in (problems.__doc__ or "") for kind in kinds)


class Named(Struct, forbid_unknown_fields=True, tag="n"):
    """A struct with a text."""

    text: str


BROKEN = {
    "nothing": b"",
    "not MessagePack": b"\xc1",
    "more than one object": msgpack.encode(Named("a")) + b"\x01",
    "broken UTF-8": b"\x82\xa4type\xa1n\xa4text\xa1\xff",
    "a list that claims to be huge": b"\xdd\xff\xff\xff\xff",
    "nesting without end before the tag": b"\x82\xa4text" + b"\x91" * 100_000 + b"\x01\xa4type\xa1n",
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_broken_bytes_are_one_kind_of_problem(data: bytes) -> None:
    decoder: msgpack.Decoder[Named | int] = msgpack.Decoder(Named | int)
    with pytest.raises(CodeMalformed, match="a form nobody knows"):
        unpack(decoder, data, "a form nobody knows")
    assert unpack(decoder, msgpack.encode(Named("a")), "") == Named("a")
