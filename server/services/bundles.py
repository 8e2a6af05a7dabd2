"""Key bundles: which epochs a gate gets, what the bundle is called, and sealing it to that one gate.

A bundle's version joins three numbers that only grow: the event's own, raised by policy, revocation and rotation; the
config key the gate is known to believe; and the last epoch inside, raised by time:
version = (bundle_version + config - 1) * 65536 + last epoch. So it grows whenever the content does, without a write.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct

from server.services.context import HORIZON, Context
from server.services.epochs import PAPER_EPOCH
from server.services.keys import epoch_at, public_half
from server.services.ports import Unit
from server.services.rows import EventRow
from server.services.rows_gates import GateRow
from shared.codes.bundle import MOST_SUPERVISORS, KeyBundle, SealedBundle, SupervisorEntry, seal_bundle
from shared.codes.reader import EpochKey

__all__ = ["HORIZON", "MadeBundle", "due_version", "knows_successor", "make_bundle"]

_EPOCH_BITS = 16
_MOST_KEYS = 1000


class MadeBundle(Struct, frozen=True, kw_only=True):
    """A bundle ready to send, and its version."""

    version: int
    sealed: SealedBundle


def due_version(event: EventRow, now: datetime, *, config: int = 1, horizon: timedelta = HORIZON) -> int:
    """Return the version a gate of this event that believes config key ``config`` should have at this moment."""
    return (event.bundle_version + config - 1) << _EPOCH_BITS | epoch_at(event, now + horizon)


def knows_successor(gate: GateRow, event: EventRow, reported_version: int) -> bool:
    """Return whether a gate that has a bundle of this version was told in it of the next config key."""
    announced_from = event.config_since + gate.config - 1
    return gate.config < event.config and reported_version >> _EPOCH_BITS >= announced_from


async def make_bundle(tx: Unit, context: Context, gate: GateRow, event: EventRow, now: datetime) -> MadeBundle:
    """Return the keys from the epoch before now's to the horizon with the policy, sealed to one gate.

    It is signed with the config key the gate is known to believe, and names the next one where there is one.

    Raises:
        KeyRetired: the gate believes a key that was erased.
        SettingsInvalid, DataDamaged: the key ring does not open the stored keys.
    """
    version = due_version(event, now, config=gate.config, horizon=context.horizon)
    bundle = KeyBundle(
        event=event.id,
        event_name=event.name,
        version=version,
        made=now,
        epochs=await find_reading_keys(tx, context, event, now),
        policy=event.policy,
        next_config_key=await _find_successor(tx, context, gate, event),
        supervisors=await _find_supervisors(tx, gate),
    )
    config_key = await context.vault.config_key(tx, gate.config)
    seal_to = X25519PublicKey.from_public_bytes(gate.seal_public)
    sealed = await asyncio.to_thread(seal_bundle, bundle, gate.id, seal_to, config_key)
    await tx.gates.set_bundle_version(gate.id, version)
    return MadeBundle(version=version, sealed=sealed)


async def find_reading_keys(tx: Unit, context: Context, event: EventRow, now: datetime) -> list[EpochKey]:
    """Return all keys with which an event's codes are read from now to the horizon: present ones, then replaced ones."""
    first, last = epoch_at(event, now) - 1, epoch_at(event, now + context.horizon)
    epochs = await context.vault.epochs(tx, event, first, last)
    if event.policy.static_codes and first > PAPER_EPOCH:
        epochs = [*await context.vault.epochs(tx, event, PAPER_EPOCH, PAPER_EPOCH), *epochs]
    replaced = await context.vault.replaced(tx, event, {one.epoch for one in epochs})
    # The latest replaced come first: should there ever be too many, the oldest are the ones to miss.
    return [*(one.for_reading() for one in epochs), *replaced][:_MOST_KEYS]


async def _find_supervisors(tx: Unit, gate: GateRow) -> tuple[SupervisorEntry, ...]:
    """Return who may decide at this gate; a gate learns of nobody else."""
    known = await tx.supervisors.of_event(gate.event, MOST_SUPERVISORS)
    here = [one for one in known if not one.gates or gate.id in one.gates]
    return tuple(SupervisorEntry(id=one.id, label=one.name, verifier=one.verifier) for one in here)


async def _find_successor(tx: Unit, context: Context, gate: GateRow, event: EventRow) -> bytes | None:
    if gate.config >= event.config:
        return None
    return public_half(await context.vault.config_key(tx, gate.config + 1))
