"""The envelope of domain events as bytes."""

from __future__ import annotations

import hashlib

from msgspec import ValidationError, json

from server.services.ports_bus import Envelope
from shared.problems import CodeMalformed

_DECODER = json.Decoder(Envelope)


def encode_envelope(envelope: Envelope) -> bytes:
    """Return an envelope as JSON in UTF-8."""
    return json.encode(envelope)


def decode_envelope(body: bytes) -> Envelope:
    """Return the envelope a message carries.

    Raises:
        CodeMalformed: the body is none; trying again cannot help.
    """
    try:
        envelope = _DECODER.decode(body)
    except (ValidationError, ValueError, RecursionError) as exc:
        raise CodeMalformed(
            "A message does not carry a domain event: see its sender's version and documentation."
        ) from exc
    if not bytes(envelope.payload).lstrip().startswith(b"{") or envelope.timestamp.tzinfo is None:
        raise CodeMalformed("A domain event needs an object as payload and a timestamp with its offset.")
    return envelope


def identify(message_id: str | None, body: bytes) -> str:
    """Return the sender's message id, else one that is the same for the same body."""
    return message_id or f"sha256:{hashlib.sha256(body).hexdigest()}"
