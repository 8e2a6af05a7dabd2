"""Links that open a ticket on a phone: what they say, and the proof that this server said it.

    version u8 | tenant 16 | ticket 16 | generation u16 | expiry u32 (Unix seconds) | proof 16        55 bytes, Base64url
    proof = HMAC-SHA256(HKDF-SHA256(tenant master, info = "ttlink1"), everything before it), first 16 bytes

The generation ties a link to one owner: a ticket that is handed over gets a new one, and every older link is dead.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import UTC, datetime
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.ids import TenantId, TicketId
from shared.problems import Internal, NotFound
from shared.secrecy import Reticent

_VERSION = 1
_FORM = struct.Struct(">B16s16sHI")
_PROOF_SIZE = 16
_TEXT_SIZE = -(-(_FORM.size + _PROOF_SIZE) * 4 // 3)


class LinkInvalid(NotFound):
    """The link was not made by this server, or its time is over."""

    code = "link_invalid"


class TicketLink(Reticent, frozen=True, kw_only=True):
    """What a link says; ``expires`` has whole seconds."""

    tenant: TenantId
    ticket: TicketId
    generation: int
    expires: datetime


class UnprovenLink(Reticent, frozen=True, kw_only=True):
    """A link as it came in: its statement counts for nothing until ``check_link`` has said so."""

    link: TicketLink
    stated: bytes
    proof: bytes


def write_link(master: bytes, link: TicketLink) -> str:
    """Return a link's text, 74 letters of Base64url.

    Raises:
        Internal: the generation or the expiry does not fit its place.
    """
    try:
        stated = _FORM.pack(
            _VERSION, link.tenant.bytes, link.ticket.bytes, link.generation, int(link.expires.timestamp())
        )
    except struct.error as exc:
        raise Internal("A link's generation or expiry does not fit its place.") from exc
    return base64.urlsafe_b64encode(stated + _prove(master, stated)).rstrip(b"=").decode()


def read_link(text: str) -> UnprovenLink:
    """Return what a text says if it is a link.

    Raises:
        LinkInvalid: it has another form.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as exc:
        raise LinkInvalid("This is no ticket's link.") from exc
    # One link has one text: a twin with other unused bits would be a second key for whoever counts or blocks links.
    if (
        len(data) != _FORM.size + _PROOF_SIZE
        or len(text) != _TEXT_SIZE
        or data[0] != _VERSION
        or not _is_canonical(text, data)
    ):
        raise LinkInvalid("This is no ticket's link.")
    _, tenant, ticket, generation, expiry = _FORM.unpack_from(data)
    link = TicketLink(
        tenant=TenantId(UUID(bytes=tenant)),
        ticket=TicketId(UUID(bytes=ticket)),
        generation=generation,
        expires=datetime.fromtimestamp(expiry, UTC),
    )
    return UnprovenLink(link=link, stated=data[: _FORM.size], proof=data[_FORM.size :])


def check_link(master: bytes, unproven: UnprovenLink, now: datetime) -> TicketLink:
    """Return what a link says, now that it is proven.

    Raises:
        LinkInvalid: it was not made with this master secret, or its time is over.
    """
    if not hmac.compare_digest(_prove(master, unproven.stated), unproven.proof):
        raise LinkInvalid("This is no ticket's link.")
    if now >= unproven.link.expires:
        raise LinkInvalid("This link is out of date.")
    return unproven.link


def _is_canonical(text: str, data: bytes) -> bool:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text


def _prove(master: bytes, stated: bytes) -> bytes:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"ttlink1").derive(master)
    return hmac.digest(key, stated, hashlib.sha256)[:_PROOF_SIZE]
