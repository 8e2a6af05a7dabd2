"""Reading a code at the door or on the server: from scanned text to verified claims, or the reason why not."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct

from shared.admission.verdict import Reason
from shared.codes import chain
from shared.codes.capsule import (
    SIZE,
    VERSION,
    Capsule,
    CapsuleTooNew,
    CodePolicy,
    Profile,
    event_hint,
    open_capsule,
    pack_header,
    read_header,
)
from shared.codes.token import Token, read_text, unpack_token
from shared.ids import EventId
from shared.packed import Aware, Bits16, Bytes16, Bytes32
from shared.problems import CodeMalformed
from shared.secrecy import Reticent

SLOTS_BEHIND = 2
SLOTS_AHEAD = 1
_CACHE_SIZE = 4096

SlotSeconds = Annotated[int, Meta(ge=1, le=3600)]
Walk = Callable[[bytes, bytes, int, int], bytes]
"""How a chain is walked: ``chain.walk_down`` or something that counts or times it."""
MakeEnd = Callable[[], bytes]
"""Makes the secret end x_N of a code's chain; only who issues codes can."""


class EpochKey(Reticent, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a verifier holds for one epoch of one event; it can read and verify, not issue.

    An epoch whose key was replaced has several; ``until`` is when the older one's codes stop to count, None meaning never.
    """

    event: EventId
    epoch: Bits16
    starts: Aware
    ends: Aware
    slot_s: SlotSeconds
    envelope_key: Bytes32
    issuer: Bytes32
    until: Aware | None = None

    def __post_init__(self) -> None:
        """Refuse an epoch whose slots a token cannot number (as ValueError, which a decoder reports as its own)."""
        if not 1 <= chain.slot_count(self.starts, self.ends, self.slot_s) <= chain.MAX_SLOTS:
            raise ValueError(f"An epoch has 1 to {chain.MAX_SLOTS} slots: choose longer slots or shorter epochs.")

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep the keys out of logs."""
        return [("event", self.event), ("epoch", self.epoch)]


class Proof(Reticent, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What only somebody who saw the live code can know: slot and chain value."""

    epoch: Bits16
    slot: Bits16
    value: Bytes16


class CodeRead(Struct, frozen=True, kw_only=True):
    """A genuine, fresh code. ``skew_slots`` is the slot shown minus the reader's own, None for a static code.

    ``recomputed`` says that the chain was walked from its secret end, which the reader was given.
    """

    key: EpochKey
    capsule: Capsule
    proof: Proof | None
    skew_slots: int | None
    recomputed: bool = False


class CodeRefused(Struct, frozen=True, kw_only=True):
    """A code that does not count; ``skew_s`` says how far off its clock is where that is known, in slots of ``slot_s``.

    ``capsule`` is set when the code is genuine but stale, future or static, so that the refusal can name the ticket.
    """

    reason: Reason
    skew_s: int | None = None
    slot_s: int | None = None
    capsule: Capsule | None = None
    event: EventId | None = None


class _Candidate(Struct, frozen=True, kw_only=True):
    key: EpochKey
    issuer: Ed25519PublicKey


class _Known(Struct, kw_only=True):
    key: EpochKey
    capsule: Capsule
    slot: int
    value: bytes
    recomputed: bool = False


class CodeOpened(Reticent, frozen=True, kw_only=True):
    """A code whose capsule is genuine and whose time was not looked at yet."""

    key: EpochKey
    capsule: Capsule
    token: Token
    known: _Known

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep the code out of logs."""
        return [("event", self.key.event), ("epoch", self.key.epoch)]


class CodeReader:
    """Verifies codes with the keys it holds and remembers what it verified, so that a second look costs next to nothing."""

    def __init__(self, keys: Iterable[EpochKey], *, walk: Walk = chain.walk_down) -> None:
        self._walk = walk
        self._keys: dict[tuple[int, int], list[_Candidate]] = {}
        self._hints: set[int] = set()
        for key in keys:
            hint = event_hint(key.event)
            self._hints.add(hint)
            self._keys.setdefault((hint, key.epoch), []).append(
                _Candidate(key=key, issuer=Ed25519PublicKey.from_public_bytes(key.issuer))
            )
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def read(self, text: str, now: datetime) -> CodeRead | CodeRefused:
        """Return the verified content of a scanned text, or why it does not count."""
        opened = self.open(text)
        return opened if isinstance(opened, CodeRefused) else self.check(opened, now)

    def open(self, text: str) -> CodeOpened | CodeRefused:
        """Return the genuine capsule of a scanned text, or why there is none; costs one signature, and no walk."""
        try:
            data = read_text(text)
            if len(data) < SIZE:
                return CodeRefused(reason=Reason.CODE_UNREADABLE)  # somebody's other code, too short to have a version
            header = read_header(data)
            if header.version != VERSION or header.profile not in set(Profile):
                return CodeRefused(reason=Reason.CODE_VERSION)
            token = unpack_token(data)
        except CodeMalformed:
            return CodeRefused(reason=Reason.CODE_UNREADABLE)
        known = self._open(token.capsule, header.hint, header.epoch)
        if isinstance(known, CodeRefused):
            return known
        return CodeOpened(key=known.key, capsule=known.capsule, token=token, known=known)

    def check(self, opened: CodeOpened, now: datetime, make_end: MakeEnd | None = None) -> CodeRead | CodeRefused:
        """Return what an opened code says at this moment, or why it does not count.

        The chain is walked from the value to the anchor, or, where the reader can make the chain's end, from there to the
        value: then not even who signed a false anchor gets through.
        """
        known, token = opened.known, opened.token
        if known.key.until is not None and now >= known.key.until:
            # No accusation: the phone may not have fetched its new code yet. No ticket is named: the key may be in strange hands.
            return CodeRefused(reason=Reason.EPOCH_UNKNOWN, event=known.key.event)
        if token.slot is None or token.value is None:
            return self._check_static(known)
        if known.capsule.header.profile != Profile.LIVE:
            return CodeRefused(reason=Reason.CODE_FORGED)
        if not 1 <= token.slot <= _last_slot(known.key):
            return CodeRefused(reason=Reason.CODE_FORGED)  # before any hash: work per bad code stays bounded
        if not self._verify_chain(known, token.slot, token.value, make_end):
            return CodeRefused(reason=Reason.CODE_FORGED)
        return _check_time(known, token.slot, token.value, now)

    def _open(self, data: bytes, hint: int, epoch: int) -> _Known | CodeRefused:
        name = hashlib.sha256(data).digest()
        known = self._known.get(name)
        if known is not None:
            self._known.move_to_end(name)
            return known
        if hint not in self._hints:
            return CodeRefused(reason=Reason.WRONG_EVENT)
        candidates = self._keys.get((hint, epoch))
        if not candidates:
            return CodeRefused(reason=Reason.EPOCH_UNKNOWN)
        for candidate in candidates:
            key = candidate.key
            try:
                capsule = open_capsule(data, key.event, key.envelope_key, candidate.issuer)
            except CapsuleTooNew:
                return CodeRefused(reason=Reason.CODE_VERSION)
            if capsule is not None:
                return self._remember(name, _Known(key=key, capsule=capsule, slot=0, value=capsule.anchor))
        return CodeRefused(reason=Reason.CODE_FORGED)

    def _remember(self, name: bytes, known: _Known) -> _Known:
        self._known[name] = known
        if len(self._known) > _CACHE_SIZE:
            self._known.popitem(last=False)
        return known

    @staticmethod
    def _check_static(known: _Known) -> CodeRead | CodeRefused:
        capsule = known.capsule
        if capsule.header.profile != Profile.STATIC or not capsule.claims.policy & CodePolicy.STATIC_ALLOWED:
            return CodeRefused(reason=Reason.STATIC_CODE_REFUSED, capsule=capsule, event=known.key.event)
        return CodeRead(key=known.key, capsule=capsule, proof=None, skew_slots=None)

    def _verify_chain(self, known: _Known, slot: int, value: bytes, make_end: MakeEnd | None) -> bool:
        """Compare with the nearest verified link and keep the later of the two."""
        context = chain.derive_context(known.key.event, pack_header(known.capsule.header), known.capsule.claims.handle)
        if make_end is not None and not known.recomputed:
            if not hmac.compare_digest(self._walk(context, make_end(), _last_slot(known.key), slot), value):
                return False
            known.slot, known.value, known.recomputed = slot, value, True
            return True
        if slot <= known.slot:
            return hmac.compare_digest(self._walk(context, known.value, known.slot, slot), value)
        if not hmac.compare_digest(self._walk(context, value, slot, known.slot), known.value):
            return False
        known.slot, known.value = slot, value
        return True


def _last_slot(key: EpochKey) -> int:
    return chain.slot_count(key.starts, key.ends, key.slot_s)


def _check_time(known: _Known, slot: int, value: bytes, now: datetime) -> CodeRead | CodeRefused:
    key, capsule = known.key, known.capsule
    skew = slot - chain.slot_at(key.starts, key.slot_s, now)
    if -SLOTS_BEHIND <= skew <= SLOTS_AHEAD:
        proof = Proof(epoch=key.epoch, slot=slot, value=value)
        return CodeRead(key=key, capsule=capsule, proof=proof, skew_slots=skew, recomputed=known.recomputed)
    reason = Reason.CODE_STALE if skew < 0 else Reason.CODE_FUTURE
    return CodeRefused(reason=reason, skew_s=skew * key.slot_s, slot_s=key.slot_s, capsule=capsule, event=key.event)
