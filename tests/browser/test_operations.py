"""The operations page in a real browser, at a real server: an evening is watched, a conflict settled, a gate revoked."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from msgspec import Struct
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.contrast import read_contrasts
from tests.browser.evening import PASSWORD, Evening, bell, hand_over_all, sign_in, write_scan
from tests.browser.visit import watch
from tests.integration.server.doors.house import gate_token
from tests.integration.server.doors.paper_gate import PaperGate

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE: ViewportSize = {"width": 390, "height": 844}
WALL: ViewportSize = {"width": 1920, "height": 1080}


class Watching(Struct, frozen=True, kw_only=True, eq=False):
    """Somebody signed in at a browser, and the evening they watch."""

    evening: Evening
    page: Page
    north: PaperGate
    south: PaperGate
    breaches: list[str]


@pytest_asyncio.fixture(loop_scope="session")
async def watching(browser: Browser, evening: Evening) -> AsyncIterator[Watching]:
    """Give a browser at the live page; afterwards none of its pages may have broken a rule."""
    north, south = await evening.stage.enrol("North 1"), await evening.stage.enrol("South 1")
    context = await browser.new_context(viewport=WALL, locale="en-GB", timezone_id="UTC")
    breaches = await watch(context, evening.running.base_url)
    page = await context.new_page()
    await sign_in(page, evening)
    yield Watching(evening=evening, page=page, north=north, south=south, breaches=breaches)
    await context.close()
    assert breaches == []


async def test_an_evening_is_watched_a_conflict_settled_a_gate_revoked_and_refused(watching: Watching) -> None:
    evening, page = watching.evening, watching.page
    tickets = await evening.sell((60, 20, 5))
    await expect(page.locator("#link")).to_have_text("● Live")
    now = evening.stage.clock.now()
    moments = bell(40, now, timedelta(minutes=15), timedelta(minutes=5))
    await evening.let_in([watching.north, watching.south], tickets[:40], moments)
    await expect(page.locator("[data-n='house.inside']")).to_have_text("40")
    await expect(page.locator("[data-n='house.expected']")).to_have_text("85")
    await expect(page.locator("[data-list='refusals'] li").first).to_be_visible()
    await evening.beat(watching.north, rate=12.0)
    await expect(page.locator(".tile", has_text="North 1")).to_contain_text("● Fine")
    await expect(page.locator("#chart canvas")).to_be_visible()

    # the same ticket at both doors
    hashes = await evening.hashes(tickets[:60])
    place = len(watching.south.bodies) + 1
    for gate in (watching.north, watching.south):
        begin = len(gate.bodies) + 1
        write_scan(gate, hashes[tickets[50].id], now)
        await hand_over_all(gate, begin)
    await expect(page.locator("[data-n='conflicts.open']")).to_have_text("1")
    await page.locator("[data-list='conflicts.newest'] a").click()
    await expect(page.locator(".witness")).to_have_count(2)
    await page.get_by_label("Fraud").check()
    await page.get_by_label("What there is to say").fill("two phones, one ticket")
    await page.get_by_role("button", name="Settle it").click()
    await expect(page.get_by_role("status").filter(has_text="settled")).to_be_visible()
    await expect(page.locator("main")).to_contain_text("by Sam Okafor")

    await page.get_by_role("link", name="Live").click()
    await expect(page.locator("[data-n='conflicts.open']")).to_have_text("0")
    await page.locator(".tile a", has_text="South 1").click()
    await page.get_by_text("Take it out of service").first.click()
    await page.get_by_role("button", name="Take it out of service").click()
    await expect(page.locator("main")).to_contain_text("✕ Out of service")
    assert place
    assert await ask_as_gate(evening, watching.south) == (403, "device_revoked")


async def ask_as_gate(evening: Evening, gate: PaperGate) -> tuple[int, str]:
    """Return what a gate is answered that wants to go on."""
    token = gate_token(gate.row.tenant, gate.id, gate.sign, evening.stage.clock)
    url = f"{evening.running.base_url}/gate/v1/feed?event={evening.stage.event}&after=0"
    async with aiohttp.ClientSession() as client, client.get(url, headers={"Authorization": f"Bearer {token}"}) as one:
        answer = await one.json(content_type=None)
        return one.status, answer["code"]


async def test_a_list_that_changes_takes_no_link_from_under_key_or_hand(watching: Watching) -> None:
    page, tile = watching.page, watching.page.locator(".tile", has_text="North 1")
    link = tile.locator("a")
    await watching.evening.beat(watching.north, rate=12.0)
    await expect(tile).to_contain_text("12")
    await link.focus()
    await watching.evening.beat(watching.north, rate=31.0)
    await expect(tile).to_contain_text("31")
    await expect(link).to_be_focused()

    await link.hover()
    updated = await page.locator("#board").get_attribute("data-updated")
    await page.mouse.down()
    await watching.evening.beat(watching.north, rate=44.0)
    await page.wait_for_function("before => document.getElementById('board').dataset.updated !== before", arg=updated)
    await page.mouse.up()
    await page.wait_for_url("**/gates/**")
    assert str(watching.north.id) in page.url


async def test_a_lost_line_is_shown_and_heals_without_a_gap(watching: Watching) -> None:
    evening, page = watching.evening, watching.page
    tickets = await evening.sell((3, 0, 0))
    hashes = await evening.hashes(tickets)
    await expect(page.locator("#link")).to_have_text("● Live")
    await page.context.set_offline(True)
    await expect(page.locator("#link")).to_contain_text("No connection")
    write_scan(watching.north, hashes[tickets[0].id], evening.stage.clock.now())
    await hand_over_all(watching.north)
    await expect(page.locator("[data-n='house.inside']")).to_have_text("0")
    await page.context.set_offline(False)
    await expect(page.locator("#link")).to_have_text("● Live")
    await expect(page.locator("[data-n='house.inside']")).to_have_text("1")
    # the browser's own words about the missing network
    watching.breaches[:] = [one for one in watching.breaches if "ERR_INTERNET_DISCONNECTED" not in one]
    assert await page.locator("[data-n='house.arrived']").text_content() == "1"


async def test_a_session_that_ends_says_so_on_the_open_page(watching: Watching) -> None:
    evening, page = watching.evening, watching.page
    await expect(page.locator("#link")).to_have_text("● Live")
    async with evening.stage.db.tenant(evening.stage.tenant) as tx:
        for staff in await tx.staff.list_all():
            await tx.staff.end_all(staff.id, evening.stage.clock.now())
    await expect(page.locator("#link")).to_contain_text("sign in again")
    await page.locator("#link a").click()
    await expect(page.get_by_label("Password")).to_be_visible()
    assert page.url.startswith(f"{evening.running.base_url}/ops/sign-in")


async def test_without_scripts_the_page_tells_its_figures(browser: Browser, evening: Evening) -> None:
    gate = await evening.stage.enrol("North 1")
    tickets = await evening.sell((4, 0, 0))
    hashes = await evening.hashes(tickets)
    for ticket in tickets[:3]:
        write_scan(gate, hashes[ticket.id], evening.stage.clock.now())
    await hand_over_all(gate)
    context = await browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = await context.new_page()
    await page.goto(evening.page)
    await page.fill("#login", "sam")
    await page.fill("#password", PASSWORD)
    await page.click("text=Sign in")
    await expect(page.locator("[data-n='house.inside']")).to_have_text("3")
    await expect(page.locator("#chart path")).to_have_attribute("d", "M0.0 200v-194.0h19.2V200z")
    assert 'http-equiv="refresh"' in await page.content()
    await page.click("text=Gates >> nth=0")
    await page.click("text=North 1")
    await page.click("summary:has-text('Take it out of service')")
    await page.click("button:has-text('Take it out of service')")
    await expect(page.locator("main")).to_contain_text("✕ Out of service")
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_everything_fits_and_has_a_name(browser: Browser, evening: Evening, scheme: Any) -> None:
    gates = [await evening.stage.enrol(name) for name in ("North 1", "N" * 100, "\u05e9\u05e2\u05e8 <b>")]
    ticket = await evening.sell_hostile()
    hashes = await evening.hashes([ticket])
    for gate in gates[:2]:
        write_scan(gate, hashes[ticket.id], evening.stage.clock.now())
        await hand_over_all(gate)
    await evening.beat(gates[0], backlog=99)
    await evening.beat(gates[1], ago=timedelta(minutes=5))
    context = await browser.new_context(viewport=PHONE, color_scheme=scheme)
    page = await context.new_page()
    await sign_in(page, evening)
    event = evening.page
    conflict = await page.locator("[data-list='conflicts.newest'] a").first.get_attribute("href")
    places = ["", "/gates", "/conflicts", "/tickets?q=img", "/manage", "/enrol"]
    addresses = [event + place for place in places] + [f"{evening.running.base_url}{conflict}"]
    addresses += [f"{evening.running.base_url}/ops/{one}" for one in (f"tickets/{ticket.id}", "audit", "sessions", "")]
    for address, width in itertools.product(addresses, (390, 1280)):
        await page.set_viewport_size({"width": width, "height": 844})
        await page.goto(address.removesuffix("/"))
        poor = [one for one in await read_contrasts(page) if one.ratio < one.needed]
        assert poor == [], address
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, address
        unnamed = await page.evaluate(UNNAMED)
        assert unnamed == [], address
    await context.close()


UNNAMED = """() => [...document.querySelectorAll(
    "a, button, input:not([type=hidden]), select, textarea, progress, summary, svg[role=img]")]
  .filter((one) => !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length))
  .map((one) => one.outerHTML.slice(0, 120))"""


async def test_pages_are_light(watching: Watching) -> None:
    page = watching.page
    await page.reload(wait_until="load")
    await expect(page.locator("#link")).to_have_text("● Live")
    loaded = await page.evaluate(LOADED)
    assert len(loaded) > 6
    ours = {url: size for url, size in loaded if "uplot" not in url}
    assert 0 < sum(ours.values()) < 300_000, ours


LOADED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((one) => [one.name, one.decodedBodySize])"""
