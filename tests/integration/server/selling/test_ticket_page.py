"""A ticket's link shows its codes to whoever has it, until the ticket changes hands; made by its owner alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from server.domain.access import User
from server.domain.ticket_link import LinkInvalid, TicketLink, write_link
from server.services.holdings import read_ticket
from server.services.problems import TicketUnknown
from server.services.rows import ActorRef, KeyKind
from server.services.show_code import Wallet, fill_wallet
from server.services.ticket_page import SignedTicketPages, Standing, TicketPage, make_ticket_link
from server.services.transfer import Offered, TransferRequest, accept_ticket, offer_ticket
from server.services.transition import Changes, Move, move_ticket
from shared.codes.number import read_number
from shared.codes.reader import CodeRead
from shared.ids import TenantId, TicketId
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import DOORS, ENDS, NOON, STARTS, Shop, fresh_key

ORGANISER = ActorRef(kind=Actor.ORGANISER, id="tests")


def pages_of(shop: Shop) -> SignedTicketPages:
    """Return what opens the shop's links."""
    return SignedTicketPages(shop.context, shop.parts.mint)


async def link_of(shop: Shop, owner: User, ticket: TicketId) -> str:
    """Return the link's text without its path."""
    return (await make_ticket_link(shop.context, owner, ticket)).path.removeprefix("/t/")


async def open_page(shop: Shop, link: str) -> TicketPage:
    """Return what the holder of a link sees."""
    return await pages_of(shop).open(link)


async def change(shop: Shop, ticket: TicketId, to: State, *, new_generation: bool = False) -> None:
    """Move a ticket as the organiser."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        row = await tx.tickets.lock(ticket)
        assert row is not None
        move = Move(
            to=to,
            actor=ORGANISER,
            reason="admin_request",
            source="test",
            now=shop.clock.now(),
            new_generation=new_generation,
            changes=Changes(),
        )
        await move_ticket(tx, shop.context.vault, row, move)


def seed_of(wallet: Wallet | None) -> str:
    """Return a wallet's seed."""
    assert wallet is not None
    assert wallet.seed is not None
    return wallet.seed


async def test_a_link_shows_the_owners_wallet_and_what_the_ticket_is(shop: Shop) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    page = await open_page(shop, await link_of(shop, owner, ticket))
    assert page.standing is Standing.READY
    assert page.wallet == await fill_wallet(shop.context, shop.parts.mint, owner, ticket)
    assert seed_of(page.wallet)
    shown = page.ticket
    assert shown is not None
    assert (shown.ticket_id, shown.event_name, shown.ticket_type_name) == (ticket, "Opening", "Standing")
    assert (shown.doors_at, shown.starts_at, shown.ends_at) == (DOORS, STARTS, ENDS)
    assert shown.number == (await read_ticket(shop.context, owner, ticket)).number
    read_number(shown.number)


async def test_nobody_makes_a_link_to_somebody_elses_ticket(shop: Shop) -> None:
    (ticket,) = await shop.buy(shop.buyer())
    with pytest.raises(TicketUnknown):
        await make_ticket_link(shop.context, shop.buyer(), ticket)


async def test_a_link_dies_with_the_transfer_and_the_new_owners_lives(shop: Shop) -> None:
    anna, ben = shop.buyer("anna@example.org"), shop.buyer("ben@example.org")
    (ticket,) = await shop.buy(anna)
    before = await link_of(shop, anna, ticket)
    old_seed = seed_of((await open_page(shop, before)).wallet)
    request = TransferRequest(recipient_email="ben@example.org")
    answer = await offer_ticket(shop.context, anna, fresh_key(), ticket, request)
    await accept_ticket(shop.context, ben, msgspec.json.decode(answer.body, type=Offered).transfer_id)
    dead = await open_page(shop, before)
    assert (dead.standing, dead.ticket, dead.wallet) == (Standing.REPLACED, None, None)
    alive = await open_page(shop, await link_of(shop, ben, ticket))
    assert alive.standing is Standing.READY
    assert seed_of(alive.wallet) != old_seed
    with pytest.raises(TicketUnknown):
        await make_ticket_link(shop.context, anna, ticket)


async def test_a_ticket_issued_anew_to_its_owner_leaves_the_old_link_dead(shop: Shop) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    lost, before = await link_of(shop, owner, ticket), await read_ticket(shop.context, owner, ticket)
    await change(shop, ticket, State.TRANSFERRED, new_generation=True)
    assert (await read_ticket(shop.context, owner, ticket)).number not in {"", before.number}
    assert (await open_page(shop, lost)).standing is Standing.REPLACED
    assert (await open_page(shop, await link_of(shop, owner, ticket))).standing is Standing.READY


