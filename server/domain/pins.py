"""Supervisors' PINs: six digits or more, and none of those that everybody tries first."""

from __future__ import annotations

from itertools import pairwise

from shared.ids import RandomBytes

SHORTEST = 6
LONGEST = 12
_FEWEST_DISTINCT = 3
_COMMON = frozenset(
    {
        "112233",
        "123321",
        "159753",
        "147258",
        "789456",
        "456789",
        "741852",
        "852456",
        "102030",
        "142536",
        "123654",
        "321654",
    }
)


def find_fault(pin: str) -> str | None:
    """Return why a PIN cannot be used, as a sentence; None if it can."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        return f"A PIN has {SHORTEST} to {LONGEST} digits."
    if is_guessable(pin):
        return "This PIN is among those that everybody tries first: choose one without a pattern."
    return None


def is_guessable(pin: str) -> bool:
    """Say whether digits follow a plain pattern: few of them, even steps, a part repeated, a year, or a common one."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    repeated = pin in (pin + pin)[1:-1]
    looks_like_date = len(pin) == 8 and (pin[:2] in {"19", "20"} or pin[4:6] in {"19", "20"})
    return len(set(pin)) < _FEWEST_DISTINCT or len(steps) == 1 or repeated or looks_like_date or pin in _COMMON


def make_pin(random_bytes: RandomBytes) -> str:
    """Return a PIN of six random digits, each PIN that may be used as likely as any other."""
    bound = 10**SHORTEST
    while True:
        number = int.from_bytes(random_bytes(3))
        # What lies beyond a whole number of rounds is thrown away: it would make small PINs likelier.
        if number < 2**24 - 2**24 % bound and not is_guessable(pin := f"{number % bound:0{SHORTEST}d}"):
            return pin
