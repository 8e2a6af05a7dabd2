"""A second reader of codes that takes everything from docs/reference/codes.md and shares no line with the one it checks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

CHARS45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
CHARS32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LIKE = str.maketrans("OIL", "011", "-")


class Epoch(NamedTuple):
    """What the page says a reader holds for one epoch."""

    event: UUID
    number: int
    start: datetime
    end: datetime
    slot_s: int
    envelope_key: bytes
    issuer: bytes
    until: datetime | None = None


class Answer(NamedTuple):
    """The word ok or a reason; seconds off where known; and the opened claims of a genuine code."""

    reason: str
    skew_s: int | None = None
    handle: bytes | None = None


def hkdf(key: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869 with SHA-256 and no salt."""
    pseudorandom = hmac.digest(bytes(32), key, "sha256")
    block, out, number = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(pseudorandom, block + info + bytes([number]), "sha256")
        out, number = out + block, number + 1
    return out[:size]


def from_base45(text: str) -> bytes | None:
    """RFC 9285, None for anything that is not Base45."""
    if any(char not in CHARS45 for char in text) or len(text) % 3 == 1:
        return None
    out = b""
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        number = sum(CHARS45.index(char) * 45**place for place, char in enumerate(group))
        size = len(group) - 1
        if number >= 256**size:
            return None
        out += number.to_bytes(size, "big")
    return out


def from_base32(text: str) -> bytes | None:
    """Crockford's Base32 by bits, None for anything else."""
    plain = text.upper().translate(LIKE)
    if not text.isascii() or any(char not in CHARS32 for char in plain):
        return None
    bits = "".join(f"{CHARS32.index(char):05b}" for char in plain)
    whole = len(bits) // 8 * 8
    if len(bits) - whole >= 5 or "1" in bits[whole:]:
        return None
    return bytes(int(bits[at : at + 8], 2) for at in range(0, whole, 8))


def to_bytes(text: str) -> bytes | None:
    """Read a text as the page says."""
    text = text.strip("\t\r\n")
    if len(text) > 1024:
        return None
    plain = from_base45(text)
    for data in (plain, from_base32(text)):
        if data is not None and len(data) in (128, 146):
            return data
    return plain


def chain_down(context: bytes, value: bytes, start: int, stop: int) -> bytes:
    """Walk the chain."""
    for index in range(start, stop, -1):
        value = hashlib.sha256(context + index.to_bytes(2, "big") + value).digest()[:16]
    return value


def chain_context(event: UUID, header: bytes, handle: bytes) -> bytes:
    """Return what ties a chain to its ticket."""
    return hashlib.sha256(b"ttchain1" + event.bytes + header + handle).digest()[:16]


def slots_of(epoch: Epoch) -> int:
    """Return N."""
    seconds = (epoch.end - epoch.start).total_seconds()
    return int(-(-seconds // epoch.slot_s))


def open_envelope(capsule: bytes, epoch: Epoch) -> bytes | None:
    """Return claims and anchor, or None."""
    bound = b"ttcap1" + epoch.event.bytes + capsule[:4]
    try:
        sealed = AESSIV(epoch.envelope_key).decrypt(capsule[4:], [bound])
        Ed25519PublicKey.from_public_bytes(epoch.issuer).verify(sealed[44:], bound + sealed[:44])
    except (InvalidTag, InvalidSignature):
        return None
    return sealed[:44]


def read_code(text: str, now: datetime, epochs: Sequence[Epoch]) -> Answer:
    """Take the steps of the page in their order."""
    data = to_bytes(text)
    if data is None or len(data) < 128:
        return Answer("code_unreadable")
    if data[0] not in (0x10, 0x11) or len(data) not in (128, 146):
        return Answer("code_unreadable" if data[0] in (0x10, 0x11) else "code_version")
    hinted = [epoch for epoch in epochs if hashlib.sha256(epoch.event.bytes).digest()[0] == data[1]]
    if not hinted:
        return Answer("wrong_event")
    fitting = [epoch for epoch in hinted if epoch.number == int.from_bytes(data[2:4], "big")]
    if not fitting:
        return Answer("epoch_unknown")
    for epoch in fitting:
        opened = open_envelope(data[:128], epoch)
        if opened is not None:
            return judge(data, opened, epoch, now)
    return Answer("code_forged")


def judge(data: bytes, opened: bytes, epoch: Epoch, now: datetime) -> Answer:
    """Take the steps after the envelope."""
    handle, demands, reserved = opened[:16], opened[26], opened[27]
    over = epoch.until is not None and now >= epoch.until
    if demands > 7 or reserved or over:
        return Answer("code_version" if demands > 7 or reserved else "epoch_unknown")
    static = data[0] == 0x11
    if len(data) == 128:
        return Answer("ok" if static and demands & 1 else "static_code_refused", None, handle)
    index = int.from_bytes(data[128:130], "big")
    if static or not 1 <= index <= slots_of(epoch):
        return Answer("code_forged")
    context = chain_context(epoch.event, data[:4], handle)
    if not hmac.compare_digest(chain_down(context, data[130:], index, 0), opened[28:44]):
        return Answer("code_forged")
    off = index - 1 - int((now - epoch.start).total_seconds() // epoch.slot_s)
    if -2 <= off <= 1:
        return Answer("ok", off * epoch.slot_s, handle)
    return Answer("code_stale" if off < 0 else "code_future", off * epoch.slot_s, handle)
