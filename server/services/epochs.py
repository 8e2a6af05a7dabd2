"""Key epochs of an event: their numbers and times, and the secrets of one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.services.rows import EventRow
from shared.codes.reader import EpochKey
from shared.ids import EventId
from shared.secrecy import Reticent

LAST_EPOCH = 0xFFFF
PAPER_EPOCH = 0
"""The epoch whose keys make codes on paper: always the same, so that an event put off to another day takes what was printed."""


class EpochSecrets(Reticent, frozen=True, kw_only=True):
    """The unwrapped keys of one epoch; with these, codes can be made."""

    event: EventId
    epoch: int
    starts: datetime
    ends: datetime
    slot_s: int
    envelope_key: bytes
    issuer: Ed25519PrivateKey
    issuer_public: bytes

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep the keys out of logs."""
        return [("event", self.event), ("epoch", self.epoch)]

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


def next_epoch(event: EventRow, now: datetime) -> int:
    """Return the number of the first epoch that has not begun."""
    return 0 if now < event.epoch_zero else epoch_at(event, now) + 1
