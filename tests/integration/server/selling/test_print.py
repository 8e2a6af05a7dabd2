"""Codes on paper over HTTP: the static profile, the sheet to print, and how often anybody may ask."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from server.api.tickets import CODES_PER_MINUTE
from server.services.paper import fill_sheet
from server.services.publish import publish_event
from shared.codes.capsule import CodePolicy
from shared.codes.keys import hash_handle
from shared.codes.number import write_number
from shared.codes.reader import CodeRead
from shared.ids import EventId, TicketId
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import publication_for
from tests.unit.server.paper_reader import read_codes


@pytest.fixture
async def printing(served: Served) -> Served:
    """Give the shop with another event, whose tickets may be printed."""
    publication = publication_for(served.shop.tenant, EventId(uuid4()))
    types = tuple(replace(one, code_policy=int(CodePolicy.STATIC_ALLOWED)) for one in publication.types)
    policy = replace(publication.policy, static_codes=True)
    assert await publish_event(served.shop.context, replace(publication, policy=policy, types=types))
    return replace(served, shop=replace(served.shop, event=publication.event, standing=types[0].id))


async def test_the_static_profile_answers_with_a_code_for_paper(printing: Served) -> None:
    buyer = printing.shop.buyer()
    (ticket,) = await printing.buy(buyer)
    reply = await printing.call("GET", f"/api/v1/tickets/{ticket}/qr?profile=static", buyer)
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    assert (reply.json["profile"], reply.json["format"], reply.json["ticketId"]) == ("static", "text", ticket)
    assert (reply.json["validFrom"], reply.json["expiresAt"]) == ("2026-06-20T17:00:00Z", "2026-06-21T04:00:00Z")
    read = (await printing.shop.reader()).read(str(reply.json["qrData"]), printing.shop.clock.now())
    assert isinstance(read, CodeRead)
    assert read.proof is None


async def test_the_sheet_is_a_pdf_with_the_same_code(printing: Served) -> None:
    buyer = printing.shop.buyer()
    (ticket,) = await printing.buy(buyer)
    code = await printing.call("GET", f"/api/v1/tickets/{ticket}/qr?profile=static", buyer)
    sheet = await printing.call("GET", f"/api/v1/tickets/{ticket}/print", buyer)
    assert (sheet.status, sheet.headers["Content-Type"]) == (200, "application/pdf")
    assert (sheet.headers["Cache-Control"], sheet.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert sheet.headers["Content-Disposition"] == f'inline; filename="ticket-{ticket[-12:]}.pdf"'
    assert read_codes(sheet.body) == [code.json["qrData"]]


async def test_the_sheet_names_the_ticket_as_gates_do(printing: Served) -> None:
    buyer = printing.shop.buyer()
    (ticket,) = await printing.buy(buyer)
    sheet = await fill_sheet(printing.shop.context, buyer, TicketId(UUID(ticket)))
    read = (await printing.shop.reader()).read(sheet.code.qr_data, printing.shop.clock.now())
    assert isinstance(read, CodeRead)
    assert sheet.number == write_number(hash_handle(read.capsule.claims.handle))


@pytest.mark.parametrize("path", ["qr?profile=static", "print"])
async def test_types_without_paper_codes_answer_with_a_conflict(served: Served, path: str) -> None:
    buyer = served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    reply = await served.call("GET", f"/api/v1/tickets/{ticket}/{path}", buyer)
    assert (reply.status, reply.code) == (409, "static_code_not_allowed")


async def test_an_unknown_profile_is_refused_and_live_is_the_usual_one(served: Served) -> None:
    buyer = served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    wrong = await served.call("GET", f"/api/v1/tickets/{ticket}/qr?profile=paper", buyer)
    assert (wrong.status, wrong.code) == (400, "request_invalid")
    usual = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", buyer)
    named = await served.call("GET", f"/api/v1/tickets/{ticket}/qr?profile=live", buyer)
    assert usual.json == named.json


@pytest.mark.parametrize("path", ["qr", "wallet"])
async def test_a_ticket_is_asked_for_sixty_times_a_minute_and_no_more(served: Served, path: str) -> None:
    buyer = served.shop.buyer()
    one, other = await served.buy(buyer, 2)
    for _ in range(CODES_PER_MINUTE):
        assert (await served.call("GET", f"/api/v1/tickets/{one}/{path}", buyer)).status == 200
    refused = await served.call("GET", f"/api/v1/tickets/{one}/{path}", buyer)
    assert (refused.status, refused.code) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) > 0
    assert (await served.call("GET", f"/api/v1/tickets/{other}/{path}", buyer)).status == 200
    served.shop.clock.advance(timedelta(minutes=1))
    assert (await served.call("GET", f"/api/v1/tickets/{one}/{path}", buyer)).status == 200


async def test_nobody_uses_up_what_the_owner_may_ask(served: Served) -> None:
    buyer, stranger = served.shop.buyer(), served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    answers = {
        (await served.call("GET", f"/api/v1/tickets/{ticket}/qr", stranger)).status for _ in range(CODES_PER_MINUTE + 1)
    }
    assert answers == {404, 429}
    assert (await served.call("GET", f"/api/v1/tickets/{ticket}/qr", buyer)).status == 200


async def test_a_wallet_says_when_to_ask_again(served: Served) -> None:
    buyer = served.shop.buyer()
    (ticket,) = await served.buy(buyer)
    early = await served.call("GET", f"/api/v1/tickets/{ticket}/wallet", buyer)
    # noon, doors at five: every six hours at most, and from four o'clock on twice in each overlap of ten minutes
    assert early.json["refreshAfter"] == "2026-06-20T16:00:00Z"
    served.shop.clock.advance(timedelta(hours=4, minutes=30))
    busy = await served.call("GET", f"/api/v1/tickets/{ticket}/wallet", buyer)
    assert busy.json["refreshAfter"] == "2026-06-20T16:35:00Z"
    assert busy.headers["Cache-Control"] == "no-store"
