"""What a gate must know of a ticket, written as the feed says it."""

from __future__ import annotations

from datetime import datetime

from server.services.rows import TicketRow, TicketTypeRow
from shared.clock import unix_ms
from shared.codes.keys import Holder, derive_handle, hash_handle, seal_holder
from shared.sync.feed import TicketEntry, TombstoneEntry


def ticket_entry(master: bytes, ticket: TicketRow, ticket_type: TicketTypeRow) -> TicketEntry:
    """Return the statement of a ticket's present generation, not numbered yet (``seq`` 0).

    Name, seat and product can be read only with the handle, which only the code carries.
    """
    handle = derive_handle(master, ticket.id, ticket.generation)
    holder = Holder(name=ticket.holder_name, seat=ticket.seat, product=ticket_type.name)
    return TicketEntry(
        seq=0,
        handle_hash=hash_handle(handle),
        version=ticket.version,
        state=ticket.state,
        generation=ticket.generation,
        product=ticket_type.product,
        zones=ticket_type.zones,
        locked=ticket.locked is not None,
        entries=ticket_type.entries,
        code_policy=ticket_type.code_policy,
        valid_from_ms=_as_ms(ticket.valid_from),
        valid_until_ms=_as_ms(ticket.valid_until),
        sealed=seal_holder(handle, holder),
    )


def tombstone_entry(master: bytes, ticket: TicketRow, version: int) -> TombstoneEntry:
    """Return the statement that this generation of a ticket was replaced at ``version``, not numbered yet."""
    handle = derive_handle(master, ticket.id, ticket.generation)
    return TombstoneEntry(seq=0, handle_hash=hash_handle(handle), version=version)


def _as_ms(moment: datetime | None) -> int | None:
    return None if moment is None else unix_ms(moment)
