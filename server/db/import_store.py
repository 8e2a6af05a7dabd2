"""Files of tickets, staged and applied, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import TicketRow
from server.services.rows_organiser import ImportedTicket, ImportFault, ImportRow, StagedTicket
from shared.ids import EventId, TicketTypeId
from shared.tickets.lifecycle import State

_SQL = load_statements("imports.sql")


class ImportStore:
    """Implements ``server.services.ports_organiser.Imports``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, row: ImportRow) -> None:
        """Begin to receive a file."""
        await self._connection.execute(_SQL["add_import"], row.id, row.event, row.actor_id, row.created_at)

    async def get(self, import_id: UUID) -> ImportRow | None:
        """Return how far a file is."""
        return read_optional(await self._connection.fetchrow(_SQL["get_import"], import_id), ImportRow)

    async def take(self, import_id: UUID) -> ImportRow | None:
        """Take a file for this transaction."""
        return read_optional(await self._connection.fetchrow(_SQL["take_import"], import_id), ImportRow)

    async def is_applying(self, event: EventId) -> bool:
        """Tell whether a file of this event is being applied."""
        return bool(await self._connection.fetchval(_SQL["is_applying"], event))

    async def write(self, row: ImportRow) -> None:
        """Keep how far a file is."""
        await self._connection.execute(
            _SQL["write_import"],
            row.id,
            row.state,
            row.received,
            row.known,
            row.applied,
            row.faults,
            row.updated_at,
            row.finished_at,
            row.held,
        )

    async def stage(self, import_id: UUID, rows: Sequence[StagedTicket]) -> None:
        """Keep usable rows."""
        await self._connection.execute(
            _SQL["stage"],
            import_id,
            [one.n for one in rows],
            [one.external_id for one in rows],
            [one.ticket_type for one in rows],
            [one.holder_name for one in rows],
            [one.seat for one in rows],
            [one.owner for one in rows],
            [one.valid_from for one in rows],
            [one.valid_until for one in rows],
        )

    async def add_faults(self, import_id: UUID, faults: Sequence[ImportFault]) -> None:
        """Keep why rows cannot be used."""
        await self._connection.execute(
            _SQL["add_faults"],
            import_id,
            [one.n for one in faults],
            [one.field for one in faults],
            [one.code for one in faults],
            [one.message for one in faults],
        )

    async def faults(self, import_id: UUID, limit: int) -> list[ImportFault]:
        """Return why rows cannot be used."""
        rows = await self._connection.fetch(_SQL["faults"], import_id, limit)
        return [read_row(row, ImportFault) for row in rows]

    async def drop_rows(self, import_id: UUID) -> None:
        """Forget the rows of a file."""
        await self._connection.execute(_SQL["drop_rows"], import_id)

    async def drop_known(self, import_id: UUID, event: EventId) -> int:
        """Forget rows whose ticket is there."""
        return int((await self._connection.execute(_SQL["drop_known"], import_id, event)).rpartition(" ")[2])

    async def repeated_names(self, import_id: UUID) -> list[int]:
        """Return the numbers of rows that name a ticket once more."""
        return [row["n"] for row in await self._connection.fetch(_SQL["repeated_names"], import_id)]

    async def repeated_seats(self, import_id: UUID) -> list[int]:
        """Return the numbers of rows that name a seat once more."""
        return [row["n"] for row in await self._connection.fetch(_SQL["repeated_seats"], import_id)]

    async def seats_not_free(self, import_id: UUID, event: EventId) -> list[int]:
        """Return the numbers of rows whose seat cannot be had."""
        return [row["n"] for row in await self._connection.fetch(_SQL["seats_not_free"], import_id, event)]

    async def wanted(self, import_id: UUID) -> dict[TicketTypeId, int]:
        """Return how many tickets of which type a file asks for."""
        rows = await self._connection.fetch(_SQL["wanted"], import_id)
        return {TicketTypeId(row["ticket_type_id"]): row["quantity"] for row in rows}

    async def seat_labels(self, import_id: UUID, after: int, limit: int) -> dict[int, str]:
        """Return the seats that rows ask for."""
        rows = await self._connection.fetch(_SQL["seat_labels"], import_id, after, limit)
        return {row["n"]: row["seat"] for row in rows}

    async def held_labels(self, import_id: UUID, until: int, limit: int) -> dict[int, str]:
        """Return the seats that rows up to a number ask for, the last first."""
        rows = await self._connection.fetch(_SQL["held_labels"], import_id, until, limit)
        return {row["n"]: row["seat"] for row in rows}

    async def lock_seats(self, event: EventId, labels: Sequence[str], state: State) -> list[TicketRow]:
        """Lock seats by their labels."""
        rows = await self._connection.fetch(_SQL["lock_seats"], event, labels, state)
        return [read_row(row, TicketRow) for row in rows]

    async def next_rows(self, import_id: UUID, limit: int) -> list[StagedTicket]:
        """Return rows that are not applied yet."""
        rows = await self._connection.fetch(_SQL["next_rows"], import_id, limit)
        return [read_row(row, StagedTicket) for row in rows]

    async def finish_rows(self, import_id: UUID, numbers: Sequence[int], tickets: Sequence[ImportedTicket]) -> None:
        """Replace rows by the tickets they have become."""
        await self._connection.execute(_SQL["drop_done"], import_id, numbers)
        await self._connection.execute(
            _SQL["add_imported"],
            tickets[0].event,
            [one.external_id for one in tickets],
            [one.ticket for one in tickets],
            import_id,
        )
