"""Each way a ticket can stand has its screen, and a ticket that shows no code leaves none behind on the phone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs
from playwright.async_api import expect

from server.services.ticket_page import Standing
from shared.codes import chain
from shared.codes.reader import CodeRead
from shared.tickets.lifecycle import State
from tests.browser.conftest import Open
from tests.browser.stage import SLOT, fill_wallet, make_reader, show_ticket
from tests.unit.shared.samples import NOW, T0

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOW_SLOT = chain.slot_at(T0, 15, NOW)

ENDINGS = [
    (Standing.REPLACED, State.ACTIVE, "This link holds no ticket any more"),
    (Standing.VOID, State.REVOKED, "It was revoked by the organiser"),
    (Standing.VOID, State.REFUNDED, "It was refunded"),
    (Standing.LOCKED, State.ACTIVE, "This ticket is on hold"),
    (Standing.OVER, State.ACTIVE, "This event is over"),
    (Standing.CANCELLED, State.ACTIVE, "This event was cancelled"),
]


@pytest.mark.parametrize(("standing", "status", "words"), ENDINGS)
async def test_a_ticket_that_ends_while_its_code_is_shown_loses_code_and_seed(
    visit: Open, standing: Standing, status: State, words: str
) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.until_worker()
    assert len(await phone.find_stored()) == 1
    phone.stage.pages.end(standing, status=status)
    await phone.pass_time(timedelta(minutes=6))
    await phone.expect_screen(standing.value)
    await expect(phone.page.locator("#message")).to_contain_text(words)
    await expect(phone.page.locator("#pass")).to_be_hidden()
    assert await phone.page.locator("#code").evaluate("(canvas) => canvas.width") == 1
    await phone.expect_stored()
    # Without a network nothing is there to go on with.
    await phone.page.context.set_offline(True)
    await phone.page.reload()
    await phone.expect_screen("unreachable")


@pytest.mark.parametrize(("standing", "status", "words"), ENDINGS)
async def test_a_ticket_that_had_ended_before_never_shows_a_code(
    visit: Open, standing: Standing, status: State, words: str
) -> None:
    phone = await visit()
    phone.stage.pages.end(standing, status=status)
    await phone.open()
    await phone.expect_screen(standing.value)
    await expect(phone.page.locator("#message")).to_contain_text(words)
    await expect(phone.page.locator("#head")).to_be_visible(visible=standing is not Standing.REPLACED)
    await phone.expect_stored()


async def test_the_code_appears_by_itself_when_it_may_be_known(visit: Open) -> None:
    phone = await visit()
    ready = phone.stage.pages.page
    early = fill_wallet(phone.stage.clock, seed=None, reveal_at=NOW + timedelta(minutes=4))
    phone.stage.pages.page = structs.replace(ready, wallet=early)
    await phone.open()
    await phone.expect_screen("early")
    await expect(phone.page.get_by_role("heading", level=2)).to_have_text("Your code appears on Sat 20 June at 19:04")
    await phone.expect_stored("none")
    phone.stage.pages.page = ready
    await phone.pass_time(timedelta(minutes=4))
    await phone.expect_screen("loading")
    await phone.pass_time(timedelta(seconds=10))
    await phone.expect_screen("code")
    assert isinstance(make_reader().read(await phone.scan(), phone.stage.clock.now()), CodeRead)


async def test_an_early_ticket_tells_its_date_without_a_network_too(visit: Open) -> None:
    phone = await visit()
    early = fill_wallet(phone.stage.clock, seed=None, reveal_at=NOW + timedelta(days=2))
    phone.stage.pages.page = structs.replace(phone.stage.pages.page, wallet=early)
    await phone.open()
    await phone.expect_screen("early")
    await phone.until_worker()
    await phone.page.context.set_offline(True)
    await phone.page.reload()
    await phone.expect_screen("early")
    await expect(phone.page.get_by_role("heading", level=2)).to_contain_text("22 June")


async def test_an_epoch_that_lies_ahead_counts_as_early(visit: Open) -> None:
    phone = await visit(phone_time=T0 - timedelta(hours=1))
    phone.stage.clock.advance(T0 - timedelta(hours=1) - NOW)
    await phone.open()
    await phone.expect_screen("early")
    await expect(phone.page.get_by_role("heading", level=2)).to_contain_text("20 June at 00:00")
    await phone.pass_time(timedelta(hours=1))
    await phone.expect_slot(1)


async def test_a_link_the_server_does_not_know_any_more_is_said_to_be_broken(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    phone.stage.pages.known = False
    await phone.page.reload()
    await phone.expect_screen("invalid")
    await expect(phone.page.get_by_role("heading", name="This link does not work")).to_be_visible()
    await expect(phone.page.locator("#facts")).to_be_hidden()
    await phone.expect_stored()


async def test_a_ticket_scanned_at_the_door_says_so_and_goes_on_showing_its_code(visit: Open) -> None:
    phone = await visit()
    page = phone.stage.pages.page
    phone.stage.pages.page = structs.replace(page, ticket=show_ticket(status=State.CHECKED_IN))
    await phone.open()
    await phone.expect_slot(NOW_SLOT)
    await expect(phone.page.get_by_text("Already scanned at the door")).to_be_visible()


async def test_screen_readers_are_told_of_changes_of_state_and_not_of_every_slot(visit: Open) -> None:
    phone = await visit()
    await phone.open()
    await phone.expect_note("Ready to scan")
    await phone.page.evaluate(
        """() => {
          window.told = [];
          const listen = (changes) => window.told.push(...changes.map((change) => change.target.textContent));
          const changes = { childList: true, characterData: true, subtree: true };
          for (const id of ["note", "message"]) new MutationObserver(listen).observe(document.getElementById(id), changes);
        }"""
    )
    for step in range(1, 5):
        await phone.pass_time(SLOT)
        await phone.expect_slot(NOW_SLOT + step)
    assert await phone.page.evaluate("window.told") == []
    await phone.lose_network()
    assert await phone.page.evaluate("window.told") == ["Offline: the code works all the same"]
