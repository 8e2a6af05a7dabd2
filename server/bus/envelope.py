"""The envelope of domain events as bytes."""

from __future__ import annotations

import hashlib

from msgspec import ValidationError, json

from server.services.ports_bus import Envelope, is_in_calendar
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
    if not is_in_calendar(envelope.timestamp):
        raise CodeMalformed("A domain event's timestamp lies outside the years 1 to 9999 in UTC.")
    return envelope


def identify(message_id: str | None, body: bytes) -> str:
    """Return the sender's message id; one that is the same for the same body if there is none, or none that can be shown."""
    if message_id and message_id.isprintable():
        return message_id
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
