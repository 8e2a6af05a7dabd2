"""Photograph the operations page for docs/images: run `python -m docs.make_ops_pictures` from the project's root.

The page is the real one, in the system's Chromium, at a real server with an evening played into it. With a directory as argument
it photographs every page in both schemes at phone and wall size into that, to look at.
"""  # noqa: INP001 - a script beside the pages, not a package

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

from msgspec import Struct
from playwright.async_api import Browser, async_playwright, expect

from server.embedded_stack import embedded_cluster
from server.settings import EmbeddedSettings
from shared.logs import configure_logs
from tests.browser.conftest import find_browser
from tests.browser.evening import PASSWORD, Evening, bell, hand_over_all, open_evening

IMAGES = Path(__file__).parent / "images"
PHONE, WALL = (390, 844), (1920, 1080)
GATES = ("North 1", "North 2", "South 1", "South 2", "Lounge", "Pier")
RATES = (12.4, 9.0, 14.2, 8.1, 3.0, 0.0)
SOLD = (560, 230, 60)
CAME = 480

Scheme = Literal["light", "dark"]


class Shot(Struct, frozen=True, kw_only=True):
    """One picture: its file's name, which page, and how large and how light."""

    name: str
    page: str = ""
    size: tuple[int, int] = WALL
    scheme: Scheme = "dark"


FOR_THE_README = (
    Shot(name="operations-wall"),
    Shot(name="operations-phone", size=PHONE, scheme="light"),
    Shot(name="operations-conflict", page="conflict", size=(1280, 720), scheme="light"),
)


def all_pages() -> Iterator[Shot]:
    """Yield every page in both schemes and both sizes."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    for page in (
        "",
        "/gates",
        "gate",
        "/conflicts",
        "conflict",
        "/tickets?q=Guest%2012",
        "ticket",
        "/manage",
        "/enrol",
        "audit",
    ):
        for scheme in schemes:
            for size_name, size in (("phone", PHONE), ("wall", WALL)):
                word = page.strip("/").partition("?")[0] or "live"
                yield Shot(name=f"{word}-{scheme}-{size_name}", page=page, size=size, scheme=scheme)


async def play(evening: Evening) -> dict[str, str]:
    """Play an evening up to its busiest moment; return where single things are to be seen."""
    gates = [await evening.stage.enrol(name) for name in GATES]
    await evening.stage.enrol("Backstage")
    tickets = await evening.sell(SOLD)
    random.Random(3).shuffle(tickets)  # noqa: S311 - a crowd, not a secret
    now = evening.stage.clock.now()
    moments = bell(CAME, now, timedelta(minutes=24), timedelta(minutes=2))
    await evening.let_in(gates, tickets[:CAME], moments)
    twice = tickets[-1]
    for gate, ago in ((gates[0], 40), (gates[2], 36)):
        begin = len(gate.bodies) + 1
        await gate.scan(twice, at=now - timedelta(seconds=ago))
        await hand_over_all(gate, begin)
    for gate, rate in zip(gates, RATES, strict=True):
        ago = timedelta(seconds=90 if gate is gates[5] else 2)
        await evening.beat(gate, rate=rate, ago=ago, backlog=84 if gate is gates[3] else 0)
    async with evening.stage.db.tenant(evening.stage.tenant) as tx:
        (conflict,) = await tx.conflicts.of_tickets([twice.id])
    return {
        "gate": f"/ops/gates/{gates[3].id}",
        "conflict": f"/ops/conflicts/{conflict.id}",
        "ticket": f"/ops/tickets/{twice.id}",
        "audit": "/ops/audit",
    }


async def photograph(browser: Browser, evening: Evening, places: dict[str, str], shot: Shot, folder: Path) -> None:
    """Sign in and take one picture."""
    width, height = shot.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=shot.scheme,
        device_scale_factor=2 if shot.size == PHONE else 1,
        locale="en-GB",
    )
    page = await context.new_page()
    await page.goto(f"{evening.running.base_url}/ops/sign-in")
    await page.fill("#login", "sam")
    await page.fill("#password", PASSWORD)
    await page.click("button.first")
    own = evening.page + shot.page if shot.page[:1] in {"", "/"} else evening.running.base_url + places[shot.page]
    await page.goto(own)
    if not shot.page:
        await expect(page.locator("#link")).to_have_text("● Live")
        await expect(page.locator("#chart canvas")).to_be_visible()
    await page.screenshot(path=folder / f"{shot.name}.png")
    await context.close()


async def make(place: Path, shots: tuple[Shot, ...], folder: Path) -> None:
    """Play an evening and take the pictures."""
    async with (
        embedded_cluster(place, EmbeddedSettings(), unsafe_fast=True) as found,
        open_evening(found.cluster.app_dsn, found.cluster.worker_dsn) as evening,
        async_playwright() as playwright,
    ):
        places = await play(evening)
        browser = await playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for shot in shots:
            await photograph(browser, evening, places, shot, folder)
        await browser.close()


def main() -> None:
    """Take the pictures of the README, or all of them into a directory."""
    configure_logs("error")
    folder, shots = IMAGES, FOR_THE_README
    if len(sys.argv) > 1:
        folder, shots = Path(sys.argv[1]), tuple(all_pages())
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)  # the database runs as another account when this one is root
        asyncio.run(make(Path(name, "data"), shots, folder))


if __name__ == "__main__":
    main()
