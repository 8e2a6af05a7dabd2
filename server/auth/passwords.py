"""What is kept of passwords: Argon2id (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes).

Each check takes 64 MiB for some tenths of a second: only a few are made at once, in threads, and the others wait.
"""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.profiles import RFC_9106_LOW_MEMORY

_AT_ONCE = 2
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c2FsdG9mbm9ib2R5MTIzNA$"  # fits no password, and takes as long as one that is somebody's
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


class ArgonPasswords:
    """Implements ``server.services.ports_staff.Passwords``."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the verifier of a password with a salt of its own, as a PHC string."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, verifier: str | None, password: str) -> bool:
        """Say whether a password fits; with None it never does, and takes as long."""
        async with self._turn:
            return await asyncio.to_thread(self._fits, verifier or _NOBODY, password)

    def _fits(self, verifier: str, password: str) -> bool:
        try:
            return self._hasher.verify(verifier, password)
        except (Argon2Error, InvalidHashError):
            return False
