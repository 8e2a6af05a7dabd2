"""What a camera reads off the page is what a gate admits, at the right time and at no other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs
from playwright.async_api import expect

from shared.admission.verdict import Reason
from shared.codes import chain
from shared.codes.reader import CodeRead, CodeRefused
from tests.browser.conftest import Open
from tests.browser.stage import DAY, SLOT, fill_wallet, make_reader
from tests.unit.shared.samples import NOW, T0

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW_SLOT = chain.slot_at(T0, 15, NOW)

# Gather every slot that is shown from now on.
LISTEN = """() => {
  const canvas = document.getElementById("code");
  window.shown = new Set();
  new MutationObserver(() => window.shown.add(canvas.dataset.slot)).observe(canvas, { attributeFilter: ["data-slot"] });
}"""


async def test_a_gate_admits_the_code_on_the_screen_and_refuses_its_picture_a_minute_later(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    text = await phone.scan()
    reader = make_reader()
    read = reader.read(text, NOW)
    assert isinstance(read, CodeRead)
    assert (read.skew_slots, read.capsule.claims.product) == (0, 3)
    late = reader.read(text, NOW + timedelta(minutes=1))
    assert isinstance(late, CodeRefused)
    assert late.reason is Reason.CODE_STALE


async def test_ten_minutes_show_forty_codes_each_admitted_in_its_slot(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    reader, seen = make_reader(), set()
    for step in range(40):
        await phone.expect_slot(NOW_SLOT + step)
        text = await phone.scan()
        read = reader.read(text, phone.stage.clock.now())
        assert isinstance(read, CodeRead), read
        assert read.skew_slots == 0
        seen.add(text)
        await phone.pass_time(SLOT)
    assert len(seen) == 40


@pytest.mark.parametrize("hours", [-30, -1, 1, 30])
async def test_a_phone_whose_clock_is_hours_off_shows_the_servers_time(visit: Open, hours: int) -> None:
    phone = await visit(phone_time=NOW + timedelta(hours=hours))
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    await phone.pass_time(4 * SLOT)
    await phone.expect_slot(NOW_SLOT + 4)
    assert isinstance(make_reader().read(await phone.scan(), NOW + 4 * SLOT), CodeRead)


async def test_setting_the_phones_clock_forward_on_the_open_page_shows_no_later_code(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()  # from here on the page does nothing of itself before its slot ends
    await phone.page.evaluate(LISTEN)
    await phone.page.clock.set_system_time(NOW + timedelta(hours=2))
    await phone.pass_time(SLOT)
    await phone.expect_slot(NOW_SLOT + 1)
    # It noticed, asked, and knows the time again.
    await phone.stage.pages.until_asked(2)
    await phone.expect_note("Ready to scan")
    assert isinstance(make_reader().read(await phone.scan(), NOW + SLOT), CodeRead)
    assert await phone.page.evaluate("[...window.shown]") == [str(NOW_SLOT + 1)]


async def test_a_new_epochs_capsule_takes_over_at_midnight(visit: Open) -> None:
    last = T0 + DAY - SLOT
    phone = await visit(phone_time=last)
    phone.stage.clock.advance(last - NOW)
    await phone.open()
    await phone.expect_slot(5760)
    reader = make_reader()
    before = reader.read(await phone.scan(), last)
    await phone.pass_time(SLOT)
    await phone.expect_slot(1)
    after = reader.read(await phone.scan(), last + SLOT)
    assert isinstance(before, CodeRead)
    assert isinstance(after, CodeRead)
    assert (before.key.epoch, after.key.epoch) == (0, 1)


@pytest.mark.parametrize("wait", [timedelta(minutes=2), timedelta(minutes=40)])
async def test_the_page_asks_again_when_the_server_said_and_not_before(visit: Open, wait: timedelta) -> None:
    phone = await visit()
    pages = phone.stage.pages
    wallet = fill_wallet(phone.stage.clock, refresh_after=NOW + wait)
    pages.page = structs.replace(pages.page, wallet=wallet)
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.pass_time(wait * 0.7)
    await phone.expect_slot(chain.slot_at(T0, 15, NOW + wait * 0.7))
    assert pages.asked == 1
    await phone.pass_time(wait * 0.3)
    await pages.until_asked(2)


async def test_slots_of_another_length_are_kept(visit: Open) -> None:
    phone = await visit()
    wallet = fill_wallet(phone.stage.clock, slot_seconds=60)
    phone.stage.pages.page = structs.replace(phone.stage.pages.page, wallet=wallet)
    await phone.open()
    await phone.expect_slot(chain.slot_at(T0, 60, NOW))
    await expect(phone.page.locator("#hint")).to_contain_text("every 60")
    await phone.pass_time(timedelta(seconds=59))
    await phone.expect_slot(chain.slot_at(T0, 60, NOW))
    await phone.pass_time(timedelta(seconds=1))
    await phone.expect_slot(chain.slot_at(T0, 60, NOW) + 1)


async def test_the_code_is_black_on_white_whole_modules_and_quiet_around_in_the_dark_too(visit: Open) -> None:
    phone = await visit(color_scheme="dark", device_scale_factor=3)
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    colours, side, css = await phone.page.evaluate(
        """() => {
          const canvas = document.getElementById("code");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const colours = new Set();
          for (let at = 0; at < data.length; at += 4) colours.add(data.slice(at, at + 4).join());
          return [[...colours].sort(), canvas.width, canvas.getBoundingClientRect().width];
        }"""
    )
    assert colours == ["0,0,0,255", "255,255,255,255"]
    assert side % (49 + 8) == 0
    assert css * 3 == pytest.approx(side)
    assert css > 330
    assert isinstance(make_reader().read(await phone.scan(), NOW), CodeRead)
