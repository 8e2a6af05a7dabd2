"""A real browser for the tests of pages: without one they fail, and whatever it complains of fails them too."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs
from playwright.async_api import Browser, async_playwright, expect

from shared.clock import ManualClock
from tests.browser.evening import Evening, open_evening
from tests.browser.stage import Stage, open_stage
from tests.browser.visit import Visit, watch
from tests.conftest import Databases
from tests.unit.shared.samples import NOW

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# A name that means this machine and yet is not loopback: over http it is no secure context.
PLAIN_HOST = "plain.test"
PLAIN_RULE = f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1"

Open = Callable[..., Awaitable[Visit]]


def find_browser() -> str | None:
    """Return where the system's browser is."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give the system's Chromium, started once for all tests."""
    found = find_browser()
    if found is None:
        pytest.fail(f"these tests need one of {', '.join(BROWSERS)} (Debian, Ubuntu: apt-get install chromium)")
    expect.set_options(timeout=20_000)
    async with async_playwright() as playwright:
        # A container's root has no user namespaces for the sandbox, and only our own pages are opened.
        running = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox", PLAIN_RULE])
        yield running
        await running.close()


@pytest.fixture
def clock() -> ManualClock:
    """Give the server's clock; it stands an hour after doors."""
    return ManualClock(NOW)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(clock: ManualClock) -> AsyncIterator[Stage]:
    """Give a running server with one ready ticket."""
    async with open_stage(clock) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, stage: Stage) -> AsyncIterator[Open]:
    """Give a function that opens a phone of its own; its arguments are those of a browser context.

    Afterwards none of its pages may have broken a rule: no script error, no breach of the security policy, no request to
    another place than the stage's.
    """
    visits: list[Visit] = []

    async def open_phone(*, phone_time: datetime = NOW, origin: str | None = None, **options: Any) -> Visit:
        settings: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", "timezone_id": "UTC"}
        context = await browser.new_context(**(settings | options))
        page = await context.new_page()
        seen = structs.replace(stage, origin=origin or stage.origin)
        opened = Visit(page=page, stage=seen, breaches=await watch(context, seen.origin))
        visits.append(opened)
        await page.clock.install(time=phone_time - timedelta(minutes=1))  # it runs until it is paused
        await page.clock.pause_at(phone_time)
        return opened

    yield open_phone
    for one in visits:
        await one.page.context.close()
    assert [breach for one in visits for breach in one.breaches] == []


@pytest_asyncio.fixture(loop_scope="session")
async def evening(database: Databases) -> AsyncIterator[Evening]:
    """Give an event whose doors are open."""
    async with open_evening(database.app_dsn, database.worker_dsn) as opened:
        yield opened
