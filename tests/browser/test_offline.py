"""After one visit the ticket opens without a network, and what is kept for that does not leave the phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs
from playwright.async_api import expect

from shared.codes import chain
from shared.codes.reader import CodeRead
from tests.browser.conftest import PLAIN_HOST, Open
from tests.browser.stage import LINK, SLOT, Stage, fill_wallet, make_reader
from tests.unit.shared.samples import NOW, T0

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW_SLOT = chain.slot_at(T0, 15, NOW)
HOUR = timedelta(hours=1)


async def test_the_ticket_opens_and_rotates_with_the_network_off(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    await phone.page.context.set_offline(True)
    await phone.page.reload()
    await phone.expect_slot(NOW_SLOT)
    await phone.expect_note("Offline: the code works all the same")
    asked = phone.stage.pages.asked
    reader = make_reader()
    for step in range(1, 4):
        await phone.pass_time(SLOT)
        await phone.expect_slot(NOW_SLOT + step)
        assert isinstance(reader.read(await phone.scan(), phone.stage.clock.now()), CodeRead)
    assert phone.stage.pages.asked == asked


async def test_the_ticket_opens_when_the_server_is_gone(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    await phone.stage.stop()
    await phone.page.close()
    page = await phone.page.context.new_page()
    later = structs.replace(phone, page=page)
    await later.open()
    await later.expect_note("Offline: the code works all the same")
    assert isinstance(make_reader().read(await later.scan(), NOW), CodeRead)


async def test_time_away_is_told_by_the_phones_clock_and_the_servers_offset(visit: Open) -> None:
    phone = await visit(phone_time=NOW + 5 * HOUR)
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    await phone.page.context.set_offline(True)
    await phone.page.goto("about:blank")
    await phone.pass_time(2 * HOUR)
    await phone.open()
    await phone.expect_slot(NOW_SLOT + 480)
    assert isinstance(make_reader().read(await phone.scan(), NOW + 2 * HOUR), CodeRead)


async def test_a_clock_set_back_while_the_page_was_closed_is_noticed(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    await phone.page.context.set_offline(True)
    await phone.page.clock.set_system_time(NOW - HOUR)
    await phone.page.reload()
    await phone.expect_note("Time not confirmed")
    # It is not earlier than it was.
    await phone.expect_slot(NOW_SLOT)
    await phone.page.context.set_offline(False)
    await phone.expect_note("Ready to scan")


async def test_a_clock_set_while_offline_is_noticed_and_not_followed(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.lose_network()
    await phone.page.clock.set_system_time(NOW + HOUR)
    await phone.pass_time(SLOT)
    await phone.expect_note("Time not confirmed")
    await phone.expect_slot(NOW_SLOT + 1)


async def test_a_phone_that_slept_offline_shows_the_present_code_on_waking(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.lose_network()
    await phone.look_away()
    # The monotonic counter stands still while the phone sleeps; the wall clock goes on. In between it wakes for a moment.
    await phone.page.clock.set_system_time(NOW + HOUR / 2)
    await phone.page.clock.fast_forward(15_000)
    await phone.page.clock.set_system_time(NOW + HOUR)
    await phone.look_again()
    await phone.expect_slot(NOW_SLOT + 240)
    await phone.expect_note("Offline: the code works all the same")
    assert isinstance(make_reader().read(await phone.scan(), NOW + HOUR), CodeRead)


async def test_the_seed_is_kept_in_a_form_that_cannot_be_read_back(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.expect_stored("CryptoKey false")
    await phone.until_worker()
    left_about = await phone.page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, document.cookie, (await caches.keys()).length]"
    )
    assert left_about[:3] == [0, 0, ""]
    kept = await phone.page.evaluate(
        """async () => {
          const cache = await caches.open((await caches.keys())[0]);
          return (await cache.keys()).map((request) => new URL(request.url).pathname);
        }"""
    )
    assert not [path for path in kept if path.endswith("/wallet") or LINK in path]
    assert "/t/" in kept


async def test_a_ticket_never_opened_here_asks_for_a_connection_and_loads_when_there_is_one(visit: Open) -> None:
    phone = await visit()
    await phone.page.goto(f"{phone.stage.origin}/t/")
    await phone.expect_screen("invalid")
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    await phone.page.context.set_offline(True)
    await phone.page.goto(f"{phone.stage.origin}/t/another-link")
    await phone.expect_screen("unreachable")
    await expect(phone.page.get_by_role("heading", name="No connection")).to_be_visible()
    await phone.page.context.set_offline(False)
    # The server answers now, and knows no such link.
    await phone.expect_screen("invalid")


async def test_trying_again_by_hand_asks_the_server(visit: Open) -> None:
    phone = await visit()
    await phone.page.route("**/wallet", lambda route: route.abort())
    await phone.open()
    await phone.expect_screen("unreachable")
    await phone.page.unroute("**/wallet")
    await phone.page.get_by_role("button", name="Try again").press("Enter")
    await phone.expect_slot(NOW_SLOT)


@pytest.mark.parametrize("status", [200, 302, 404, 500, 503])
async def test_a_hotspots_answer_takes_nothing_away(visit: Open, status: int) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.page.route(
        "**/wallet",
        lambda route: route.fulfill(
            status=status, body="<html>Welcome to our Wi-Fi</html>", headers={"Location": "/login"}
        ),
    )
    await phone.page.reload()
    await phone.expect_note("Offline")
    await phone.expect_slot(NOW_SLOT)
    await phone.expect_stored("CryptoKey false")


async def test_a_browser_that_keeps_nothing_says_so(visit: Open) -> None:
    phone = await visit()
    await phone.page.add_init_script(
        "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', { value: null });"
    )
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    await phone.expect_note("This browser keeps nothing")


# Requests for the phone's store that are never answered, as WebKit has had them.
DEAF_STORE = "IDBFactory.prototype.open = () => new EventTarget();"


async def test_a_browser_whose_store_never_answers_shows_codes_all_the_same(visit: Open) -> None:
    phone = await visit()
    await phone.page.add_init_script(DEAF_STORE)
    await phone.open()
    await phone.until_worker()
    for step in range(6):  # beyond the minute after which the time is to be kept anew
        await phone.expect_slot(NOW_SLOT + step)
        await phone.pass_time(SLOT)
    assert isinstance(make_reader().read(await phone.scan(), phone.stage.clock.now()), CodeRead)


async def test_codes_beyond_those_on_the_phone_ask_for_a_network(visit: Open) -> None:
    phone = await visit()
    page = phone.stage.pages.page
    wallet = fill_wallet(phone.stage.clock)
    phone.stage.pages.page = structs.replace(page, wallet=structs.replace(wallet, capsules=wallet.capsules[:1]))
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.lose_network()
    await phone.pass_time(6 * HOUR)
    await phone.expect_screen("stale")
    assert await phone.page.locator("#code").get_attribute("data-slot") is None


async def test_a_page_not_opened_over_https_shows_codes_and_keeps_nothing(visit: Open, stage: Stage) -> None:
    phone = await visit(origin=stage.origin.replace("127.0.0.1", PLAIN_HOST))
    await phone.open()
    await phone.expect_note("Not opened over https")
    assert isinstance(make_reader().read(await phone.scan(), NOW), CodeRead)
    await phone.expect_stored()
