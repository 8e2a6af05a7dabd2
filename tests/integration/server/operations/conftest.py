"""The operations page over HTTP, at a real server with an evening in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.browser.evening import Evening, open_evening
from tests.conftest import Databases
from tests.integration.server.operations.desk import Desk


@pytest.fixture
async def evening(database: Databases) -> AsyncIterator[Evening]:
    """Give an event whose doors are open."""
    async with open_evening(database.app_dsn, database.worker_dsn) as opened:
        yield opened


@pytest.fixture
async def desk(evening: Evening) -> AsyncIterator[Desk]:
    """Give a browser of no kind at that event's server."""
    async with aiohttp.ClientSession(evening.running.base_url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Desk(evening, session)
