"""What somebody has: by cursor and by page, by event and state, and each ticket's life without anybody's name in it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import replace

from server.domain.access import User
from server.services.holdings import list_tickets, read_life, read_ticket
from server.services.page_marks import Wish
from server.services.problems import TicketUnknown
from server.services.transfer import accept_ticket
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import Shop
from tests.integration.server.selling.test_transfer import BEN, move, offer


async def test_pages_by_number_and_by_cursor_show_the_same(shop: Shop) -> None:
    ada = shop.buyer()
    bought: list[TicketId] = []
    for quantity in (3, 2, 2):
        bought += await shop.buy(ada, quantity)
        shop.clock.advance(timedelta(seconds=1))
    by_cursor, after = [], None
    for _ in range(3):
        found = await list_tickets(shop.context, ada, Wish(limit=3, after=after))
        by_cursor.append([one.id for one in found.items])
        after = found.next_after
    assert after is None
    by_number = [
        [one.id for one in (await list_tickets(shop.context, ada, Wish(limit=3, page=page))).items]
        for page in (1, 2, 3, 4)
    ]
    assert by_number == [*by_cursor, []]
    assert sorted(one for page in by_cursor for one in page) == sorted(bought)
    assert set(by_cursor[0][:2]) == set(bought[5:])


async def test_far_pages_go_on_where_their_reader_left_the_list(shop: Shop) -> None:
    ada = shop.buyer()
    oldest_first = await own_many(shop, ada, 619)

    async def page(number: int) -> list[TicketId]:
        return [one.id for one in (await list_tickets(shop.context, ada, Wish(limit=100, page=number))).items]

    newest_first = list(reversed(oldest_first))
    assert [await page(number) for number in range(1, 9)] == [newest_first[n : n + 100] for n in range(0, 800, 100)]
    shop.clock.advance(timedelta(seconds=1))
    (fresh,) = await shop.buy(ada)
    assert (await page(1))[0] == fresh
    # the sixth page is marked and stands where it was left; the fifth is counted anew and hands its reader on
    assert await page(6) == newest_first[500:600]
    assert await page(5) == newest_first[399:499]
    assert await page(6) == newest_first[499:599]
    assert await page(7) == newest_first[599:]
    # marks are of one list and one person only
    assert (await list_tickets(shop.context, ada, Wish(limit=100, page=7, state=State.ACTIVE))).items == []
    assert (await list_tickets(shop.context, shop.buyer(), Wish(limit=100, page=7))).items == []


async def test_events_and_states_narrow_the_list(shop: Shop) -> None:
    ada, ben = shop.buyer(), shop.buyer(BEN)
    inside, *_ = await shop.buy(ada, 3)
    await move(shop, inside, State.CHECKED_IN)
    checked_in = await list_tickets(shop.context, ada, Wish(limit=10, state=State.CHECKED_IN))
    assert [(one.id, one.status) for one in checked_in.items] == [(inside, State.CHECKED_IN)]
    active = await list_tickets(shop.context, ada, Wish(limit=1, page=2, state=State.ACTIVE, event=shop.event))
    assert (len(active.items), active.next_after) == (1, None)
    assert (await list_tickets(shop.context, ada, Wish(limit=10, event=EventId(uuid4())))).items == []
    assert (await list_tickets(shop.context, ben, Wish(limit=10))).items == []


async def test_a_ticket_tells_what_its_holder_needs(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    seen = await read_ticket(shop.context, ada, ticket)
    window = (await shop.event_row()).policy.window
    assert (seen.event_name, seen.ticket_type_name, seen.status) == ("Opening", "Standing", State.ACTIVE)
    assert (seen.event_starts_at, seen.valid_from, seen.valid_until) == (window.starts, window.doors, window.ends)
    with pytest.raises(TicketUnknown):
        await read_ticket(shop.context, shop.buyer(), ticket)


async def test_a_life_goes_on_page_by_page_backwards(shop: Shop) -> None:
    ada, ben = shop.buyer(), shop.buyer(BEN)
    (ticket,) = await shop.buy(ada)
    await accept_ticket(shop.context, ben, (await offer(shop, ada, ticket)).transfer_id)
    await move(shop, ticket, State.CHECKED_IN)
    late = await read_life(shop.context, ben, ticket, before=1000, limit=3)
    assert [(one.version, one.to_status, one.by) for one in late.steps] == [
        (2, State.ACTIVE, Actor.SYSTEM),
        (3, State.TRANSFERRED, Actor.HOLDER),
        (4, State.CHECKED_IN, Actor.SYSTEM),
    ]
    assert late.earlier
    early = await read_life(shop.context, ben, ticket, before=2, limit=3)
    assert [(one.from_status, one.to_status) for one in early.steps] == [(None, State.SOLD)]
    assert not early.earlier
    with pytest.raises(TicketUnknown):
        await read_life(shop.context, ada, ticket, before=1000, limit=3)


async def test_no_answer_names_anybody_or_what_was_paid(served: Served) -> None:
    ada, ben = served.shop.buyer("ada@example.org"), served.shop.buyer(BEN)
    (ticket,) = await served.buy(ada)
    made = await offer(served.shop, ada, TicketId(msgspec.convert(ticket, TicketId)))
    await accept_ticket(served.shop.context, ben, made.transfer_id)
    hidden = [str(ada.user), str(ben.user), str(served.shop.tenant), "demo_", "ada@", "4500", "purchase"]
    for path in ("", "/history"):
        answer = await served.call("GET", f"/api/v1/tickets/{ticket}{path}", ben)
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert [word for word in hidden if word in answer.body.decode()] == []
    listed = await served.call("GET", "/api/v1/transfers", ben)
    assert [word for word in hidden if word in listed.body.decode()] == []
    steps = msgspec.convert((await served.call("GET", f"/api/v1/tickets/{ticket}/history", ben)).json["items"], list)
    assert {tuple(sorted(one)) for one in steps} == {("at", "by", "fromStatus", "toStatus", "version")}


@pytest.mark.parametrize(
    "query", ["page=0", "page=1001", "page=x", "status=lost", "eventId=1", "limit=0", "page=1&cursor=" + "A" * 22]
)
async def test_lists_that_do_not_exist_are_refused(query: str, served: Served) -> None:
    reply = await served.call("GET", f"/api/v1/tickets?{query}", served.shop.buyer())
    assert (reply.status, reply.code) == (400, "request_invalid")


async def own_many(shop: Shop, owner: User, quantity: int) -> list[TicketId]:
    """Give somebody many tickets and return them, the oldest first."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        (bought,) = await tx.tickets.get_all(await shop.buy(owner))
        many = [
            replace(bought, id=TicketId(UUID(int=bought.id.int + n + 1)), state=State.SOLD) for n in range(quantity)
        ]
        await tx.tickets.add(many)
    return [bought.id, *(one.id for one in many)]
