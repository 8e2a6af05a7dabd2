"""The key vault: a tenant's and an event's secrets, made on first use, stored wrapped, held in memory unwrapped."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from server.services.ports import Unit
from server.services.rows import EpochRow, EventRow, KeyKind, TenantKeyRow
from shared.clock import Clock
from shared.codes.keys import KEY_SIZE, KeyRing
from shared.codes.reader import EpochKey
from shared.ids import EventId, RandomBytes, TenantId
from shared.problems import Internal

LAST_EPOCH = 0xFFFF
_FIRST_KEY = 1
_ENVELOPE_SIZE = 32
_CACHED_EPOCHS = 4096


class EpochSecrets(Struct, frozen=True, kw_only=True):
    """The unwrapped keys of one epoch; with these, codes can be made."""

    event: EventId
    epoch: int
    starts: datetime
    ends: datetime
    slot_s: int
    envelope_key: bytes
    issuer: Ed25519PrivateKey
    issuer_public: bytes

    def __repr__(self) -> str:
        """Keep the keys out of logs."""
        return f"EpochSecrets(event={self.event}, epoch={self.epoch})"

    def for_reading(self) -> EpochKey:
        """Return the part that reads and verifies codes and cannot make them."""
        return EpochKey(
            event=self.event,
            epoch=self.epoch,
            starts=self.starts,
            ends=self.ends,
            slot_s=self.slot_s,
            envelope_key=self.envelope_key,
            issuer=self.issuer_public,
        )


def epoch_at(event: EventRow, now: datetime) -> int:
    """Return the number of the epoch a moment lies in, 0 for all time before the first."""
    number = (now - event.epoch_zero) // timedelta(seconds=event.epoch_s)
    return max(0, min(number, LAST_EPOCH))


def epoch_start(event: EventRow, epoch: int) -> datetime:
    """Return when an epoch begins."""
    return event.epoch_zero + timedelta(seconds=event.epoch_s * epoch)


class KeyVault:
    """Hands out secrets. What it keeps in memory is only what a committed transaction has seen."""

    def __init__(self, ring: KeyRing, random_bytes: RandomBytes, clock: Clock) -> None:
        self._ring = ring
        self._random_bytes = random_bytes
        self._clock = clock
        self._masters: dict[TenantId, bytes] = {}
        self._config_keys: dict[TenantId, Ed25519PrivateKey] = {}
        self._epochs: OrderedDict[tuple[EventId, int], EpochSecrets] = OrderedDict()

    async def master(self, tx: Unit) -> bytes:
        """Return the tenant's 32-byte master secret, making it on first use.

        Raises:
            SettingsInvalid, DataDamaged: the key ring does not open what is stored.
        """
        known = self._masters.get(tx.tenant)
        if known is not None:
            return known
        master = await self._stored(tx, KeyKind.MASTER)
        tx.on_commit(lambda: self._masters.__setitem__(tx.tenant, master))
        return master

    async def config_key(self, tx: Unit) -> Ed25519PrivateKey:
        """Return the key the tenant signs its gates' bundles with, making it on first use.

        Raises:
            SettingsInvalid, DataDamaged: the key ring does not open what is stored.
        """
        known = self._config_keys.get(tx.tenant)
        if known is not None:
            return known
        key = Ed25519PrivateKey.from_private_bytes(await self._stored(tx, KeyKind.CONFIG))
        tx.on_commit(lambda: self._config_keys.__setitem__(tx.tenant, key))
        return key

    async def epochs(self, tx: Unit, event: EventRow, first: int, last: int) -> list[EpochSecrets]:
        """Return the keys of the epochs from ``first`` to ``last`` inclusive, making those that are missing.

        Raises:
            SettingsInvalid, DataDamaged: the key ring does not open what is stored.
        """
        wanted = range(max(0, first), min(last, LAST_EPOCH) + 1)
        known = [self._epochs.get((event.id, epoch)) for epoch in wanted]
        found = [one for one in known if one is not None]
        if len(found) == len(wanted):
            return found
        rows = await tx.keys.epochs(event.id, wanted.start, wanted.stop - 1)
        missing = set(wanted) - {row.epoch for row in rows}
        if missing:
            await tx.keys.add_epochs([self._make_epoch(event, epoch) for epoch in sorted(missing)])
            rows = await tx.keys.epochs(event.id, wanted.start, wanted.stop - 1)
        opened = [self._open_epoch(event.tenant, row) for row in rows]
        tx.on_commit(lambda: self._remember(opened))
        return opened

    async def unwrap_all(self, tx: Unit) -> int:
        """Try the ring on the tenant's stored keys and return how many opened; for a check of the installation.

        Raises:
            SettingsInvalid, DataDamaged: one does not open.
        """
        rows = [row for kind in KeyKind if (row := await tx.keys.get(kind)) is not None]
        for row in rows:
            self._ring.unwrap(_key_label(tx.tenant, row.kind, row.id), row.wrapped)
        return len(rows)

    async def _stored(self, tx: Unit, kind: KeyKind) -> bytes:
        row = await tx.keys.get(kind)
        if row is None:
            await tx.keys.add(self._make_key(tx.tenant, kind))
            row = await tx.keys.get(kind)
        if row is None:
            raise Internal("A key that was just stored cannot be found: check the database's grants.")
        return self._ring.unwrap(_key_label(tx.tenant, kind, row.id), row.wrapped)

    def _make_key(self, tenant: TenantId, kind: KeyKind) -> TenantKeyRow:
        secret = self._random_bytes(KEY_SIZE)
        public = None if kind is KeyKind.MASTER else public_half(Ed25519PrivateKey.from_private_bytes(secret))
        wrapped = self._ring.wrap(_key_label(tenant, kind, _FIRST_KEY), secret)
        return TenantKeyRow(id=_FIRST_KEY, kind=kind, wrapped=wrapped, public=public)

    def _make_epoch(self, event: EventRow, epoch: int) -> EpochRow:
        issuer = self._random_bytes(KEY_SIZE)
        return EpochRow(
            event=event.id,
            epoch=epoch,
            starts=epoch_start(event, epoch),
            ends=epoch_start(event, epoch + 1),
            slot_s=event.slot_s,
            envelope_wrapped=self._ring.wrap(
                _epoch_label(event.tenant, event.id, epoch, b"envelope"), self._random_bytes(_ENVELOPE_SIZE)
            ),
            issuer_wrapped=self._ring.wrap(_epoch_label(event.tenant, event.id, epoch, b"issuer"), issuer),
            issuer_public=public_half(Ed25519PrivateKey.from_private_bytes(issuer)),
        )

    def _open_epoch(self, tenant: TenantId, row: EpochRow) -> EpochSecrets:
        issuer = self._ring.unwrap(_epoch_label(tenant, row.event, row.epoch, b"issuer"), row.issuer_wrapped)
        envelope = self._ring.unwrap(_epoch_label(tenant, row.event, row.epoch, b"envelope"), row.envelope_wrapped)
        return EpochSecrets(
            event=row.event,
            epoch=row.epoch,
            starts=row.starts,
            ends=row.ends,
            slot_s=row.slot_s,
            envelope_key=envelope,
            issuer=Ed25519PrivateKey.from_private_bytes(issuer),
            issuer_public=row.issuer_public,
        )

    def _remember(self, opened: list[EpochSecrets]) -> None:
        for one in opened:
            self._epochs[one.event, one.epoch] = one
        while len(self._epochs) > _CACHED_EPOCHS:
            self._epochs.popitem(last=False)


def public_half(key: Ed25519PrivateKey) -> bytes:
    """Return the raw 32 bytes of a key's public half."""
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _key_label(tenant: TenantId, kind: KeyKind, number: int) -> bytes:
    return b"|".join((b"ttkey1", kind.encode(), tenant.bytes, number.to_bytes(4, "big")))


def _epoch_label(tenant: TenantId, event: EventId, epoch: int, part: bytes) -> bytes:
    return b"|".join((b"ttepoch1", part, tenant.bytes, event.bytes, epoch.to_bytes(2, "big")))
