"""What is kept of a PIN: an Argon2id hash (RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes).

Gates check PINs without a network, so the hash is on their disks, sealed. A PIN has a million possibilities: the hash makes
each try cost a tenth of a second and 64 MiB, which turns a stolen hash into a day's work and no more. Whoever loses a gate
should have its supervisors' PINs set anew.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def hash_pin(pin: str) -> str:
    """Return the verifier of a PIN with a salt of its own, as a PHC string; blocks for some tenths of a second."""
    return _HASHER.hash(pin)
