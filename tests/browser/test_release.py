"""A new release of the page reaches phones that keep an old one, whole or not at all."""

from __future__ import annotations

import pytest
from msgspec import structs
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.stage import open_stage, rebuild

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Ask for an update and follow the new worker until it serves the page or is thrown away.
UPDATE = """async () => {
  const registration = await navigator.serviceWorker.ready;
  await registration.update();
  const worker = registration.installing ?? registration.waiting ?? registration.active;
  const settled = () => ["activated", "redundant"].includes(worker.state);
  while (!settled()) await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
  return [worker.state, registration.active === worker];
}"""


async def test_a_new_build_takes_the_old_ones_place_and_works_without_a_network(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.until_worker()
    await phone.expect_build(phone.stage.assets.build)
    await phone.stage.stop()
    released = rebuild(phone.stage.assets)
    async with open_stage(phone.stage.clock, released, phone.stage.port):
        await phone.open()
        await phone.expect_note("Ready to scan")
        assert await phone.page.evaluate(UPDATE) == ["activated", True]
        await phone.expect_build(released.build)
    await phone.open()
    await phone.expect_note("Offline: the code works all the same")
    await expect(phone.page.locator("script")).to_have_attribute("src", f"{released.base}/app.js")


async def test_half_a_release_is_not_kept(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.until_worker()
    old = phone.stage.assets
    await phone.expect_build(old.build)
    await phone.stage.stop()
    # The worker comes from a machine that has the release, the page from one that has not.
    mixed = structs.replace(rebuild(old), shells=old.shells)
    async with open_stage(phone.stage.clock, mixed, phone.stage.port):
        await phone.open()
        assert await phone.page.evaluate(UPDATE) == ["redundant", False]
    await phone.open()
    await phone.expect_note("Offline: the code works all the same")
    await expect(phone.page.locator("script")).to_have_attribute("src", f"{old.base}/app.js")
