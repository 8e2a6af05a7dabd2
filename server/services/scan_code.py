"""A scanned code as the server sees it: read with the event's keys by the same reader gates have, and matched with its ticket."""

from __future__ import annotations

import asyncio
from datetime import datetime

from msgspec import Struct

from server.services.bundles import find_reading_keys
from server.services.codes import event_over
from server.services.context import Context
from server.services.ports import Unit
from server.services.rows import EventRow, HandleRow
from shared.admission.verdict import Reason
from shared.codes.capsule import Capsule, event_hint, read_header
from shared.codes.keys import hash_handle
from shared.codes.reader import CodeRead, CodeReader, CodeRefused, Proof
from shared.codes.token import read_text
from shared.ids import EventId
from shared.problems import CodeMalformed


class Scanned(Struct, frozen=True, kw_only=True):
    """What a text turned out to be.

    ``refusal`` is why the code itself does not count, None if it does. ``event`` and ``handle`` are known of every genuine
    code, stale ones included; ``handle`` is None where no ticket was ever known by that hash.
    """

    refusal: Reason | None
    event: EventRow | None = None
    handle_hash: bytes | None = None
    handle: HandleRow | None = None
    proof: Proof | None = None
    is_static: bool = False


async def read_code(context: Context, tx: Unit, text: str, now: datetime, *, event: EventId | None = None) -> Scanned:
    """Return what a code says; only codes of the event are read if one is named, else those of any of the tenant's."""
    hint = _read_hint(text)
    events = [one for one in await tx.events.list_all(event) if hint == event_hint(one.id)] if hint is not None else []
    # Of an event that is over the last keys there were: nobody needs any for the time after.
    moments = [(one, min(now, event_over(one))) for one in events]
    keys = [key for one, moment in moments for key in await find_reading_keys(tx, context, one, moment)]
    # A chain may have to be walked for thousands of links.
    found = await asyncio.to_thread(lambda: CodeReader(keys).read(text, now))
    capsule = found.capsule
    event_id = found.event if isinstance(found, CodeRefused) else found.key.event
    row = next((one for one in events if one.id == event_id), None)
    if capsule is None or row is None:
        return Scanned(refusal=found.reason if isinstance(found, CodeRefused) else Reason.CODE_FORGED, event=row)
    return await _match(tx, row, capsule, found)


async def _match(tx: Unit, event: EventRow, capsule: Capsule, found: CodeRead | CodeRefused) -> Scanned:
    handle_hash = hash_handle(capsule.claims.handle)
    handle = await tx.tickets.find_handle(event.id, handle_hash)
    refusal = found.reason if isinstance(found, CodeRefused) else None
    if refusal is None and handle is None:
        refusal = Reason.UNKNOWN_TICKET
    return Scanned(
        refusal=refusal,
        event=event,
        handle_hash=handle_hash,
        handle=handle,
        proof=None if isinstance(found, CodeRefused) else found.proof,
        is_static=isinstance(found, CodeRead) and found.proof is None,
    )


def _read_hint(text: str) -> int | None:
    try:
        return read_header(read_text(text)).hint
    except CodeMalformed:
        return None
