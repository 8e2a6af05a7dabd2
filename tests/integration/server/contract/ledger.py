"""The whole content of a database as one figure for each table, to see whether anything changed."""

from __future__ import annotations

import asyncio

from tests.integration.server.schema.connections import Connection

TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"

MOVING = frozenset({"service_nonces", "audit_log"})
"""Tables that change by looking on: before a body is read, a signed call's nonce is spent, and an organiser's try is noted."""

WAITING = """
SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM facts)
  + (SELECT count(*) FROM imports WHERE state NOT IN ('done', 'refused'))
"""


async def until_settled(superuser: Connection) -> None:
    """Return once everything that was begun is done."""
    async with asyncio.timeout(30):
        while await superuser.fetchval(WAITING):
            pass


async def take_stock(superuser: Connection) -> dict[str, str]:
    """Return a digest of every table's rows."""
    found = {}
    for (table,) in await superuser.fetch(TABLES):
        if table not in MOVING:
            query = f"SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) FROM {table} t"  # noqa: S608 - names from the catalogue
            found[str(table)] = str(await superuser.fetchval(query))
    return found
