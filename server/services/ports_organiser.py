"""What organisers' use cases need of stored things, as Protocols; their rows are in `server.services.rows_organiser`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.services.rows import EventRow, Page, ReservationRow, TicketRow, TicketTypeRow
from server.services.rows_organiser import (
    EndedRow,
    EndingRow,
    ImportedTicket,
    ImportFault,
    ImportRow,
    NamedTicket,
    SeatRow,
    SeatState,
    StagedTicket,
    TenantRow,
    TicketFilter,
    ZoneRow,
)
from shared.ids import EventId, TenantId, TicketId, TicketTypeId
from shared.tickets.lifecycle import State


class Organising(Protocol):
    """Events, ticket types, zones and seats as organisers shape them."""

    async def get_tenant(self) -> TenantRow | None:
        """Return this transaction's tenant."""
        ...

    async def list_events(self, page: Page) -> list[EventRow]:
        """Return events in any state, newest first."""
        ...

    async def change_event(self, event: EventRow, *, tell_gates: bool) -> None:
        """Write a locked event as it is to be, counting its version up, and with ``tell_gates`` its bundles' as well."""
        ...

    async def change_type(self, ticket_type: TicketTypeRow) -> None:
        """Write a locked ticket type as it is to be, counting its version up; what was reserved and sold stays."""
        ...

    async def mark_seated(self, ticket_type: TicketTypeId) -> None:
        """Make a new ticket type one of seats."""
        ...

    async def add_stock(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Put new places of a locked type on sale."""
        ...

    async def sell_free(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock of a locked type from available to sold."""
        ...

    async def add_zone(self, event: EventId, zone: ZoneRow) -> bool:
        """Name a bit; return False where the bit has a name or the name a bit."""
        ...

    async def rename_zone(self, event: EventId, zone: ZoneRow) -> bool:
        """Give a bit another name; return False if it has none."""
        ...

    async def zones(self, event: EventId) -> list[ZoneRow]:
        """Return the names of an event's zones by bit."""
        ...

    async def add_seats(self, seats: Sequence[SeatRow]) -> set[str]:
        """Keep seats of one type, at least one; return the labels that were new."""
        ...

    async def seats(self, event: EventId, ticket_type: TicketTypeId | None, page: Page) -> list[SeatState]:
        """Return seats in the order in which they were made."""
        ...

    async def rename_seat(self, event: EventId, label: str, new: str) -> bool:
        """Give a seat of a locked event another label; False if there is one of that label."""
        ...

    async def drop_seat(self, event: EventId, label: str) -> None:
        """Forget a seat; tickets that were issued for it keep its label."""
        ...

    async def list_tickets(self, event: EventId, wanted: TicketFilter, page: Page) -> list[NamedTicket]:
        """Return an event's tickets, newest first."""
        ...

    async def external_id(self, ticket: TicketId) -> str | None:
        """Return under which name a ticket was imported."""
        ...

    async def end_offers(self, tickets: Sequence[UUID], now: datetime) -> int:
        """Take back pending offers of these tickets and return how many there were."""
        ...


class Endings(Protocol):
    """The end of events, batch by batch."""

    async def add(self, ending: EndingRow, states: Collection[State]) -> None:
        """Begin an ending; its total counts the tickets that are in one of these states."""
        ...

    async def get(self, event: EventId) -> EndingRow | None:
        """Return how far an event's end is."""
        ...

    async def take(self, event: EventId) -> EndingRow | None:
        """Take a running ending for this transaction; None if there is none or another transaction is at work on it."""
        ...

    async def write(self, ending: EndingRow) -> None:
        """Keep how far a taken ending is."""
        ...

    async def lock_pending(self, event: EventId, limit: int) -> list[ReservationRow]:
        """Return and lock unpaid reservations of an event."""
        ...

    async def lock_tickets(self, event: EventId, states: Collection[State], limit: int) -> list[TicketRow]:
        """Return and lock tickets of an event that are in one of these states, in the order of their ids."""
        ...

    async def ended(self, event: EventId, source: str, page: Page) -> list[EndedRow]:
        """Return tickets whose last step was asked for from there, with what is paid back for them, the newest first."""
        ...

    async def reached(self, tickets: Sequence[TicketId], state: State) -> set[TicketId]:
        """Return those of the tickets that came into a state at some time, whatever they are now."""
        ...


class Imports(Protocol):
    """Files of tickets."""

    async def add(self, row: ImportRow) -> None:
        """Begin to receive a file."""
        ...

    async def get(self, import_id: UUID) -> ImportRow | None:
        """Return how far a file is."""
        ...

    async def take(self, import_id: UUID) -> ImportRow | None:
        """Take a file for this transaction; None if there is none or another transaction is at work on it."""
        ...

    async def is_applying(self, event: EventId) -> bool:
        """Tell whether a file of this event was begun and is not over."""
        ...

    async def write(self, row: ImportRow) -> None:
        """Keep how far a taken file is."""
        ...

    async def stage(self, import_id: UUID, rows: Sequence[StagedTicket]) -> None:
        """Keep usable rows."""
        ...

    async def add_faults(self, import_id: UUID, faults: Sequence[ImportFault]) -> None:
        """Keep why rows cannot be used."""
        ...

    async def faults(self, import_id: UUID, limit: int) -> list[ImportFault]:
        """Return why rows cannot be used, by row."""
        ...

    async def drop_rows(self, import_id: UUID) -> None:
        """Forget the rows of a file."""
        ...

    async def drop_known(self, import_id: UUID, event: EventId) -> int:
        """Forget rows whose ticket is there, and return how many they were."""
        ...

    async def repeated_names(self, import_id: UUID) -> list[int]:
        """Return the numbers of rows that name a ticket once more."""
        ...

    async def repeated_seats(self, import_id: UUID) -> list[int]:
        """Return the numbers of rows that name a seat once more."""
        ...

    async def seats_not_free(self, import_id: UUID, event: EventId) -> list[int]:
        """Return the numbers of rows whose seat does not exist, is of another type, or is somebody's."""
        ...

    async def wanted(self, import_id: UUID) -> dict[TicketTypeId, int]:
        """Return how many tickets of which type a file asks for."""
        ...

    async def seat_labels(self, import_id: UUID, after: int, limit: int) -> dict[int, str]:
        """Return the seats that rows behind a number ask for, by the number of the row."""
        ...

    async def held_labels(self, import_id: UUID, until: int, limit: int) -> dict[int, str]:
        """Return the seats that rows up to a number ask for, the last rows first."""
        ...

    async def lock_seats(self, event: EventId, labels: Sequence[str], state: State) -> list[TicketRow]:
        """Return and lock the seats of these labels that are in this state, in the order of their ids."""
        ...

    async def next_rows(self, import_id: UUID, limit: int) -> list[StagedTicket]:
        """Return rows that are not applied yet, by number."""
        ...

    async def finish_rows(self, import_id: UUID, numbers: Sequence[int], tickets: Sequence[ImportedTicket]) -> None:
        """Replace rows by the tickets they have become, at least one."""
        ...


class Chores(Protocol):
    """Organisers' long work that waits to be done, across tenants."""

    async def running_endings(self, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events whose end is under way, the least recently worked on first."""
        ...

    async def waiting_imports(self, limit: int, silent_since: datetime) -> list[tuple[TenantId, UUID]]:
        """Return files to be worked on, and those whose sender has said nothing since a moment."""
        ...


class ChoreUnit(Protocol):
    """One transaction across tenants."""

    @property
    def maintenance(self) -> Chores:
        """Return its store."""
        ...


class ChoreDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[ChoreUnit]:
        """Open one transaction across tenants."""
        ...
