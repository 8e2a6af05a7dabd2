"""How the installation stands, read from PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from server.db.driver import Connection
from server.db.statements import load_statements
from server.services.ports_metrics import Figures

_SQL = load_statements("figures.sql")


class FigureStore:
    """Implements ``server.services.ports_metrics.FigureReader`` on a connection of the worker role."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, now: datetime) -> Figures:
        """Return the figures as of a moment."""
        queues = await self._connection.fetchrow(_SQL["queues"], now)
        gates = await self._connection.fetchrow(_SQL["gates"], now)
        conflicts = await self._connection.fetch(_SQL["conflicts"])
        return Figures(
            **dict(queues or {}),
            **dict(gates or {}),
            key_horizon_s=await self._connection.fetchval(_SQL["key_horizon"], now),
            conflicts_open={str(row["severity"]): int(row["number"]) for row in conflicts},
        )
