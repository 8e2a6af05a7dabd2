"""The mint worker's own session: on it it leads, and is woken."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from server.db.leader_session import LeaderSession, open_leader_session
from server.db.pool import PgDatabase
from server.db.statements import load_statements
from shared.problems import Unavailable

_SQL = load_statements("mint_session.sql")


class MintSessionLost(Unavailable):
    """The mint worker's session ended; another worker may lead by now."""

    code = "mint_session_lost"


class PgMintSession(LeaderSession):
    """Implements ``server.chain.worker.MintSession`` on a connection of the worker role."""

    leader = "mint worker"
    take_lead = _SQL["lead"]
    lost = MintSessionLost


def open_mint_session(database: PgDatabase) -> AbstractAsyncContextManager[PgMintSession]:
    """Open a session for a worker; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    return open_leader_session(database, PgMintSession)
