"""A scanned code as the server sees it: read with the event's keys by the same reader gates have, and matched with its ticket."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from msgspec import Struct

from server.services.bundles import find_reading_keys
from server.services.codes import event_over
from server.services.context import Context
from server.services.keys import MasterSecrets, epoch_at
from server.services.ports import Unit
from server.services.rows import EventRow, HandleRow
from shared.admission.verdict import Reason
from shared.codes import chain
from shared.codes.capsule import Capsule, event_hint, pack_header, read_header
from shared.codes.keys import derive_seed, hash_handle
from shared.codes.reader import CodeOpened, CodeRead, CodeReader, CodeRefused, Proof
from shared.codes.token import read_text
from shared.ids import EventId
from shared.problems import CodeMalformed

_Shelved = tuple[EventId, int, int, int, bool]
_MOST_READERS = 16


class Scanned(Struct, frozen=True, kw_only=True):
    """What a text turned out to be.

    ``refusal`` is why the code itself does not count, None if it does. ``event`` and ``handle`` are known of every genuine
    code, stale ones included; ``handle`` is None where no ticket was ever known by that hash. ``recomputed`` says that its
    chain was made again from the organiser's master secret.
    """

    refusal: Reason | None
    event: EventRow | None = None
    handle_hash: bytes | None = None
    handle: HandleRow | None = None
    proof: Proof | None = None
    is_static: bool = False
    recomputed: bool = False


class ReaderShelf:
    """Readers of events' codes, each kept for as long as the keys it has are those that count.

    For one piece of work at a time: what a reader remembers of a code is not guarded against another thread.
    """

    def __init__(self) -> None:
        self._readers: OrderedDict[_Shelved, CodeReader] = OrderedDict()

    async def find(self, tx: Unit, context: Context, event: EventRow, now: datetime) -> CodeReader:
        """Return a reader of an event's codes at a moment; ``event`` is as this transaction read it."""
        # Of an event that is over the last keys there were: nobody needs any for the time after.
        moment = min(now, event_over(event))
        epochs = epoch_at(event, moment), epoch_at(event, moment + context.horizon)
        name = (event.id, event.key_series, *epochs, event.policy.static_codes)
        known = self._readers.get(name)
        if known is not None:
            self._readers.move_to_end(name)
            return known
        reader = CodeReader(await find_reading_keys(tx, context, event, moment))
        tx.on_commit(partial(self._keep, name, reader))
        return reader

    def _keep(self, name: _Shelved, reader: CodeReader) -> None:
        self._readers[name] = reader
        while len(self._readers) > _MOST_READERS:
            self._readers.popitem(last=False)


class Reading(Struct, frozen=True, kw_only=True):
    """With what codes are read: an event's reader, the masters its tickets are made with, and the moment."""

    reader: CodeReader
    event: EventRow
    masters: MasterSecrets
    now: datetime


async def read_codes(tx: Unit, reading: Reading, texts: Sequence[str]) -> list[Scanned]:
    """Return what codes say that are to be this event's, in as many round trips as for a single one.

    Where the master that made a code is there, its chain is walked from its secret end, so that the answer needs no further
    proof; that is also the shorter way for most of an evening.
    """
    opened = await asyncio.to_thread(lambda: [reading.reader.open(text) for text in texts])
    hashes = {hash_handle(one.capsule.claims.handle) for one in opened if isinstance(one, CodeOpened)}
    handles = {row.handle_hash: row for row in await tx.scans.match(reading.event.id, sorted(hashes))} if hashes else {}
    return await asyncio.to_thread(lambda: [_check(reading, one, handles) for one in opened])


async def read_code(context: Context, tx: Unit, text: str, now: datetime, *, event: EventId | None = None) -> Scanned:
    """Return what a code says; only codes of the event are read if one is named, else those of any of the tenant's."""
    hint = hint_of(text)
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
    handle_hash = hash_handle(capsule.claims.handle)
    return _describe(row, found, handle_hash, await tx.tickets.find_handle(row.id, handle_hash))


def _check(reading: Reading, opened: CodeOpened | CodeRefused, handles: Mapping[bytes, HandleRow]) -> Scanned:
    event = reading.event
    if isinstance(opened, CodeRefused):
        return Scanned(refusal=opened.reason, event=event if opened.event == event.id else None)
    handle_hash = hash_handle(opened.capsule.claims.handle)
    handle = handles.get(handle_hash)
    master = None if handle is None else reading.masters.secrets.get(handle.master)
    make_end = None if handle is None or master is None else partial(_make_end, master, handle, opened.capsule)
    found = reading.reader.check(opened, reading.now, make_end)
    if isinstance(found, CodeRefused) and found.capsule is None:
        return Scanned(refusal=found.reason, event=event)
    return _describe(event, found, handle_hash, handle)


def _make_end(master: bytes, handle: HandleRow, capsule: Capsule) -> bytes:
    return chain.derive_top(derive_seed(master, handle.ticket, handle.generation), pack_header(capsule.header))


def _describe(event: EventRow, found: CodeRead | CodeRefused, handle_hash: bytes, handle: HandleRow | None) -> Scanned:
    refusal = found.reason if isinstance(found, CodeRefused) else None
    if refusal is None and handle is None:
        refusal = Reason.UNKNOWN_TICKET
    read = found if isinstance(found, CodeRead) else None
    return Scanned(
        refusal=refusal,
        event=event,
        handle_hash=handle_hash,
        handle=handle,
        proof=None if read is None else read.proof,
        is_static=read is not None and read.proof is None,
        recomputed=read is not None and read.recomputed,
    )


def hint_of(text: str) -> int | None:
    """Return the short name of the event a text says it is a code of; None where it says nothing of the kind."""
    try:
        return read_header(read_text(text)).hint
    except CodeMalformed:
        return None