@pytest.mark.parametrize("end", [State.REVOKED, State.CANCELLED])
async def test_a_ticket_taken_back_shows_its_state_and_no_codes(shop: Shop, end: State) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    link = await link_of(shop, owner, ticket)
    await change(shop, ticket, end)
    page = await open_page(shop, link)
    assert (page.standing, page.wallet) == (Standing.VOID, None)
    assert page.ticket is not None
    assert page.ticket.status is end


async def test_before_its_time_the_page_has_capsules_and_no_seed(shop: Shop) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    link = await link_of(shop, owner, ticket)
    shop.clock.step_wall(timedelta(hours=-2))
    wallet = (await open_page(shop, link)).wallet
    assert wallet is not None
    assert (wallet.seed, wallet.reveal_at) == (None, DOORS - timedelta(hours=6))
    assert wallet.capsules


async def test_after_the_event_the_link_says_so_and_in_the_end_nothing(shop: Shop) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    made = await make_ticket_link(shop.context, owner, ticket)
    link = made.path.removeprefix("/t/")
    over = ENDS + timedelta(hours=2)
    shop.clock.advance(over - NOON)
    assert (await open_page(shop, link)).standing is Standing.OVER
    shop.clock.advance(made.expires_at - over)
    with pytest.raises(LinkInvalid):
        await open_page(shop, link)


async def test_a_link_signed_with_another_secret_or_for_a_made_up_tenant_opens_nothing(shop: Shop) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    expires = datetime.max.replace(year=2099, microsecond=0, tzinfo=NOON.tzinfo)
    stranger = TenantId(uuid4())
    for tenant in (shop.tenant, stranger):
        forged = write_link(bytes(32), TicketLink(tenant=tenant, ticket=ticket, generation=0, expires=expires))
        with pytest.raises(LinkInvalid):
            await open_page(shop, forged)
    async with shop.context.db.tenant(stranger) as tx:
        assert await tx.keys.get(KeyKind.MASTER) is None


async def test_one_tenants_link_does_not_open_a_ticket_of_another(shop: Shop) -> None:
    (ticket,) = await shop.buy(shop.buyer())
    row = await shop.ticket(ticket)
    other = TenantId(uuid4())
    async with shop.context.db.tenant(other) as tx:
        await tx.events.add_tenant("Another organiser")
        master = await shop.context.vault.master(tx)
    link = TicketLink(tenant=other, ticket=ticket, generation=row.generation, expires=ENDS)
    with pytest.raises(LinkInvalid):
        await open_page(shop, write_link(master, link))


async def test_the_whole_way_over_http_from_the_owners_token_to_a_code_a_gate_admits(served: Served) -> None:
    owner = served.shop.buyer()
    (ticket,) = await served.buy(owner)
    made = await served.call("POST", f"/api/v1/tickets/{ticket}/link", owner)
    assert (made.status, made.headers["Cache-Control"]) == (201, "no-store")
    url = str(made.json["url"])
    assert url.startswith(f"{served.running.base_url}/t/")
    path = url.removeprefix(served.running.base_url)
    page = await served.call("GET", path)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    answer = await served.call("GET", f"{path}/wallet")
    assert answer.status == 200
    wallet = await fill_wallet(served.shop.context, served.running.parts.mint, owner, TicketId(UUID(ticket)))
    assert msgspec.convert(answer.json["wallet"], dict)["seed"] == wallet.seed
    shown = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", owner)
    read = (await served.shop.reader()).read(str(shown.json["qrData"]), served.shop.clock.now())
    assert isinstance(read, CodeRead)


async def test_making_a_link_needs_a_token_and_ones_own_ticket(served: Served) -> None:
    owner = served.shop.buyer()
    (ticket,) = await served.buy(owner)
    assert (await served.call("POST", f"/api/v1/tickets/{ticket}/link")).status == 401
    assert (await served.call("POST", f"/api/v1/tickets/{ticket}/link", served.shop.buyer())).code == "ticket_not_found"


async def test_a_broken_link_over_http_is_the_problem_the_page_knows(served: Served) -> None:
    answer = await served.call("GET", f"/t/{'A' * 74}/wallet")
    assert (answer.status, answer.code) == (404, "link_invalid")
