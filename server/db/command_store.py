"""Commands to gates in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows_fleet import CommandRow
from shared.ids import CommandId, GateId
from shared.sync.command import Receipt

_SQL = load_statements("command.sql")


class CommandStore:
    """Implements ``server.services.ports_fleet.Commands``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_number(self, gate: GateId) -> int:
        """Return the number of the gate's next command."""
        return int(await self._connection.fetchval(_SQL["next_number"], gate))

    async def raise_number(self, gate: GateId, number: int) -> None:
        """Give no more numbers up to this one."""
        await self._connection.execute(_SQL["raise_number"], gate, number)

    async def add(self, command: CommandRow) -> None:
        """Keep a new command."""
        await self._connection.execute(
            _SQL["add"],
            command.gate,
            command.number,
            command.id,
            command.kind,
            command.body,
            command.created_by,
            command.created_at,
            command.expires_at,
        )

    async def get(self, command: CommandId) -> CommandRow | None:
        """Return a command in any condition."""
        return read_optional(await self._connection.fetchrow(_SQL["get"], command), CommandRow)

    async def open(self, gate: GateId, now: datetime, limit: int) -> list[CommandRow]:
        """Return the commands that are to be obeyed, in order."""
        return [read_row(row, CommandRow) for row in await self._connection.fetch(_SQL["open"], gate, now, limit)]

    async def mark_sent(self, gate: GateId, upto: int, now: datetime) -> None:
        """Note that the open ones up to this number were put on a link."""
        await self._connection.execute(_SQL["mark_sent"], gate, upto, now)

    async def settle(self, gate: GateId, receipt: Receipt, now: datetime) -> CommandRow | None:
        """Keep what became of a command."""
        row = await self._connection.fetchrow(
            _SQL["settle"], gate, receipt.command, receipt.number, receipt.outcome, now, receipt.message
        )
        return read_optional(row, CommandRow)

    async def supersede(self, gate: GateId, now: datetime) -> None:
        """Settle all open commands."""
        await self._connection.execute(_SQL["supersede"], gate, now)

    async def of_gate(self, gate: GateId, after: CommandId | None, limit: int) -> list[CommandRow]:
        """Return a gate's commands, the newest first."""
        return [read_row(row, CommandRow) for row in await self._connection.fetch(_SQL["of_gate"], gate, after, limit)]
