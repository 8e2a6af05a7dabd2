"""What every test can rely on: a real PostgreSQL where one is asked for, a clock moved by hand, and no skipped tests."""

from __future__ import annotations

import asyncio
import inspect
import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import msgspec
import pytest
from blockbuster import blockbuster_ctx

from server.db import bootstrap
from server.embedded.postgres import PrivatePostgres
from shared.clock import ManualClock
from shared.problems import TicketTokenError
from tests.chain_node.bench import describe_programs

URL_VARIABLE = "TICKETTOKEN_TEST_DATABASE_URL"
KINDS = ("unit", "property", "meta", "integration", "simulation", "contract", "tui", "browser", "acceptance")

# Fixed, so that two runs against one given server do not take each other's passwords away.
ROLE_PASSWORDS = {"tt_owner": "test-owner", "tt_app": "test-app", "tt_worker": "test-worker"}

BLOCKING_ALLOWED = (
    # A statement file is a few kilobytes beside our modules; reading one is what an import does.
    ("shared/statements.py", "read_statements"),
    # The driver looks for client certificates in the home directory when it opens a connection.
    ("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args"),
)


class Databases(msgspec.Struct, frozen=True, kw_only=True):
    """One test's own migrated database, as each role reaches it."""

    owner_dsn: str
    app_dsn: str
    worker_dsn: str


class PostgresService(msgspec.Struct, frozen=True, kw_only=True):
    """The PostgreSQL of this run."""

    admin_dsn: str
    source: str
    private: PrivatePostgres | None
    directory: str | None


_ROOM_B = 4 << 30

_SERVICE = pytest.StashKey[PostgresService]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quick kinds of tests first; inside a kind the order stays."""
    items.sort(key=lambda item: _rank(item.path))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start PostgreSQL if a chosen test needs it; without one the run fails, nothing is passed over."""
    config = session.config
    needed = any("postgres" in getattr(item, "fixturenames", ()) for item in session.items)
    if not needed or config.option.collectonly:
        return
    try:
        config.stash[_SERVICE] = _start_postgres()
    except TicketTokenError as problem:
        pytest.exit(f"the tests need PostgreSQL: {problem}", returncode=3)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Name the services of this run and where they came from."""
    service = config.stash.get(_SERVICE, None)
    return [f"postgres: {service.source if service else 'not needed by these tests'}", describe_programs()]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what this run started."""
    service = config.stash.get(_SERVICE, None)
    if service is not None and service.private is not None:
        service.private.stop()
    if service is not None and service.directory is not None:
        shutil.rmtree(service.directory)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as a failed one, an expected failure too: a check that did not run proves nothing."""
    report = yield
    if report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped, which counts as failed: {report.longrepr}"
        # With this mark the session would not count the failure.
        vars(report).pop("wasxfail", None)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Count a module that is skipped at import as a failed one."""
    report = yield
    if report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped, which counts as failed: {report.longrepr}"
    return report


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at a Saturday evening until the test moves it."""
    return ManualClock(datetime(2026, 6, 20, 18, 0, tzinfo=UTC))


@pytest.fixture(autouse=True)
def blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an asynchronous test in which our packages block the event loop.

    Only calls that pass through shared, server or gate count: a test may prepare its files as it likes.
    """
    if not inspect.iscoroutinefunction(getattr(request, "function", None)):
        yield
        return
    with blockbuster_ctx(["shared", "server", "gate"]) as blockbuster:
        for function in blockbuster.functions.values():
            for file, name in BLOCKING_ALLOWED:
                function.can_block_in(file, name)
        yield


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> str:
    """Give the superuser's URL of this run's PostgreSQL."""
    return request.config.stash[_SERVICE].admin_dsn


@pytest.fixture(scope="session")
def migrated_template(postgres: str) -> Iterator[str]:
    """Migrate one database and give its name, for tests to clone."""
    name = f"tt_template_{secrets.token_hex(6)}"
    asyncio.run(_make_template(postgres, name))
    yield name
    asyncio.run(bootstrap.drop_database(postgres, name))


@pytest.fixture
async def database(postgres: str, migrated_template: str) -> AsyncIterator[Databases]:
    """Give this test a migrated database of its own; it is dropped afterwards, open sessions and all."""
    name = f"tt_{secrets.token_hex(6)}"
    await bootstrap.create_database(postgres, name, migrated_template)
    yield Databases(
        owner_dsn=_role_dsn(postgres, "tt_owner", name),
        app_dsn=_role_dsn(postgres, "tt_app", name),
        worker_dsn=_role_dsn(postgres, "tt_worker", name),
    )
    await bootstrap.drop_database(postgres, name)


def _rank(path: Path) -> int:
    here = Path(__file__).parent
    kind = path.relative_to(here).parts[0] if path.is_relative_to(here) else ""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


def _start_postgres() -> PostgresService:
    given = os.environ.get(URL_VARIABLE)
    if given:
        return PostgresService(admin_dsn=given, source=f"given by {URL_VARIABLE}", private=None, directory=None)
    directory = tempfile.mkdtemp(prefix="tickettoken-test-", dir=_quick_place())
    private = PrivatePostgres(Path(directory), unsafe_fast=True, max_connections=200)
    try:
        running = private.start()
    except TicketTokenError:
        shutil.rmtree(directory)
        raise
    return PostgresService(admin_dsn=running.dsn(), source=running.source, private=private, directory=directory)


def _quick_place() -> Path | None:
    """Return a directory in memory if there is room: hundreds of databases are made there, and none is to outlive the run."""
    memory = Path("/dev/shm")  # noqa: S108
    if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_B:
        return memory
    return None


async def _make_template(admin_dsn: str, name: str) -> None:
    # Imported here so that a run without database tests does not pay for it.
    from server.db.migrate import migrate  # noqa: PLC0415

    await bootstrap.create_owner(admin_dsn, ROLE_PASSWORDS["tt_owner"])
    await bootstrap.create_database(admin_dsn, name)
    await migrate(_role_dsn(admin_dsn, "tt_owner", name))
    await bootstrap.set_role_passwords(admin_dsn, ROLE_PASSWORDS)


def _role_dsn(admin_dsn: str, role: str, database: str) -> str:
    parts = urlsplit(admin_dsn)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{ROLE_PASSWORDS[role]}@{address}", path=f"/{database}"))
