"""Wallets that the service keeps for holders: derived from one seed, so that there is nothing to store."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from shared.settings import Secret

_LABEL = b"ttwallet1"
_ORGANISER = b"organiser"


class Wallets:
    """Addresses by tenant and user. Without the seed nobody can tell whose an address is, nor that two are one person's."""

    def __init__(self, seed: Secret) -> None:
        self._seed = seed.value.encode()

    def address(self, tenant: UUID, user: UUID | None) -> Pubkey:
        """Return a user's wallet with a tenant; the organiser's own for nobody."""
        return self.keypair(tenant, user).pubkey()

    def keypair(self, tenant: UUID, user: UUID | None) -> Keypair:
        """Return the key of a wallet (HMAC-SHA-256 of label, tenant and user under the seed)."""
        who = _ORGANISER if user is None else user.bytes
        return Keypair.from_seed(hmac.new(self._seed, _LABEL + tenant.bytes + who, hashlib.sha256).digest())
