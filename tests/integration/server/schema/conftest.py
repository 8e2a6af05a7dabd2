"""Fixtures for tests of the schema itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.conftest import Databases
from tests.integration.server.schema.connections import Connection, connected
from tests.integration.server.schema.test_walls import SAMPLES, enter


@pytest.fixture
async def stored_ticket(database: Databases) -> AsyncIterator[Connection]:
    """Give the owner's connection inside a transaction that sees one active ticket; all is rolled back."""
    async with connected(database.owner_dsn) as owner:
        transaction = owner.transaction()
        await transaction.start()
        await enter(owner, uuid4())
        await owner.execute(SAMPLES)
        await owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        yield owner
        await transaction.rollback()
