"""Messages whose properties cannot be read: they arrive without those, instead of ending the connection.

pamqp takes such a message for a broken frame, and aiormq ends the connection. The broker then hands the message out anew, to end
the next connection, and counts an attempt for all that were under way beside it; as a dead letter it would hide all others.
Whoever may publish at all could send one.
"""

from __future__ import annotations

import struct

import structlog
from pamqp.header import ContentHeader

_UNREADABLE = (ValueError, TypeError, OverflowError, OSError, RecursionError, struct.error)

_log = structlog.get_logger()
_read = ContentHeader.unmarshal


def bear_odd_properties() -> None:
    """Have this process read what can be read of a message's properties; safe to repeat."""
    ContentHeader.unmarshal = _bear  # type: ignore[method-assign, assignment] # the library leaves no other place for it


def _bear(header: ContentHeader, data: bytes) -> None:
    try:
        _read(header, data)
    except _UNREADABLE as exc:
        # Without even the size of its body it is a broken frame indeed.
        if header.class_id is None:
            raise
        _log.warning("bus.odd_properties", problem=type(exc).__name__)
