"""Key bundles: which epochs a gate gets, what the bundle is called, and sealing it to that one gate.

A bundle's version joins the event's own number, raised by policy and revocation, with the last epoch inside, raised by
time: version = bundle_version * 65536 + last epoch. So it grows whenever the content does, without a write.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct

from server.services.keys import KeyVault, epoch_at
from server.services.ports import Unit
from server.services.rows import EventRow
from server.services.rows_gates import GateRow
from shared.codes.bundle import KeyBundle, SealedBundle, seal_bundle

HORIZON = timedelta(hours=72)
_EPOCH_BITS = 16


class MadeBundle(Struct, frozen=True, kw_only=True):
    """A bundle ready to send, and its version."""

    version: int
    sealed: SealedBundle


def due_version(event: EventRow, now: datetime) -> int:
    """Return the version a gate of this event should have at this moment."""
    return event.bundle_version << _EPOCH_BITS | epoch_at(event, now + HORIZON)


async def make_bundle(tx: Unit, vault: KeyVault, gate: GateRow, event: EventRow, now: datetime) -> MadeBundle:
    """Return the keys from the epoch before now's to 72 hours ahead with the policy, sealed to one gate.

    Raises:
        SettingsInvalid, DataDamaged: the key ring does not open the stored keys.
    """
    epochs = await vault.epochs(tx, event, epoch_at(event, now) - 1, epoch_at(event, now + HORIZON))
    version = due_version(event, now)
    bundle = KeyBundle(
        event=event.id,
        event_name=event.name,
        version=version,
        made=now,
        epochs=[epoch.for_reading() for epoch in epochs],
        policy=event.policy,
    )
    config_key = await vault.config_key(tx)
    seal_to = X25519PublicKey.from_public_bytes(gate.seal_public)
    sealed = await asyncio.to_thread(seal_bundle, bundle, gate.id, seal_to, config_key)
    await tx.gates.set_bundle_version(gate.id, version)
    return MadeBundle(version=version, sealed=sealed)
