"""The page holds whatever it is given: hostile names, every size of screen, both schemes, no pointer, no motion."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from playwright.async_api import expect

from server.services.ticket_page import Standing
from shared.codes import chain
from shared.codes.reader import CodeRead
from tests.browser.conftest import Open
from tests.browser.stage import NUMBER, SLOT, make_reader, show_ticket
from tests.unit.shared.samples import NOW, T0

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW_SLOT = chain.slot_at(T0, 15, NOW)
SIZES = [(320, 568), (390, 844), (844, 390), (568, 320), (768, 1024)]
HOSTILE = [
    '<img src=x onerror="document.title=1"><script>document.title=2</script>',
    "\u202e\u2066moc.live\u2069 \u200f\u202e",
    "👩‍👩‍👧‍👦🎫" * 60,
    "W" * 500,
    "Ünïcødé 名前 مرحبا " * 28,
    "${location} {{constructor}} javascript:alert(1)",
    "\x00\x07\x1b[31m\ud7ff\ufeff",
]

WIDE = """() => {
  const [width] = [document.documentElement.clientWidth];
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 0.5);
  return [document.documentElement.scrollWidth - width, wide.map((one) => one.id || one.tagName)];
}"""

# WCAG 2.2, relative luminance and contrast ratio of every text that can be seen, against the first ground behind it.
CONTRAST = """() => {
  const read = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = read(colour).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (read(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))].sort();
    found.push([texts.currentNode.textContent.trim().slice(0, 30), (other + 0.05) / (one + 0.05)]);
  }
  return found;
}"""


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_is_text_and_breaks_nothing(visit: Open, name: str) -> None:
    phone = await visit(viewport={"width": 320, "height": 568})
    ticket = show_ticket(event_name=name, ticket_type_name=name, holder_name=name, seat=name[:100])
    phone.stage.pages.page = structs.replace(phone.stage.pages.page, ticket=ticket)
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    for place in ("#event", "#fact-type bdi", "#fact-holder bdi"):
        assert await phone.page.locator(place).evaluate("(bdi) => bdi.textContent") == name
        assert await phone.page.locator(place).evaluate("(bdi) => bdi.childElementCount") == 0
    assert (await phone.page.title()).endswith("Ticket")
    assert await phone.page.evaluate(WIDE) == [0, []]
    height = await phone.page.locator("h1").evaluate("(head) => head.getBoundingClientRect().height")
    assert height < 70
    assert isinstance(make_reader().read(await phone.scan(), NOW), CodeRead)


@pytest.mark.parametrize("size", SIZES)
async def test_the_whole_code_is_in_view_and_can_be_read_on_every_screen(visit: Open, size: tuple[int, int]) -> None:
    phone = await visit(viewport={"width": size[0], "height": size[1]})
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    await expect(phone.page.locator("#code")).to_be_in_viewport(ratio=1)
    await expect(phone.page.locator("#countdown")).to_be_in_viewport(ratio=1)
    assert await phone.page.evaluate(WIDE) == [0, []]
    # The code takes most of the shorter side: below about four pixels a module cameras begin to miss.
    side = await phone.page.locator("#code").evaluate("(canvas) => canvas.getBoundingClientRect().width")
    assert side > 0.7 * min(*size, 480)
    assert isinstance(make_reader().read(await phone.scan(), NOW), CodeRead)


@pytest.mark.parametrize("size", SIZES[:2])
async def test_ticket_and_seat_show_without_scrolling(visit: Open, size: tuple[int, int]) -> None:
    phone = await visit(viewport={"width": size[0], "height": size[1]})
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    for fact, words in (("type", "Balcony"), ("seat", "Row F, 12")):
        await expect(phone.page.locator(f"#fact-{fact} dd")).to_have_text(words)
        await expect(phone.page.locator(f"#fact-{fact} dd")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("size", [SIZES[0], SIZES[3]])
async def test_number_that_gates_find_the_ticket_by_stands_on_one_line(visit: Open, size: tuple[int, int]) -> None:
    phone = await visit(viewport={"width": size[0], "height": size[1]})
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    number = phone.page.locator("#fact-number dd")
    await expect(number).to_have_text(NUMBER)
    shown, whole, height, line = await number.evaluate(
        "(dd) => [dd.clientWidth, dd.scrollWidth, dd.clientHeight, parseFloat(getComputedStyle(dd).lineHeight)]"
    )
    assert whole <= shown
    assert height < 1.5 * line


async def test_turning_the_phone_draws_the_code_anew_in_whole_modules(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    upright = await phone.page.locator("#code").evaluate("(canvas) => canvas.width")
    await phone.page.set_viewport_size({"width": 568, "height": 320})
    await expect(phone.page.locator("#code")).not_to_have_js_property("width", upright)
    assert await phone.page.locator("#code").evaluate("(canvas) => canvas.width % 57") == 0
    assert isinstance(make_reader().read(await phone.scan(), NOW), CodeRead)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("standing", [Standing.READY, Standing.VOID, Standing.OVER])
async def test_every_text_has_the_contrast_of_wcag_aa(visit: Open, scheme: Any, standing: Standing) -> None:
    phone = await visit(color_scheme=scheme)
    if standing is not Standing.READY:
        phone.stage.pages.end(standing)
    await phone.open()
    await phone.expect_screen("code" if standing is Standing.READY else standing.value)
    if standing is Standing.READY:
        await phone.expect_note("Ready to scan")
        await phone.page.locator("summary").click()
    found = await phone.page.evaluate(CONTRAST)
    assert len(found) >= 10
    assert [one for one in found if one[1] < 4.5] == []


async def test_everything_can_be_reached_by_keyboard_and_has_a_name(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await expect(phone.page.get_by_role("img", name="Entry code")).to_be_visible()
    await expect(phone.page.get_by_role("status")).to_have_text("Ready to scan")
    await expect(phone.page.get_by_role("main")).to_have_count(1)
    await expect(phone.page.get_by_role("heading", level=1)).to_have_text("Harbour Nights Opening")
    await phone.page.keyboard.press("Tab")
    focused = phone.page.locator("summary:focus")
    assert await focused.evaluate("(summary) => getComputedStyle(summary).outlineStyle") == "solid"
    await phone.page.keyboard.press("Enter")
    await expect(phone.page.get_by_text("tell the staff the number above")).to_be_visible()


async def test_the_bar_moves_in_steps_for_who_asked_for_less_motion(visit: Open) -> None:
    timing = "document.getElementById('left').getAnimations()[0].effect.getTiming()"
    eased = {}
    for wish in ("reduce", "no-preference"):
        phone = await visit(reduced_motion=wish)
        await phone.open()
        await phone.expect_slot(NOW_SLOT)
        found = await phone.page.evaluate(f"(({{ easing, duration }}) => [easing, duration])({timing})")
        eased[wish] = found[0]
        assert found[1] == 15_000
    assert eased == {"reduce": "steps(15)", "no-preference": "linear"}


@pytest.mark.parametrize(
    ("locale", "lang", "note", "starts"),
    [
        ("de-AT", "de", "Bereit zum Scannen", "Beginn Sa., 20. Juni um 20:00"),
        ("en-US", "en", "Ready to scan", "Starts Sat, June 20 at 08:00 PM"),
        ("fr-FR", "en", "Ready to scan", "Starts Sat, June 20 at 08:00 PM"),
    ],
)
async def test_the_page_speaks_the_phones_language_or_english(
    visit: Open, locale: str, lang: str, note: str, starts: str
) -> None:
    phone = await visit(locale=locale)
    await phone.open()
    await phone.expect_note(note)
    await expect(phone.page.locator("html")).to_have_attribute("lang", lang)
    text = await phone.page.locator("#starts").evaluate("(place) => place.textContent.replaceAll('\\u202f', ' ')")
    assert text == starts


# A screen that is kept lit or not, by the standard's own words.
LAMP = """window.lamp = { asked: 0, lit: false };
Object.defineProperty(navigator, "wakeLock", { value: { request: async (kind) => {
  const lock = new EventTarget();
  window.lamp.asked += 1;
  window.lamp.lit = kind === "screen";
  lock.release = async () => { window.lamp.lit = false; lock.dispatchEvent(new Event("release")); };
  return lock;
} } });"""


async def test_the_screen_stays_lit_for_five_minutes_of_a_code_and_again_when_somebody_looks(visit: Open) -> None:
    phone = await visit()
    await phone.page.add_init_script(LAMP)
    await phone.open()
    await phone.expect_note("Ready to scan")
    assert await phone.page.evaluate("window.lamp") == {"asked": 1, "lit": True}
    # The browser's own seconds pass as well, so the steps stay well clear of the five minutes.
    for _ in range(15):
        await phone.pass_time(SLOT)
        await phone.expect_note("Ready to scan")
    assert await phone.page.evaluate("window.lamp") == {"asked": 1, "lit": True}
    for _ in range(15):
        await phone.pass_time(SLOT)
        await phone.expect_note("Ready to scan")
    assert await phone.page.evaluate("window.lamp") == {"asked": 1, "lit": False}
    await phone.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await phone.pass_time(SLOT)
    await phone.expect_note("Ready to scan")
    assert await phone.page.evaluate("window.lamp") == {"asked": 2, "lit": True}


@pytest.mark.parametrize("standing", [Standing.VOID, Standing.LOCKED])
async def test_without_a_code_the_screen_may_go_dark(visit: Open, standing: Standing) -> None:
    phone = await visit()
    await phone.page.add_init_script(LAMP)
    await phone.open()
    await phone.expect_note("Ready to scan")
    phone.stage.pages.end(standing)
    await phone.page.evaluate("dispatchEvent(new Event('online'))")
    await phone.expect_screen(standing.value)
    assert await phone.page.evaluate("window.lamp") == {"asked": 1, "lit": False}


async def test_a_browser_that_cannot_keep_the_screen_lit_shows_the_code_all_the_same(visit: Open) -> None:
    phone = await visit()
    await phone.page.add_init_script(
        "Object.defineProperty(navigator, 'wakeLock', { value: { request: async () => { throw new Error('no'); } } });"
    )
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    await phone.pass_time(SLOT)
    await phone.expect_slot(NOW_SLOT + 1)
