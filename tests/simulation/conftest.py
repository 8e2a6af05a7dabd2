"""What the simulation runs on: one migrated database for several evenings, and a quick place for the gates' files."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from server.db.pool import PgDatabase, open_database
from tests.conftest import Databases
from tests.services.messages import Request
from tests.services.private import PrivateService
from tests.simulation.lanes import Lanes, open_lanes
from tests.simulation.seeds import LANES

_MEMORY = Path("/dev/shm")  # noqa: S108


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the programs' logs back: an evening writes thousands of lines, and its seed tells all of them again."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture
async def db(database: Databases) -> AsyncIterator[PgDatabase]:
    """Give an open database; each evening is a tenant of its own in it."""
    async with open_database(database.app_dsn, database.worker_dsn) as opened:
        yield opened


@pytest.fixture(scope="module")
def service() -> Iterator[PrivateService]:
    """Give a RabbitMQ of this module's own, which may be killed."""
    with PrivateService(Request(service="rabbitmq")) as started:
        yield started


@pytest.fixture
async def lanes(postgres: str, database: Databases, service: PrivateService) -> AsyncIterator[Lanes]:
    """Give lanes on which evenings are played over a real broker."""
    async with open_lanes(postgres, database, service, LANES) as opened:
        yield opened


@pytest.fixture
def files() -> Iterator[Path]:
    """Give a directory, in memory where there is one: an evening writes durably thousands of times."""
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="tickettoken-evening-", dir=place))
    yield directory
    shutil.rmtree(directory)
