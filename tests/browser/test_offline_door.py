"""A phone without a network in front of a gate without a network: the ticket opens, turns over, and only the live code passes."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from server.services.ticket_page import make_ticket_link
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.sync.scan import Mode
from tests.browser.conftest import Open
from tests.browser.stage import SLOT
from tests.browser.visit import Visit
from tests.conftest import Databases
from tests.integration.keys.grounds import open_grounds
from tests.integration.server.doors.stage import DOORS

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEN_MINUTES = 40


async def test_ten_minutes_after_all_networks_went_the_live_code_passes_and_a_picture_of_it_does_not(
    visit: Open, database: Databases, tmp_path: Path
) -> None:
    clock = ManualClock(DOORS + timedelta(hours=1))
    async with AsyncExitStack() as server, AsyncExitStack() as door:
        grounds = await server.enter_async_context(open_grounds(database, clock, tmp_path))
        festival = grounds.festival
        one, other = await festival.stage.issue(2)
        gate = await door.enter_async_context(grounds.gate(await grounds.enrol("north")))
        await grounds.beat_until(gate, lambda: gate.agent.view.status().tickets == 2)
        phones = []
        for ticket in (one, other):
            phone = await visit(phone_time=clock.now(), origin=grounds.base_url)
            made = await make_ticket_link(festival.context, festival.owner(ticket), ticket.id)
            await phone.page.goto(grounds.base_url + made.path)
            await phone.expect_note("Ready to scan")
            await phone.until_worker()
            phones.append(phone)

        opened = clock.now()
        await server.aclose()
        await grounds.beat_until(gate, lambda: not gate.agent.view.status().linked)
        for phone in phones:
            await phone.page.context.set_offline(True)
            await phone.page.reload()
            await phone.expect_note("Offline: the code works all the same")
        # What the gate's heartbeats took passes for the phones too; and a measured clock is right to within a second only.
        clock.advance(SLOT * 1.5 - timedelta(seconds=clock.now().timestamp() % SLOT.total_seconds()))
        await pass_time(phones, clock.now() - opened)
        await pass_ten_minutes(clock, phones)

        live, picture = [await phone.scan() for phone in phones]
        (admitted,) = await gate.show(live)
        clock.advance(timedelta(minutes=1))
        (refused,) = await gate.show(picture)
        assert (admitted.verdict.admitted, admitted.verdict.reason, admitted.mode) == (True, Reason.OK, Mode.OFFLINE)
        assert admitted.skew_s == 0
        assert (refused.verdict.admitted, refused.verdict.reason) == (False, Reason.CODE_STALE)
        assert refused.skew_s == -60


async def pass_ten_minutes(clock: ManualClock, phones: list[Visit]) -> None:
    """Let ten minutes pass everywhere, a slot at a time."""
    for _ in range(TEN_MINUTES):
        clock.advance(SLOT)
        await pass_time(phones, SLOT)


async def pass_time(phones: list[Visit], step: timedelta) -> None:
    """Let time pass for the phones."""
    for phone in phones:
        await phone.page.clock.fast_forward(round(step.total_seconds() * 1000))
