"""A gate's whole life with the operations page on one side and its own screen on the other: enrolled, watched, told, revoked."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from server.domain.access import Role, User
from server.services.rows import TicketRow
from server.services.show_code import show_code
from shared.codes.token import read_text, unpack_token, write_wedge_token
from tests.acceptance.programs import ROOT, gate_command
from tests.browser.evening import Evening, sign_in
from tests.browser.visit import watch
from tests.tui.terminal import Terminal, opened

pytestmark = pytest.mark.asyncio(loop_scope="session")

_TERMINAL = {
    "LANG": "C.UTF-8",
    "TERM": "tmux-256color",
    "TICKETTOKEN_GATE_LOG_LEVEL": "error",
    "PYTHONPATH": str(ROOT),
}
_CODE = re.compile(r"TT1-[0-9A-Z-]+")


async def test_a_gate_revoked_on_the_page_says_so_on_its_own_screen(
    browser: Browser, evening: Evening, tmp_path: Path
) -> None:
    guest, late = await evening.sell((2, 0, 0))
    context = await browser.new_context(locale="en-GB", timezone_id="UTC")
    breaches = await watch(context, evening.running.base_url)
    page = await context.new_page()
    await sign_in(page, evening)
    code = await make_code(page, evening, "Pier 3")
    async with opened(["sh"], tmp_path, _TERMINAL) as screen:
        await start_gate(screen, evening, code, tmp_path / "gate")
        await page.goto(evening.page)
        tile = page.locator(".tile", has_text="Pier 3")
        await expect(tile).to_contain_text("● Fine")
        await type_code(screen, await code_of(evening, guest))
        assert "Guest 1" in await screen.wait_for("✓ GO: Welcome")
        await expect(page.locator("[data-n='house.inside']")).to_have_text("1")

        await tile.locator("a").click()
        await page.get_by_text("Take it out of service").first.click()
        await page.get_by_role("button", name="Take it out of service").click()
        await expect(page.locator("main")).to_contain_text("✕ Out of service")
        closed = await screen.wait_for("✗ CLOSED")
        assert "out of service" in closed
        await type_code(screen, await code_of(evening, late))
        refused = await screen.wait_for("✗ STOP")
        assert "gate may not admit" in refused
    async with evening.stage.db.tenant(evening.stage.tenant) as tx:
        stayed = await tx.tickets.get(late.id)
    assert stayed is not None
    assert stayed.state == late.state
    await context.close()
    assert breaches == []


async def make_code(page: Page, evening: Evening, name: str) -> str:
    """Have the page make an enrolment code, and return what it shows beside the symbol."""
    await page.goto(f"{evening.page}/enrol")
    await page.get_by_label("What it is called").fill(name)
    await page.get_by_role("button", name="Make a code").click()
    await expect(page.locator("svg.symbol")).to_be_visible()
    found = _CODE.search(await page.locator("main").inner_text())
    assert found is not None
    return found[0]


async def start_gate(screen: Terminal, evening: Evening, code: str, data: Path) -> None:
    """Make a machine that gate and start it, as a steward does at its keyboard."""
    (data.parent / "camera").mkdir()
    await screen.type(write_command("enrol", "--server", evening.running.base_url, "--data", str(data), code))
    await screen.wait_for("This machine is now the gate")
    run = write_command("run", "--data", str(data), "--source", str(data.parent / "camera"), "--follow")
    await screen.type(f"exec {run}")
    await screen.wait_for("● ONLINE")


def write_command(*arguments: str) -> str:
    """Return a command of the gate as somebody types it."""
    return shlex.join([sys.executable, *gate_command(*arguments)[1:]])


async def code_of(evening: Evening, ticket: TicketRow) -> str:
    """Return what a ticket's phone shows now, in the form a hand-held reader types."""
    assert ticket.owner is not None
    owner = User(tenant=evening.stage.tenant, user=ticket.owner, role=Role.CUSTOMER)
    shown = await show_code(evening.parts.context, evening.parts.mint, owner, ticket.id)
    return write_wedge_token(unpack_token(read_text(shown.qr_data)))


async def type_code(screen: Terminal, code: str) -> None:
    """Type a ticket's code at the gate."""
    await screen.press("t")
    await screen.wait_for("Type or paste a ticket code")
    await screen.type(code)
