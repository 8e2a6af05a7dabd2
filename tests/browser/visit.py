"""One phone's browser on the ticket page: what it shows, what a camera would read off it, and what it did wrong."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import cv2
import numpy as np
from msgspec import Struct
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, expect

from gate.scanner.decoder import ZxingDecoder
from gate.scanner.frames import Image
from tests.browser.stage import Stage

POLICY_WATCH = """addEventListener("securitypolicyviolation",
  (event) => console.error(`policy breached: ${event.violatedDirective} ${event.blockedURI}`))"""
SIGHT = """(state) => {
  Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
# How many questions to the server are under way. A test moves the server's clock and the phone's one after the other: an
# answer given between the two would be from the future.
ASKING_WATCH = """{
window.asking = 0;
const fetching = window.fetch;
window.fetch = async (...question) => {
  window.asking += 1;
  try {
    const answer = await fetching(...question);
    await answer.clone().arrayBuffer();
    return answer;
  } finally {
    window.asking -= 1;
  }
};
}"""
# The browser's own lines about an answer that was no success, which the page deals with, and about plain http.
EXPECTED = ("Failed to load resource", "The Cross-Origin-Opener-Policy header has been ignored")


class Visit(Struct, frozen=True, kw_only=True):
    """A page of a phone of its own."""

    page: Page
    stage: Stage
    breaches: list[str]

    async def open(self) -> None:
        """Open the ticket's link."""
        await self.page.goto(self.stage.link)

    async def expect_screen(self, name: str) -> None:
        """Fail unless the page comes to show this screen."""
        await expect(self.page.locator("body")).to_have_attribute("data-screen", name)

    async def expect_slot(self, slot: int) -> None:
        """Fail unless the code of this slot comes to be shown."""
        await expect(self.page.locator("#code")).to_have_attribute("data-slot", str(slot))

    async def expect_note(self, text: str) -> None:
        """Fail unless the page comes to say this of its state."""
        await expect(self.page.locator("#note")).to_contain_text(text)

    async def lose_network(self) -> None:
        """Cut the network under an open code and return once the page has noticed.

        The browser tells the page before it cuts: a question asked at once may still get through, so it is told again.
        """
        await self.page.context.set_offline(True)
        async with asyncio.timeout(20):
            while await self.page.locator("#note").get_attribute("data-note") != "stored":
                await self.page.evaluate("dispatchEvent(new Event('offline'))")

    async def until_worker(self) -> None:
        """Return once the browser keeps the page for visits without a network."""
        await self.page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")

    async def expect_build(self, build: str) -> None:
        """Fail unless the browser comes to keep the page of this build and no other."""
        async with asyncio.timeout(20):
            while await self.page.evaluate("caches.keys()") != [f"ticket-page-{build}"]:
                pass

    async def pass_time(self, step: timedelta) -> None:
        """Let time pass for the server and the phone alike, while nothing is on its way between them."""
        async with asyncio.timeout(20):
            while await self.page.evaluate("window.asking"):
                pass
        self.stage.clock.advance(step)
        await self.page.clock.fast_forward(round(step.total_seconds() * 1000))

    async def look_away(self) -> None:
        """Put the page out of sight, as a phone does that is locked."""
        await self.page.evaluate(SIGHT, "hidden")

    async def look_again(self) -> None:
        """Bring the page back to sight."""
        await self.page.evaluate(SIGHT, "visible")

    async def take_picture(self) -> Image:
        """Return a screenshot as a camera's picture."""
        data = np.frombuffer(await self.page.screenshot(), dtype=np.uint8)
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)

    async def scan(self) -> str:
        """Return the text of the one code on the screen, as a gate reads it."""
        (text,) = ZxingDecoder().decode(await self.take_picture())
        return text

    async def expect_stored(self, *kinds: str) -> None:
        """Fail unless this phone comes to keep seeds of exactly these kinds."""
        async with asyncio.timeout(20):
            while await self.find_stored() != list(kinds):
                pass

    async def find_stored(self) -> list[str]:
        """Return the kinds of seeds this phone keeps, one for each ticket."""
        kinds: list[str] = await self.page.evaluate(
            """() => new Promise((resolve, reject) => {
              const opening = indexedDB.open("tickettoken", 1);
              opening.onupgradeneeded = () => opening.result.createObjectStore("tickets", { keyPath: "link" });
              opening.onerror = () => reject(opening.error);
              opening.onsuccess = () => {
                const reading = opening.result.transaction("tickets").objectStore("tickets").getAll();
                reading.onsuccess = () => {
                  opening.result.close();
                  const kind = ({ seed }) => seed === null ? "none" : `${seed.constructor.name} ${seed.extractable}`;
                  resolve(reading.result.map((one) => kind(one.wallet)));
                };
              };
            })"""
        )
        return kinds


async def watch(context: BrowserContext, origin: str) -> list[str]:
    """Return a list that fills with whatever the context's pages do wrong."""
    breaches: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(EXPECTED):
            breaches.append(message.text)

    def look(request: Request) -> None:
        if not request.url.startswith(f"{origin}/"):
            breaches.append(f"request to {request.url}")

    context.on("console", hear)
    context.on("weberror", lambda error: breaches.append(str(error.error)))
    context.on("request", look)
    for script in (POLICY_WATCH, ASKING_WATCH):
        await context.add_init_script(script)
    return breaches
