"""Tenants, venues and events in PostgreSQL."""

from __future__ import annotations

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import EventRow, EventState, Page, VenueRow
from server.services.rows_nft import Standing
from shared.ids import EventId

_SQL = load_statements("events.sql")


class EventStore:
    """Implements ``server.services.ports.Events``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_tenant(self, name: str) -> None:
        """Make this transaction's tenant known."""
        await self._connection.execute(_SQL["add_tenant"], name)

    async def add_venue(self, venue: VenueRow) -> None:
        """Keep a venue."""
        await self._connection.execute(_SQL["add_venue"], venue.id, venue.name)

    async def add(self, event: EventRow) -> bool:
        """Keep a new event."""
        added = await self._connection.fetchval(
            _SQL["add_event"],
            event.id,
            event.venue_id,
            event.name,
            event.state,
            event.policy,
            event.sale_starts,
            event.sale_ends,
            event.max_per_user,
            event.slot_s,
            event.epoch_zero,
            event.epoch_s,
            event.reveal_at,
        )
        return added is not None

    async def get(self, event: EventId) -> EventRow | None:
        """Return an event."""
        return read_optional(await self._connection.fetchrow(_SQL["get_event"], event), EventRow)

    async def list_public(self, page: Page) -> list[EventRow]:
        """Return events that are no drafts."""
        rows = await self._connection.fetch(_SQL["list_public_events"], page.after, page.limit)
        return [read_row(row, EventRow) for row in rows]

    async def raise_bundle_version(self, event: EventId) -> int:
        """Count the event's key bundle up."""
        return int(await self._connection.fetchval(_SQL["raise_bundle_version"], event))

    async def lock(self, event: EventId) -> EventRow | None:
        """Lock an event until the transaction ends, and return it."""
        await self._connection.execute(_SQL["lock_event"], event)
        return await self.get(event)

    async def state(self, event: EventId) -> EventState | None:
        """Return an event's state."""
        state = await self._connection.fetchval(_SQL["get_event_state"], event)
        return None if state is None else EventState(state)

    async def hold_standing(self, event: EventId) -> Standing | None:
        """Return an event's state, and what it wants of the chain, and keep both."""
        return read_optional(await self._connection.fetchrow(_SQL["hold_event_standing"], event), Standing)

    async def raise_key_series(self, event: EventId) -> None:
        """Note that stored epoch keys were replaced."""
        await self._connection.execute(_SQL["raise_key_series"], event)

    async def announce_config(self, config: int) -> None:
        """Have the gates of all events told of a config key."""
        await self._connection.execute(_SQL["announce_config"], config)

    async def list_all(self, event: EventId | None = None) -> list[EventRow]:
        """Return all events, or the one named."""
        return [read_row(row, EventRow) for row in await self._connection.fetch(_SQL["list_events"], event)]
