"""Counting attempts per source."""

from __future__ import annotations

from server.domain.tries import TryCounter


def test_so_many_tries_a_minute_are_free_and_the_next_must_wait() -> None:
    tries = TryCounter(3)
    assert [tries.take("a", at) for at in (0.0, 10.0, 20.0)] == [None, None, None]
    assert tries.take("a", 30.0) == 30.0
    assert tries.take("a", 59.0) == 1.0
    assert tries.take("a", 60.0) is None


def test_refused_try_does_not_count() -> None:
    tries = TryCounter(1)
    tries.take("a", 0.0)
    for at in range(1, 60):
        assert tries.take("a", float(at)) is not None
    assert tries.take("a", 60.0) is None


def test_sources_count_apart() -> None:
    tries = TryCounter(1)
    assert tries.take("a", 0.0) is None
    assert tries.take("b", 0.0) is None
    assert tries.take("a", 1.0) is not None


def test_memory_is_bounded_and_the_quietest_source_is_forgotten() -> None:
    tries = TryCounter(1, sources=2)
    for source in ("a", "b", "c"):
        tries.take(source, 0.0)
    assert tries.take("b", 1.0) is not None
    assert tries.take("c", 1.0) is not None
    assert tries.take("a", 1.0) is None
