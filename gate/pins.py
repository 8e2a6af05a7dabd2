"""A supervisor's PIN at the gate: checked without a network, and only so many times."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from msgspec import Struct

from gate.ports import Tries
from gate.staff import SignIn
from shared.clock import Clock, unix_ms
from shared.codes.bundle import SupervisorEntry

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
FREE_TRIES = 5
"""Wrong PINs in a row that cost nothing but the typing."""

FIRST_LOCK_MS = 60_000
LONGEST_LOCK_MS = 3_600_000
GATE_NAME = "gate"
GATE_TRIES = 15
"""Wrong PINs at this gate in a row, whoever's they are: nobody may try one PIN with every name."""


class TriesBook(Protocol):
    """Where wrong PINs are counted so that neither a restart nor a power cut forgets them."""

    async def read_tries(self, name: str) -> Tries:
        """Return the wrong PINs counted under a name."""
        ...

    async def keep_tries(self, name: str, tries: Tries) -> None:
        """Count wrong PINs under a name, durably."""
        ...


def count_wrong(tries: Tries, free: int, now_ms: int) -> Tries:
    """Return the count after one more wrong PIN: from the last free one on, each doubles the wait, up to an hour."""
    failed = tries.failed + 1
    lock_ms = _lock_ms(failed, free)
    return Tries(failed=failed, locked_until_ms=now_ms + lock_ms if lock_ms else 0)


def wait_ms(tries: Tries, free: int, now_ms: int) -> int:
    """Return how long no PIN is looked at; never longer than it was locked for, however the clock was set since."""
    return max(0, min(_lock_ms(tries.failed, free), tries.locked_until_ms - now_ms))


def _lock_ms(failed: int, free: int) -> int:
    return 0 if failed < free else min(LONGEST_LOCK_MS, FIRST_LOCK_MS << min(failed - free, 10))


class _Lock(Struct, frozen=True, kw_only=True):
    until_ms: int
    over_s: float


class PinDesk:
    """Checks one PIN at a time. A try is counted before it is checked: pulling the plug in between saves nothing.

    While it runs, locks are over by the counter that nobody can set, whatever happens to the wall clock.
    """

    def __init__(self, book: TriesBook, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._locks: dict[str, _Lock] = {}

    async def check(self, who: SupervisorEntry, pin: str) -> SignIn:
        """Say whether a PIN is right.

        Raises:
            TicketTokenError: the try cannot be counted, so it is not made.
        """
        async with self._one_at_a_time:
            now_ms = unix_ms(self._clock.now())
            own, all_here = await self._book.read_tries(str(who.id)), await self._book.read_tries(GATE_NAME)
            waiting = self._wait_ms(str(who.id), own, FREE_TRIES), self._wait_ms(GATE_NAME, all_here, GATE_TRIES)
            if any(waiting):
                return SignIn(accepted=False, looked_at=False, wait_s=-(-max(waiting) // 1000))
            counted = count_wrong(own, FREE_TRIES, now_ms)
            counted_here = count_wrong(all_here, GATE_TRIES, now_ms)
            await self._book.keep_tries(GATE_NAME, counted_here)
            await self._book.keep_tries(str(who.id), counted)
            if not await asyncio.to_thread(_fits, who, pin):
                waiting = (
                    self._wait_ms(str(who.id), counted, FREE_TRIES),
                    self._wait_ms(GATE_NAME, counted_here, GATE_TRIES),
                )
                left = min(FREE_TRIES - counted.failed, GATE_TRIES - counted_here.failed)
                return SignIn(accepted=False, wait_s=-(-max(waiting) // 1000), tries_left=max(0, left))
            await self._book.keep_tries(str(who.id), Tries())
            await self._book.keep_tries(GATE_NAME, Tries())
            return SignIn(accepted=True)

    def _wait_ms(self, name: str, tries: Tries, free: int) -> int:
        """Return how long a name is locked, starting the counter where this program has not heard of the lock before."""
        second, lock = self._clock.monotonic(), self._locks.get(name)
        if lock is None or lock.until_ms != tries.locked_until_ms:
            left_ms = wait_ms(tries, free, unix_ms(self._clock.now()))
            lock = self._locks[name] = _Lock(until_ms=tries.locked_until_ms, over_s=second + left_ms / 1000)
        return max(0, round((lock.over_s - second) * 1000))


def _fits(who: SupervisorEntry, pin: str) -> bool:
    try:
        return PasswordHasher().verify(who.verifier, pin)
    except InvalidHashError:
        _log.error("pin.verifier_unusable", supervisor=str(who.id))
        return False
    except VerificationError:
        return False
