"""Hybrid logical clock: 48 bits of milliseconds, 16 of counter, as one integer that sorts by happened-before.

Kulkarni, Demirbas, Madappa, Avva, Leone: "Logical Physical Clocks" (OPODIS 2014), with a bound on how far ahead a
remote stamp may be.
"""

from __future__ import annotations

from shared.problems import InputUnusable

COUNTER_BITS = 16
MAX_AHEAD_MS = 5 * 60 * 1000


class StampTooFarAhead(InputUnusable):
    """A remote stamp lies so far in the future that adopting it would spoil the order of everything after it."""

    code = "hlc_too_far_ahead"


def physical_ms(stamp: int) -> int:
    """Return the milliseconds since 1970 inside a stamp."""
    return stamp >> COUNTER_BITS


def tick(last: int, now_ms: int) -> int:
    """Return a stamp above ``last`` for a local event; it never runs backwards when the wall clock does."""
    return max(last + 1, now_ms << COUNTER_BITS)


def receive(last: int, remote: int, now_ms: int) -> int:
    """Return a stamp above both for the receipt of a message.

    Raises:
        StampTooFarAhead: the remote stamp is more than five minutes ahead of ``now_ms``.
    """
    if physical_ms(remote) - now_ms > MAX_AHEAD_MS:
        raise StampTooFarAhead("A message comes from more than five minutes in the future: check the clocks.")
    return max(last + 1, remote + 1, now_ms << COUNTER_BITS)
