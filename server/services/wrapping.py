"""Stored secrets: made, wrapped, opened and wrapped anew; each is tied to what it is and whose by its label."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from server.services.epochs import EpochSecrets, epoch_start
from server.services.rows import EpochRow, EventRow, KeyKind, ReplacedEpochRow, TenantKeyRow
from shared.codes.keys import KEY_SIZE, KeyRing
from shared.codes.reader import EpochKey
from shared.ids import EventId, RandomBytes, TenantId

_ENVELOPE_SIZE = 32
_ENVELOPE = b"envelope"
_ISSUER = b"issuer"


class Wrapping:
    """What a key ring does with rows.

    All that opens raises SettingsInvalid when the ring lacks the key, DataDamaged when the stored bytes do not open.
    """

    def __init__(self, ring: KeyRing, random_bytes: RandomBytes) -> None:
        self.ring = ring
        self._random_bytes = random_bytes

    def make_key(self, tenant: TenantId, kind: KeyKind, number: int) -> TenantKeyRow:
        """Return a new tenant key."""
        secret = self._random_bytes(KEY_SIZE)
        public = None if kind is KeyKind.MASTER else public_half(Ed25519PrivateKey.from_private_bytes(secret))
        wrapped = self.ring.wrap(_key_label(tenant, kind, number), secret)
        return TenantKeyRow(id=number, kind=kind, wrapped=wrapped, public=public)

    def open_key(self, tenant: TenantId, row: TenantKeyRow) -> bytes:
        """Return a tenant key's secret."""
        return self.ring.unwrap(_key_label(tenant, row.kind, row.id), row.wrapped)

    def rewrap_key(self, tenant: TenantId, row: TenantKeyRow) -> TenantKeyRow:
        """Return the row under the ring's current key."""
        label = _key_label(tenant, row.kind, row.id)
        return replace(row, wrapped=self._rewrap(label, row.wrapped))

    def make_epoch(self, event: EventRow, epoch: int) -> EpochRow:
        """Return new keys for an epoch of an event."""
        blank = EpochRow(
            event=event.id,
            epoch=epoch,
            starts=epoch_start(event, epoch),
            ends=epoch_start(event, epoch + 1),
            slot_s=event.slot_s,
            envelope_wrapped=b"",
            issuer_wrapped=b"",
            issuer_public=b"",
        )
        return self.renew_epoch(event.tenant, blank)

    def renew_epoch(self, tenant: TenantId, row: EpochRow) -> EpochRow:
        """Return the same epoch with other keys; its times stay, and with them every chain."""
        issuer = self._random_bytes(KEY_SIZE)
        envelope = self._random_bytes(_ENVELOPE_SIZE)
        return replace(
            row,
            envelope_wrapped=self.ring.wrap(_epoch_label(tenant, row.event, row.epoch, _ENVELOPE), envelope),
            issuer_wrapped=self.ring.wrap(_epoch_label(tenant, row.event, row.epoch, _ISSUER), issuer),
            issuer_public=public_half(Ed25519PrivateKey.from_private_bytes(issuer)),
        )

    def open_epoch(self, tenant: TenantId, row: EpochRow) -> EpochSecrets:
        """Return an epoch's secrets."""
        issuer = self.ring.unwrap(_epoch_label(tenant, row.event, row.epoch, _ISSUER), row.issuer_wrapped)
        envelope = self.ring.unwrap(_epoch_label(tenant, row.event, row.epoch, _ENVELOPE), row.envelope_wrapped)
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

    def open_replaced(self, tenant: TenantId, row: ReplacedEpochRow) -> EpochKey:
        """Return what is left of a replaced key: enough to read the codes it made."""
        label = _epoch_label(tenant, row.event, row.epoch, _ENVELOPE)
        return EpochKey(
            event=row.event,
            epoch=row.epoch,
            starts=row.starts,
            ends=row.ends,
            slot_s=row.slot_s,
            envelope_key=self.ring.unwrap(label, row.envelope_wrapped),
            issuer=row.issuer_public,
            until=row.accepted_until,
        )

    def rewrap_epoch(self, tenant: TenantId, row: EpochRow) -> EpochRow:
        """Return the row under the ring's current key."""
        envelope = _epoch_label(tenant, row.event, row.epoch, _ENVELOPE)
        issuer = _epoch_label(tenant, row.event, row.epoch, _ISSUER)
        return replace(
            row,
            envelope_wrapped=self._rewrap(envelope, row.envelope_wrapped),
            issuer_wrapped=self._rewrap(issuer, row.issuer_wrapped),
        )

    def rewrap_replaced(self, tenant: TenantId, row: ReplacedEpochRow) -> ReplacedEpochRow:
        """Return the row under the ring's current key."""
        label = _epoch_label(tenant, row.event, row.epoch, _ENVELOPE)
        return replace(row, envelope_wrapped=self._rewrap(label, row.envelope_wrapped))

    def _rewrap(self, label: bytes, wrapped: bytes) -> bytes:
        return self.ring.wrap(label, self.ring.unwrap(label, wrapped))


def public_half(key: Ed25519PrivateKey) -> bytes:
    """Return the raw 32 bytes of a key's public half."""
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _key_label(tenant: TenantId, kind: KeyKind, number: int) -> bytes:
    return b"|".join((b"ttkey1", kind.encode(), tenant.bytes, number.to_bytes(4, "big")))


def _epoch_label(tenant: TenantId, event: EventId, epoch: int, part: bytes) -> bytes:
    return b"|".join((b"ttepoch1", part, tenant.bytes, event.bytes, epoch.to_bytes(2, "big")))
