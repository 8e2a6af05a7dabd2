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
        return Figures(
            **dict(queues or {}),
            **dict(gates or {}),
            key_horizon_s=await self._connection.fetchval(_SQL["key_horizon"], now),
            conflicts_open=await self._count("conflicts", "severity"),
            gates_by_mode=await self._count("modes", "mode", now),
            assets=await self._count("assets", "state"),
            asset_oldest_s=await self._connection.fetchval(_SQL["asset_age"], now),
        )

    async def _count(self, name: str, label: str, *values: object) -> dict[str, int]:
        rows = await self._connection.fetch(_SQL[name], *values)
        return {str(row[label]): int(row["number"]) for row in rows}
