"""A question to the server that time overtakes: what comes of it is not believed, and another is asked at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from shared.codes import chain
from shared.codes.reader import CodeRead
from tests.browser.conftest import Open
from tests.browser.stage import make_reader
from tests.browser.visit import Visit
from tests.unit.shared.samples import NOW, T0

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEN_MINUTES = timedelta(minutes=10)


async def freeze(phone: Visit) -> None:
    """Have the tab stand still for ten minutes; then everything that was due falls due at once."""
    phone.stage.clock.advance(TEN_MINUTES)
    await phone.page.clock.fast_forward(600_000)


async def sleep(phone: Visit) -> None:
    """Have the phone sleep for ten minutes in a pocket; its monotonic counter and its timers stand still."""
    await phone.look_away()
    phone.stage.clock.advance(TEN_MINUTES)
    await phone.page.clock.set_system_time(NOW + TEN_MINUTES)
    await phone.look_again()


async def set_forward(phone: Visit) -> None:
    """Set the phone's clock, which does not change what time it is."""
    await phone.page.clock.set_system_time(NOW + timedelta(hours=2))


@pytest.mark.parametrize("overtake", [freeze, sleep, set_forward])
async def test_a_phone_overtaken_while_it_asks_knows_the_time_again_by_itself(
    visit: Open, overtake: Callable[[Visit], Awaitable[None]]
) -> None:
    phone = await visit()
    pages = phone.stage.pages
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    pages.hold()
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await pages.until_asked(2)
    await overtake(phone)
    pages.release()
    # No clock moves from here on: whatever would have to be waited for does not come.
    await pages.until_asked(3)
    await phone.expect_note("Ready to scan")
    now = phone.stage.clock.now()
    await phone.expect_slot(chain.slot_at(T0, 15, now))
    read = make_reader().read(await phone.scan(), now)
    assert isinstance(read, CodeRead)
    assert read.skew_slots == 0


async def test_a_network_that_comes_back_during_a_question_is_asked_at_once(visit: Open) -> None:
    phone = await visit()
    pages = phone.stage.pages
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    pages.hold()
    await phone.page.evaluate("dispatchEvent(new Event('offline'))")
    await pages.until_asked(2)
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await phone.page.clock.fast_forward(8_000)  # the first question's patience ends
    await pages.until_asked(3)
    pages.release()
    await phone.expect_note("Ready to scan")
