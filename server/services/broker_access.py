"""Giving a gate an account at the broker: the wish is written down, the password travels sealed, the broker follows later."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct

from server.services.ports import Unit
from server.services.rows_gates import GateRow
from shared.ids import GateId, RandomBytes
from shared.settings import Secret
from shared.sync.access import BrokerAccess, seal_access
from shared.sync.broker import name_account

_PASSWORD_BYTES = 24
_SALT_BYTES = 4


class BrokerOffer(Struct, frozen=True, kw_only=True):
    """How gates reach the broker: its address without an account, and the certificates (PEM) that vouch for it, if its own."""

    address: str
    authority: str | None = None


async def offer_account(tx: Unit, offer: BrokerOffer, gate: GateRow, random_bytes: RandomBytes) -> bytes:
    """Have the broker know this gate, by a new password, and return how to get there, sealed to the gate."""
    password = await change_password(tx, gate.id, random_bytes)
    await tx.broker.want_stream(gate.event)
    access = BrokerAccess(
        address=offer.address,
        account=name_account(gate.id),
        password=Secret(password),
        authority=offer.authority,
    )
    return seal_access(access, gate.id, X25519PublicKey.from_public_bytes(gate.seal_public))


async def change_password(tx: Unit, gate: GateId, random_bytes: RandomBytes) -> str:
    """Have the broker know a gate by a new password, which is returned; whoever is connected by the old one is cut off soon."""
    password = base64.urlsafe_b64encode(random_bytes(_PASSWORD_BYTES)).rstrip(b"=").decode()
    await tx.broker.want_account(gate, hash_password(password, random_bytes(_SALT_BYTES)))
    return password


def hash_password(password: str, salt: bytes) -> str:
    """Return a password as RabbitMQ keeps it: Base64 of a salt of four bytes and SHA-256 over salt and password.

    Source: https://www.rabbitmq.com/docs/passwords. A single round is enough, since the password is 192 random bits.
    """
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
