"""Gates and enrolment codes in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows_gates import EnrolmentRow, GateRow
from shared.ids import EventId, GateId
from shared.sync.wire import Ping

_SQL = load_statements("gate.sql")


class GateStore:
    """Implements ``server.services.ports_gates.Gates``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add_code(self, code: EnrolmentRow) -> None:
        """Keep a one-time code."""
        await self._connection.execute(
            _SQL["add_code"],
            code.code_hash,
            code.event,
            code.gate_name,
            code.direction,
            code.zones,
            code.products,
            code.expires_at,
            code.for_gate,
            code.role,
        )

    async def take_code(self, code_hash: bytes, gate: GateId, now: datetime) -> EnrolmentRow | None:
        """Use a code up for a gate."""
        row = await self._connection.fetchrow(_SQL["take_code"], code_hash, gate, now)
        return read_optional(row, EnrolmentRow)

    async def get_code(self, code_hash: bytes) -> EnrolmentRow | None:
        """Return a code in any condition."""
        return read_optional(await self._connection.fetchrow(_SQL["get_code"], code_hash), EnrolmentRow)

    async def add(self, gate: GateRow) -> None:
        """Keep a new gate."""
        await self._connection.execute(
            _SQL["add"],
            gate.id,
            gate.event,
            gate.name,
            gate.direction,
            gate.zones,
            gate.products,
            gate.sign_public,
            gate.seal_public,
            gate.software,
            gate.enrolled_at,
            gate.config,
            gate.role,
        )

    async def add_server(self, gate: GateRow) -> bool:
        """Keep the gate that stands for the server at an event, unless it is there."""
        added = await self._connection.fetchval(
            _SQL["add_server"],
            gate.id,
            gate.event,
            gate.name,
            gate.sign_public,
            gate.seal_public,
            gate.software,
            gate.enrolled_at,
            gate.config,
        )
        return added is not None

    async def get(self, gate: GateId) -> GateRow | None:
        """Return a gate, revoked or not."""
        return read_optional(await self._connection.fetchrow(_SQL["get"], gate), GateRow)

    async def get_all(self, gates: Collection[GateId]) -> dict[GateId, GateRow]:
        """Return gates by id, revoked or not."""
        rows = await self._connection.fetch(_SQL["get_all"], list(gates))
        return {one.id: one for one in (read_row(row, GateRow) for row in rows)}

    async def lock(self, gate: GateId) -> GateRow | None:
        """Return a gate, locked."""
        return read_optional(await self._connection.fetchrow(_SQL["lock"], gate), GateRow)

    async def change(self, gate: GateRow) -> None:
        """Keep what a gate is to be from now on."""
        await self._connection.execute(
            _SQL["change"], gate.id, gate.name, gate.direction, gate.zones, gate.products, gate.role
        )

    async def hold(self, gate: GateId, reason: str | None, now: datetime | None) -> None:
        """Keep that a gate is to let nobody in, or may again."""
        await self._connection.execute(_SQL["hold"], gate, reason, now)

    async def of_event(self, event: EventId) -> list[GateRow]:
        """Return an event's gates."""
        return [read_row(row, GateRow) for row in await self._connection.fetch(_SQL["of_event"], event)]

    async def page_of_event(self, event: EventId, after: GateId | None, limit: int) -> list[GateRow]:
        """Return some of an event's gates."""
        rows = await self._connection.fetch(_SQL["page_of_event"], event, after, limit)
        return [read_row(row, GateRow) for row in rows]

    async def revoke(self, gate: GateId, now: datetime) -> bool:
        """Mark a gate revoked."""
        return await self._connection.fetchval(_SQL["revoke"], gate, now) is not None

    async def beat(self, gate: GateId, ping: Ping, now: datetime) -> None:
        """Keep what a gate last said of itself."""
        await self._connection.execute(_SQL["beat"], gate, ping, now)

    async def greet(self, gate: GateId, software: str, now: datetime) -> int:
        """Keep what a gate runs, and count its links."""
        return int(await self._connection.fetchval(_SQL["greet"], gate, software, now))

    async def replace_host(self, gate: GateRow) -> None:
        """Have another machine be this gate."""
        await self._connection.execute(
            _SQL["replace_host"],
            gate.id,
            gate.sign_public,
            gate.seal_public,
            gate.software,
            gate.enrolled_at,
            gate.config,
        )

    async def raise_alarm(self, gate: GateId, code: str, now: datetime) -> None:
        """Keep what is wrong with a gate's log."""
        await self._connection.execute(_SQL["raise_alarm"], gate, code, now)

    async def believe(self, gate: GateId, config: int) -> None:
        """Keep that a gate believes a config key."""
        await self._connection.execute(_SQL["believe"], gate, config)

    async def set_bundle_version(self, gate: GateId, version: int) -> None:
        """Keep the newest key bundle a gate was sent."""
        await self._connection.execute(_SQL["set_bundle_version"], gate, version)
