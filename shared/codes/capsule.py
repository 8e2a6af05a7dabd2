"""The capsule: one signed, encrypted statement per ticket, generation and epoch, 128 bytes, opaque to the phone.

    header  4   version/profile u8 | event hint u8 | epoch u16                  clear, authenticated
    siv    16   synthetic IV of AES-SIV (RFC 5297) under the epoch's envelope key
    body  108   claims 28 | anchor 16 | Ed25519 signature 64                    encrypted

Associated data of the envelope and prefix of the signed message: "ttcap1" | event id (16). All numbers are big-endian.
"""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum, IntFlag
from uuid import UUID

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import Struct

from shared.problems import CodeMalformed, Internal, TooNew
from shared.secrecy import Reticent

VERSION = 1
SIZE = 128
WINDOW_STEP_S = 600
_LABEL = b"ttcap1"
_HEADER = struct.Struct(">BBH")
_CLAIMS = struct.Struct(">16sHHHHBBBB")
_ANCHOR_SIZE = 16
_HANDLE_SIZE = 16


class Profile(IntEnum):
    """How a code proves that it is live."""

    LIVE = 0
    STATIC = 1


class CodePolicy(IntFlag):
    """What the issuer allows or demands for this ticket; signed, so that nothing can be downgraded."""

    STATIC_ALLOWED = 1
    ID_CHECK = 2
    ONLINE_ONLY = 4


# A plain number: the complement of a flag names known bits only.
_KNOWN_POLICY = int(CodePolicy.STATIC_ALLOWED | CodePolicy.ID_CHECK | CodePolicy.ONLINE_ONLY)


class CapsuleTooNew(TooNew):
    """A genuine capsule makes a statement that this version does not understand."""

    code = "capsule_too_new"


class Header(Struct, frozen=True, kw_only=True):
    """The clear part: which keys open the rest. ``hint`` is the first byte of SHA-256(event id)."""

    version: int
    profile: int
    hint: int
    epoch: int


class Claims(Reticent, frozen=True, kw_only=True):
    """What the issuer says of one ticket.

    ``handle`` is 16 bytes; ``not_before`` and ``not_after`` count ten-minute steps from the epoch's start;
    ``zones`` is a bit mask; ``entries`` is the number of entries allowed, 0 meaning that the event's policy decides.
    ``generation`` is the low byte of the ticket's generation, for people and logs. No rule compares it: it wraps, so "lower
    is older" would one day let a dead code in. Generations are told apart by their handles, of which each has its own.
    """

    handle: bytes
    product: int
    not_before: int
    not_after: int
    zones: int
    generation: int
    entries: int
    policy: int


class Capsule(Struct, frozen=True, kw_only=True):
    """An opened and verified capsule; ``anchor`` is the chain's end x_0, 16 bytes."""

    header: Header
    claims: Claims
    anchor: bytes


def event_hint(event: UUID) -> int:
    """Return the byte by which a gate tells whether a code may belong to one of its events."""
    return hashlib.sha256(event.bytes).digest()[0]


def pack_header(header: Header) -> bytes:
    """Return the 4 clear bytes.

    Raises:
        Internal: a field does not fit its place.
    """
    if not (0 <= header.version <= 0xF and 0 <= header.profile <= 0xF):
        raise Internal("A capsule's version and profile are four bits each.")
    try:
        return _HEADER.pack(header.version << 4 | header.profile, header.hint, header.epoch)
    except struct.error as exc:
        raise Internal("A capsule's header has a number that does not fit.") from exc


def read_header(capsule: bytes) -> Header:
    """Return the clear part of a capsule.

    Raises:
        CodeMalformed: fewer than 4 bytes.
    """
    if len(capsule) < _HEADER.size:
        raise CodeMalformed("A capsule is at least 4 bytes long.")
    first, hint, epoch = _HEADER.unpack_from(capsule)
    return Header(version=first >> 4, profile=first & 0xF, hint=hint, epoch=epoch)


def seal(capsule: Capsule, event: UUID, envelope_key: bytes, issuer: Ed25519PrivateKey) -> bytes:
    """Sign and encrypt a capsule; ``envelope_key`` is 32 bytes (AES-128-SIV).

    Raises:
        Internal: a field does not fit its place.
    """
    if len(capsule.anchor) != _ANCHOR_SIZE or len(capsule.claims.handle) != _HANDLE_SIZE:
        raise Internal("A capsule's anchor and handle are 16 bytes each.")
    header = pack_header(capsule.header)
    stated = _pack_claims(capsule.claims) + capsule.anchor
    signature = issuer.sign(_LABEL + event.bytes + header + stated)
    return header + AESSIV(envelope_key).encrypt(stated + signature, [_LABEL + event.bytes + header])


def open_capsule(data: bytes, event: UUID, envelope_key: bytes, issuer: Ed25519PublicKey) -> Capsule | None:
    """Decrypt and verify 128 bytes; None when they were not made with these keys for this event.

    Raises:
        CapsuleTooNew: genuine, but it says something that this version has no name for.
    """
    if len(data) != SIZE:
        return None
    header = data[: _HEADER.size]
    try:
        body = AESSIV(envelope_key).decrypt(data[_HEADER.size :], [_LABEL + event.bytes + header])
        stated, signature = body[:-64], body[-64:]
        issuer.verify(signature, _LABEL + event.bytes + header + stated)
    except (InvalidTag, InvalidSignature):
        return None
    claims = _unpack_claims(stated[: _CLAIMS.size])
    return Capsule(header=read_header(header), claims=claims, anchor=stated[_CLAIMS.size :])


def _pack_claims(claims: Claims) -> bytes:
    numbers = (claims.product, claims.not_before, claims.not_after, claims.zones)
    try:
        return _CLAIMS.pack(claims.handle, *numbers, claims.generation, claims.entries, claims.policy, 0)
    except struct.error as exc:
        raise Internal("A capsule's claims have a number that does not fit.") from exc


def _unpack_claims(data: bytes) -> Claims:
    handle, product, not_before, not_after, zones, generation, entries, policy, reserved = _CLAIMS.unpack(data)
    # Unknown bits may be demands ("only together with ..."): to overlook one would be a downgrade.
    if reserved or policy & ~_KNOWN_POLICY:
        raise CapsuleTooNew("This code needs a newer gate: update it.")
    return Claims(
        handle=handle,
        product=product,
        not_before=not_before,
        not_after=not_after,
        zones=zones,
        generation=generation,
        entries=entries,
        policy=policy,
    )
