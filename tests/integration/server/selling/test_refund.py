"""Giving tickets back against a real database: dead at every gate, the place on sale again, the money asked for, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from server.domain.access import User
from server.domain.rules import RefundRules
from server.services.domain_events import REFUND_REQUESTED, RefundPayload
from server.services.idempotency import Answer
from server.services.problems import CodeOver, LimitExceeded, TicketUnknown, TransferOver
from server.services.problems_attendee import RefundNotAllowed, RefundTooLate, TicketLocked, TicketNotRefundable
from server.services.purchase import Purchased
from server.services.refund import Money, Refunded, refund_ticket
from server.services.reserve import reserve
from server.services.rows import ActorRef
from server.services.show_code import show_code
from server.services.transfer import accept_ticket
from server.services.transition import Changes, Move, move_ticket
from shared.admission.policy import Place
from shared.admission.presence import NOWHERE
from shared.admission.rule import Facts, decide
from shared.admission.verdict import Reason
from shared.ids import GateId, TenantId, TicketId
from shared.problems import TicketTokenError
from shared.sync.feed import TicketEntry
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.selling.seating import change_event, faults_of_stock, open_stalls
from tests.integration.server.selling.stage import STARTS, Shop, fresh_key
from tests.integration.server.selling.test_transfer import BEN, offer

SYSTEM = ActorRef(kind=Actor.SYSTEM, id="test")
ADMITTED = (
    """INSERT INTO gates (tenant_id, id, event_id, name, sign_public, seal_public)
    VALUES (current_tenant(), $1, $2, 'north', sha256('sign'), sha256('seal'))""",
    """INSERT INTO scans (tenant_id, gate_id, incarnation, gate_seq, scan_id, event_id, ticket_id, hlc, at, direction,
      admitted, reason, mode, proven, body, chain)
    SELECT current_tenant(), id, id, 1, $1, $2, $3, 1, now(), 'entry', true, 'ok', 'offline', true, '', sha256('chain')
    FROM gates""",
)
ASKED = "SELECT payload FROM facts WHERE key = $1 ORDER BY id"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    """Give a shop two days before its event."""
    shop.clock.step_wall(-timedelta(days=2))
    return shop


async def give_back(shop: Shop, owner: User, ticket: TicketId, key: str | None = None) -> Refunded:
    """Give a ticket back."""
    answer = await refund_ticket(shop.context, owner, key or fresh_key(), ticket)
    return msgspec.json.decode(answer.body, type=Refunded)


async def asked_for(shop: Shop) -> list[RefundPayload]:
    """Return what money was asked to be given back."""
    async with shop.parts.database.worker() as unit:
        rows = await unit._connection.fetch(ASKED, REFUND_REQUESTED)
    return [msgspec.json.decode(row["payload"], type=RefundPayload) for row in rows]


async def rule(shop: Shop, changed: RefundRules) -> None:
    """Have the organiser set other rules."""
    await change_event(shop, refund_rules=changed)


async def take(shop: Shop, ticket: TicketId, to: State, changes: Changes | None = None) -> None:
    """Take a step with a ticket as the system."""
    move = Move(to=to, actor=SYSTEM, source="test", now=shop.clock.now(), changes=changes or Changes())
    async with shop.context.db.tenant(shop.tenant) as tx:
        row = await tx.tickets.lock(ticket)
        assert row is not None
        await move_ticket(tx, shop.context.vault, row, move)


async def test_a_ticket_given_back_is_dead_and_its_place_on_sale(shop: Shop) -> None:
    ada = shop.buyer()
    ticket, other = await shop.buy(ada, 2)
    back = await give_back(shop, ada, ticket)
    assert (back.status, back.amount_cents, back.currency, back.payment_status) == (
        State.REFUNDED,
        4500,
        "EUR",
        Money.REQUESTED,
    )
    last = (await shop.queued())[-1]
    assert isinstance(last, TicketEntry)
    assert (last.state, last.version) == (State.REFUNDED, 3)
    policy, place = (await shop.event_row()).policy, Place(gate=GateId(uuid4()), online=True)
    facts = Facts(known=True, state=last.state, zones=last.zones)
    assert decide(facts, NOWHERE, policy, place, STARTS).reason is Reason.REFUNDED
    with pytest.raises(CodeOver):
        await show_code(shop.context, shop.parts.mint, ada, ticket)
    stock = await shop.stock()
    assert (stock.available, stock.reserved, stock.sold, stock.total) == (49, 0, 1, 50)
    assert (await shop.ticket(other)).state is State.ACTIVE
    assert await faults_of_stock(shop) == []


async def test_the_money_of_one_ticket_is_asked_for_once(shop: Shop) -> None:
    ada = shop.buyer()
    held = await shop.reserve(ada, 2)
    payment = shop.till.take(held.total_cents)
    bought = msgspec.json.decode((await shop.pay(ada, held, payment=payment)).body, type=Purchased)
    ticket, key = bought.tickets[0].ticket_id, fresh_key()
    first = await give_back(shop, ada, ticket, key)
    assert await give_back(shop, ada, ticket, key) == first
    with pytest.raises(TicketNotRefundable, match="refunded"):
        await give_back(shop, ada, ticket)
    (wish,) = await asked_for(shop)
    assert (wish.payment_id, wish.amount_cents, wish.currency, wish.ticket_ids) == (payment, 4500, "EUR", [ticket])


async def test_two_at_once_give_it_back_once(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    calls = [refund_ticket(shop.context, ada, fresh_key(), ticket) for _ in range(6)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, Answer) for one in outcomes) == 1
    assert sum(isinstance(one, TicketNotRefundable) for one in outcomes) == 5
    assert len(await asked_for(shop)) == 1
    assert (await shop.stock()).available == 50


async def test_the_seat_of_a_refunded_ticket_is_a_new_ticket_for_the_next(shop: Shop) -> None:
    stalls, ada, ben = await open_stalls(shop, rows=1), shop.buyer(), shop.buyer()
    await shop.pay(ada, await stalls.take(ada, 0))
    await give_back(shop, ada, stalls.seats[0])
    assert await stalls.free() == ["A 1"]
    answer = await reserve(shop.context, ben, fresh_key(), shop.order((stalls.kind, 1)))
    assert b'"seat":"A 1"' in answer.body
    assert str(stalls.seats[0]).encode() not in answer.body
    assert await faults_of_stock(shop) == []


async def test_without_restock_the_place_leaves_the_sale(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop, rows=2), shop.buyer()
    await shop.pay(ada, await stalls.take(ada, 0))
    (ticket,) = await shop.buy(ada)
    await rule(shop, RefundRules(restock=False))
    for one in (ticket, stalls.seats[0]):
        await give_back(shop, ada, one)
    standing, seated = await shop.stock(), await shop.stock(stalls.kind)
    assert (standing.total, standing.available, standing.sold) == (49, 49, 0)
    assert (seated.total, seated.available, seated.sold) == (1, 1, 0)
    assert await stalls.free() == ["A 2"]
    assert await faults_of_stock(shop) == []


async def test_the_organisers_rules_and_last_moment_hold(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    await rule(shop, RefundRules(allowed=False))
    with pytest.raises(RefundNotAllowed):
        await give_back(shop, ada, ticket)
    await rule(shop, RefundRules())
    shop.clock.step_wall(STARTS - timedelta(days=1) - shop.clock.now())
    with pytest.raises(RefundTooLate, match="2026-06-19T19:00:00"):
        await give_back(shop, ada, ticket)
    shop.clock.step_wall(-timedelta(microseconds=1))
    assert (await give_back(shop, ada, ticket)).status is State.REFUNDED


async def test_used_and_locked_tickets_are_not_taken_back(shop: Shop) -> None:
    ada = shop.buyer()
    inside, out_again, locked = await shop.buy(ada, 3)
    await take(shop, inside, State.CHECKED_IN)
    await take(shop, out_again, State.CHECKED_IN)
    await take(shop, out_again, State.ACTIVE)
    await take(shop, locked, State.TRANSFERRED, Changes(locked="chargeback"))
    kinds: list[tuple[TicketId, type[TicketTokenError]]] = [
        (inside, TicketNotRefundable),
        (out_again, TicketNotRefundable),
        (locked, TicketLocked),
    ]
    for ticket, kind in kinds:
        with pytest.raises(kind):
            await give_back(shop, ada, ticket)
    assert await asked_for(shop) == []


async def test_a_ticket_that_let_somebody_in_is_used_whatever_its_state_says(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    async with shop.parts.database.tenant(shop.tenant) as tx:
        for statement in ADMITTED:
            await tx.tickets._connection.execute(statement, uuid4(), shop.event, *([ticket] * statement.count("$3")))
    with pytest.raises(TicketNotRefundable, match="used"):
        await give_back(shop, ada, ticket)


async def test_only_its_owner_gives_a_ticket_back(shop: Shop) -> None:
    ada, ben = shop.buyer(), shop.buyer(BEN)
    (ticket,) = await shop.buy(ada)
    strangers = (ben, replace(ada, tenant=TenantId(uuid4())))
    for caller in strangers:
        with pytest.raises(TicketUnknown):
            await give_back(shop, caller, ticket)
    await accept_ticket(shop.context, ben, (await offer(shop, ada, ticket)).transfer_id)
    with pytest.raises(TicketUnknown):
        await give_back(shop, ada, ticket)
    assert (await give_back(shop, ben, ticket)).status is State.REFUNDED


async def test_an_offer_ends_with_the_ticket_it_was_for(shop: Shop) -> None:
    ada, ben = shop.buyer(), shop.buyer(BEN)
    (ticket,) = await shop.buy(ada)
    offered = await offer(shop, ada, ticket)
    await give_back(shop, ada, ticket)
    with pytest.raises(TransferOver, match="cancelled"):
        await accept_ticket(shop.context, ben, offered.transfer_id)


async def test_accepting_and_giving_back_at_once_end_one_way(shop: Shop) -> None:
    for _ in range(5):
        ada, ben = shop.buyer(), shop.buyer(BEN)
        (ticket,) = await shop.buy(ada)
        offered = await offer(shop, ada, ticket)
        calls = (
            accept_ticket(shop.context, ben, offered.transfer_id),
            refund_ticket(shop.context, ada, fresh_key(), ticket),
        )
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(one, TicketTokenError) for one in outcomes) == 1
        row = await shop.ticket(ticket)
        assert (row.state, row.owner) in {(State.REFUNDED, ada.user), (State.TRANSFERRED, ben.user)}
    assert await faults_of_stock(shop) == []


async def test_what_cost_nothing_is_taken_back_without_asking_for_money(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop, price_cents=0), shop.buyer()
    await shop.pay(ada, await stalls.take(ada, 0), payment="")
    back = await give_back(shop, ada, stalls.seats[0])
    assert (back.amount_cents, back.payment_status) == (0, Money.NONE)
    assert await asked_for(shop) == []


async def test_given_back_tickets_do_not_count_against_the_limit(shop: Shop) -> None:
    ada = shop.buyer()
    first = await shop.buy(ada, 10)
    await shop.buy(ada, 10)
    with pytest.raises(LimitExceeded):
        await shop.reserve(ada, 1)
    await give_back(shop, ada, first[0])
    assert (await shop.reserve(ada, 1)).total_cents == 4500
