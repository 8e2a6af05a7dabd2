"""Photograph the ticket page for docs/images: run `python -m docs.make_ticket_page_pictures` from the project's root.

The page is the real one, in the system's Chromium, before the made-up tickets of its tests. With a directory as argument it
photographs every screen in both schemes and several sizes into that, to look at.
"""  # noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from playwright.async_api import Browser, async_playwright

from server.services.ticket_page import Standing
from shared.clock import ManualClock
from shared.logs import configure_logs
from shared.tickets.lifecycle import State
from tests.browser.conftest import find_browser
from tests.browser.stage import Stage, fill_wallet, open_stage, show_ticket
from tests.unit.shared.samples import NOW

IMAGES = Path(__file__).parent / "images"
PHONE, SMALL, LYING, TABLET = (390, 844), (320, 568), (844, 390), (768, 1024)
LONG = "The Extraordinarily Long-Winded Festival of Harbours, Lighthouses and Fog Signals " * 2


# A third of the slot has passed in every picture.
HOLD_THE_BAR = """for (const bar of document.getElementById("left").getAnimations()) {
  bar.pause();
  bar.currentTime = 5000;
}"""


class Shot(Struct, frozen=True, kw_only=True):
    """One picture: its file's name, and how the phone and the ticket are."""

    name: str
    size: tuple[int, int] = PHONE
    scheme: str = "light"
    locale: str = "en-GB"
    standing: Standing = Standing.READY
    status: State = State.ACTIVE
    early: bool = False
    offline: bool = False
    hostile: bool = False
    helped: bool = False


FOR_THE_README = (
    Shot(name="ticket-page"),
    Shot(name="ticket-page-dark", scheme="dark", offline=True),
)


def all_screens() -> Iterator[Shot]:
    """Give every screen worth a look."""
    for scheme in ("light", "dark"):
        for name, size in (("phone", PHONE), ("small", SMALL), ("lying", LYING), ("tablet", TABLET)):
            yield Shot(name=f"code-{name}-{scheme}", size=size, scheme=scheme)
        yield Shot(name=f"offline-{scheme}", scheme=scheme, offline=True)
        yield Shot(name=f"help-{scheme}", scheme=scheme, helped=True)
        yield Shot(name=f"early-{scheme}", scheme=scheme, early=True)
        for standing in Standing:
            if standing is not Standing.READY:
                yield Shot(name=f"{standing.value}-{scheme}", scheme=scheme, standing=standing, status=State.REVOKED)
    yield Shot(name="german", locale="de-AT")
    yield Shot(name="hostile", hostile=True)
    yield Shot(name="hostile-small", hostile=True, size=SMALL)
    yield Shot(name="scanned", status=State.CHECKED_IN)


def set_scene(stage: Stage, shot: Shot) -> None:
    """Have the server say of the ticket what the picture is to show."""
    names: dict[str, Any] = {"status": shot.status}
    if shot.hostile:
        names |= {
            "event_name": LONG,
            "ticket_type_name": LONG,
            "holder_name": "\u202eW" + "W" * 300,
            "seat": "👩‍👩‍👧‍👦" * 20,
        }
    if shot.standing is not Standing.READY:
        stage.pages.end(shot.standing, **names)
        return
    wallet = fill_wallet(stage.clock)
    if shot.early:
        wallet = fill_wallet(stage.clock, seed=None, reveal_at=NOW.replace(day=22))
    page = stage.pages.page
    stage.pages.page = type(page)(
        standing=Standing.READY, server_time=page.server_time, ticket=show_ticket(**names), wallet=wallet
    )


async def photograph(browser: Browser, shot: Shot, place: Path) -> None:
    """Take one picture."""
    clock = ManualClock(NOW)
    width, height = shot.size
    async with open_stage(clock) as stage:
        set_scene(stage, shot)
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2,
            color_scheme="dark" if shot.scheme == "dark" else "light",
            locale=shot.locale,
            timezone_id="UTC",
        )
        page = await context.new_page()
        await page.clock.install(time=NOW - timedelta(minutes=1))  # it runs until it is paused
        await page.clock.pause_at(NOW)
        await page.goto(stage.link)
        wanted = "early" if shot.early else "code" if shot.standing is Standing.READY else shot.standing.value
        await page.locator(f'body[data-screen="{wanted}"]').wait_for()
        if wanted == "code":
            await page.locator('#note[data-note="synced"]').wait_for()
        if shot.offline:
            await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
            await context.set_offline(True)
            await page.reload()
            await page.locator('#note[data-note="stored"]').wait_for()
        if shot.helped:
            await page.locator("summary").click()
        await page.evaluate(HOLD_THE_BAR)
        target = place / f"{shot.name}.png"
        await page.screenshot(path=target)
        print(target)  # noqa: T201 - its answer
        await context.close()


async def make_pictures(place: Path, shots: list[Shot]) -> None:
    """Take all pictures."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for shot in shots:
            await photograph(browser, shot, place)
        await browser.close()


if __name__ == "__main__":
    configure_logs("error")
    chosen, shots = (Path(sys.argv[1]), all_screens()) if len(sys.argv) > 1 else (IMAGES, iter(FOR_THE_README))
    chosen.mkdir(exist_ok=True, parents=True)
    asyncio.run(make_pictures(chosen, list(shots)))
