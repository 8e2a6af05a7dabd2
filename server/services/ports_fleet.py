"""What looking after the fleet of gates needs from the outside, as Protocols."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from server.services.rows_fleet import CommandRow
from shared.ids import CommandId, GateId
from shared.sync.command import Receipt


class Commands(Protocol):
    """What single gates were told to do."""

    async def next_number(self, gate: GateId) -> int:
        """Return the number of the gate's next command; nobody else gets one until the transaction ends."""
        ...

    async def raise_number(self, gate: GateId, number: int) -> None:
        """Give no more numbers up to this one, which the gate has seen."""
        ...

    async def add(self, command: CommandRow) -> None:
        """Keep a new command."""
        ...

    async def get(self, command: CommandId) -> CommandRow | None:
        """Return a command in any condition."""
        ...

    async def open(self, gate: GateId, now: datetime, limit: int) -> list[CommandRow]:
        """Return the commands that are to be obeyed and of which nobody knows whether they were, in order."""
        ...

    async def mark_sent(self, gate: GateId, upto: int, now: datetime) -> None:
        """Note that the open ones up to this number were put on a link."""
        ...

    async def settle(self, gate: GateId, receipt: Receipt, now: datetime) -> CommandRow | None:
        """Keep what became of a command; None if that was known, or the gate has no such command."""
        ...

    async def supersede(self, gate: GateId, now: datetime) -> None:
        """Settle all open commands: there is no longer anybody to obey them."""
        ...

    async def of_gate(self, gate: GateId, after: CommandId | None, limit: int) -> list[CommandRow]:
        """Return a gate's commands, the newest first, those older than the given one."""
        ...
