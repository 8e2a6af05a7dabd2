"""From buying to the door with everything real: server, database, browser, camera's decoder, verifier."""

from __future__ import annotations

import msgspec
import pytest

from server.services.transfer import Offered, TransferRequest, accept_ticket, offer_ticket
from shared.clock import ManualClock
from shared.codes.reader import CodeRead
from tests.browser.conftest import Open
from tests.browser.visit import Visit
from tests.conftest import Databases
from tests.integration.server.selling.client import Served, serve_shop
from tests.integration.server.selling.stage import NOON, fresh_key

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_bought_ticket_opens_by_its_link_is_admitted_and_ends_with_the_transfer(
    visit: Open, database: Databases
) -> None:
    async with serve_shop(database, ManualClock(NOON)) as served:
        anna, ben = served.shop.buyer("anna@example.org"), served.shop.buyer("ben@example.org")
        (ticket,) = await served.shop.buy(anna)
        made = await served.call("POST", f"/api/v1/tickets/{ticket}/link", anna)
        phone = await visit(origin=served.running.base_url)
        await phone.page.goto(str(made.json["url"]))
        await phone.expect_note("Ready to scan")
        await check_admitted(phone, served)
        request = TransferRequest(recipient_email="ben@example.org")
        answer = await offer_ticket(served.shop.context, anna, fresh_key(), ticket, request)
        await accept_ticket(served.shop.context, ben, msgspec.json.decode(answer.body, type=Offered).transfer_id)
        await phone.page.reload()
        await phone.expect_screen("replaced")
        await phone.expect_stored()


async def check_admitted(phone: Visit, served: Served) -> None:
    """Fail unless the code on the screen is genuine and fresh."""
    read = (await served.shop.reader()).read(await phone.scan(), served.shop.clock.now())
    assert isinstance(read, CodeRead)
    assert read.skew_slots == 0
