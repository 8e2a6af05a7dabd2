"""Handing tickets over: only to who proves the address, and every code made before is dead."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from server.domain.access import User
from server.domain.rules import TransferRules
from server.services.problems import (
    CodeOver,
    RecipientUnproven,
    TicketUnknown,
    TransferOver,
    TransferPending,
    TransferUnknown,
)
from server.services.problems_attendee import (
    EventOver,
    TicketLocked,
    TicketNotTransferable,
    TransferDayLimitReached,
    TransferLimitReached,
    TransferToSelf,
)
from server.services.rows import ActorRef
from server.services.show_code import fill_wallet, show_code
from server.services.transfer import Accepted, Offered, TransferRequest, accept_ticket, offer_ticket
from server.services.transition import Changes, Move, move_ticket
from shared.admission.policy import Place
from shared.admission.presence import NOWHERE
from shared.admission.rule import Facts, decide
from shared.admission.verdict import Reason
from shared.codes.keys import hash_handle
from shared.codes.reader import CodeRead
from shared.ids import GateId, TicketId, TransferId
from shared.sync.feed import TicketEntry, TombstoneEntry
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.selling.stage import DOORS, ENDS, Shop, fresh_key

BEN = "ben@example.org"
RULES = TransferRules()
REST = timedelta(seconds=RULES.cooldown_s)
OFFER = TransferRequest(recipient_email="Ben@Example.org", message="Have fun")


async def offer(shop: Shop, owner: User, ticket: TicketId) -> Offered:
    """Offer a ticket to Ben."""
    answer = await offer_ticket(shop.context, owner, fresh_key(), ticket, OFFER)
    return msgspec.json.decode(answer.body, type=Offered)


async def hand_over(shop: Shop, owner: User, ticket: TicketId) -> User:
    """Offer a ticket to Ben and have him take it."""
    ben = shop.buyer(BEN)
    await accept_ticket(shop.context, ben, (await offer(shop, owner, ticket)).transfer_id)
    return ben


async def test_the_ticket_is_the_recipients_afterwards(shop: Shop) -> None:
    ada = shop.buyer("ada@example.org")
    (ticket,) = await shop.buy(ada)
    ben = await hand_over(shop, ada, ticket)
    row = await shop.ticket(ticket)
    assert (row.owner, row.state, row.generation, row.version) == (ben.user, State.TRANSFERRED, 1, 3)
    with pytest.raises(TicketUnknown):
        await show_code(shop.context, shop.parts.mint, ada, ticket)
    assert (await show_code(shop.context, shop.parts.mint, ben, ticket)).ticket_id == ticket


async def test_the_senders_code_is_dead_at_a_gate_that_heard_of_it(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    shop.clock.step_wall(DOORS - shop.clock.now())
    old = (await show_code(shop.context, shop.parts.mint, ada, ticket)).qr_data
    ben = await hand_over(shop, ada, ticket)
    new = (await show_code(shop.context, shop.parts.mint, ben, ticket)).qr_data
    assert await verdict(shop, old) is Reason.TRANSFERRED_OR_REISSUED
    assert await verdict(shop, new) is Reason.OK


async def test_gates_hear_of_the_dead_generation_and_then_of_the_new_one(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    first = (await shop.queued())[-1]
    await hand_over(shop, ada, ticket)
    tombstone, entry = (await shop.queued())[-2:]
    assert isinstance(first, TicketEntry)
    assert isinstance(tombstone, TombstoneEntry)
    assert isinstance(entry, TicketEntry)
    assert (tombstone.handle_hash, tombstone.version) == (first.handle_hash, 3)
    assert entry.handle_hash != first.handle_hash
    assert (entry.generation, entry.version, entry.state) == (1, 3, State.TRANSFERRED)


async def test_the_seed_the_sender_kept_makes_nothing_of_the_new_generation(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    before = await fill_wallet(shop.context, shop.parts.mint, ada, ticket)
    ben = await hand_over(shop, ada, ticket)
    after = await fill_wallet(shop.context, shop.parts.mint, ben, ticket)
    assert before.seed != after.seed
    assert {one.capsule for one in before.capsules}.isdisjoint({one.capsule for one in after.capsules})


async def test_only_a_proven_address_accepts(shop: Shop) -> None:
    ada = shop.buyer("ada@example.org")
    (ticket,) = await shop.buy(ada)
    offered = await offer(shop, ada, ticket)
    for caller in (shop.buyer(), shop.buyer("eve@example.org"), ada):
        with pytest.raises(RecipientUnproven):
            await accept_ticket(shop.context, caller, offered.transfer_id)
    assert (await shop.ticket(ticket)).owner == ada.user


async def test_accepting_twice_does_no_harm_and_a_second_person_is_too_late(shop: Shop) -> None:
    ada, ben = shop.buyer(), shop.buyer(BEN)
    (ticket,) = await shop.buy(ada)
    offered = await offer(shop, ada, ticket)
    answers = await asyncio.gather(*(accept_ticket(shop.context, ben, offered.transfer_id) for _ in range(5)))
    assert {type(one) for one in answers} == {Accepted}
    assert (await shop.ticket(ticket)).generation == 1
    with pytest.raises(TransferOver):
        await accept_ticket(shop.context, shop.buyer(BEN), offered.transfer_id)


async def test_an_offer_ends_after_two_days_and_another_can_be_made(shop: Shop) -> None:
    shop.clock.step_wall(-timedelta(days=3))
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    offered = await offer(shop, ada, ticket)
    assert offered.expires_at - offered.created_at == timedelta(hours=48)
    with pytest.raises(TransferPending):
        await offer(shop, ada, ticket)
    shop.clock.advance(timedelta(hours=48))
    for _ in range(2):
        with pytest.raises(TransferOver, match="expired"):
            await accept_ticket(shop.context, shop.buyer(BEN), offered.transfer_id)
    again = await offer(shop, ada, ticket)
    assert again.transfer_id != offered.transfer_id


async def test_an_overdue_offer_nobody_touched_is_no_obstacle(shop: Shop) -> None:
    shop.clock.step_wall(-timedelta(days=3))
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    await offer(shop, ada, ticket)
    shop.clock.advance(timedelta(hours=49))
    assert (await offer(shop, ada, ticket)).ticket_id == ticket


async def test_the_sender_sees_the_address_masked(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    assert (await offer(shop, ada, ticket)).recipient_email == "b•••@example.org"


async def test_only_the_owner_offers_and_not_to_herself(shop: Shop) -> None:
    ada = shop.buyer(BEN)
    (ticket,) = await shop.buy(ada)
    with pytest.raises(TicketUnknown):
        await offer(shop, shop.buyer(), ticket)
    with pytest.raises(TicketUnknown):
        await offer(shop, ada, TicketId(uuid4()))
    with pytest.raises(TransferToSelf, match="own address"):
        await offer(shop, ada, ticket)
    with pytest.raises(TransferUnknown):
        await accept_ticket(shop.context, ada, TransferId(uuid4()))


async def test_a_ticket_that_was_used_meanwhile_stays_where_it_is(shop: Shop) -> None:
    ada = shop.buyer()
    (ticket,) = await shop.buy(ada)
    offered = await offer(shop, ada, ticket)
    await move(shop, ticket, State.CHECKED_IN)
    with pytest.raises(TicketNotTransferable):
        await accept_ticket(shop.context, shop.buyer(BEN), offered.transfer_id)
    assert (await shop.ticket(ticket)).owner == ada.user


async def test_locked_used_and_overdue_tickets_are_not_offered(shop: Shop) -> None:
    ada = shop.buyer()
    inside, locked, free = await shop.buy(ada, 3)
    await move(shop, inside, State.CHECKED_IN)
    await move(shop, locked, State.TRANSFERRED, Changes(locked="chargeback"))
    for ticket, kind in ((inside, TicketNotTransferable), (locked, TicketLocked)):
        with pytest.raises(kind):
            await offer(shop, ada, ticket)
    with pytest.raises(CodeOver, match="locked"):
        await show_code(shop.context, shop.parts.mint, ada, locked)
    shop.clock.step_wall(ENDS + timedelta(hours=2) - shop.clock.now())
    with pytest.raises(EventOver):
        await offer(shop, ada, free)


async def test_a_ticket_goes_through_so_many_hands_and_no_more(shop: Shop) -> None:
    owner = shop.buyer()
    (ticket,) = await shop.buy(owner)
    for _ in range(RULES.per_ticket):
        offered = await offer(shop, owner, ticket)
        owner = shop.buyer(BEN)
        await accept_ticket(shop.context, owner, offered.transfer_id)
        owner = User(tenant=owner.tenant, user=owner.user, role=owner.role)
        shop.clock.advance(REST)
    with pytest.raises(TransferLimitReached, match="handed over 5 times"):
        await offer(shop, owner, ticket)


async def test_a_user_makes_so_many_offers_a_day_and_no_more(shop: Shop) -> None:
    ada = shop.buyer()
    tickets = [*await shop.buy(ada, 10), *await shop.buy(ada, 1)]
    for ticket in tickets[: RULES.per_user_day]:
        await offer(shop, ada, ticket)
    with pytest.raises(TransferDayLimitReached, match="within a day"):
        await offer(shop, ada, tickets[-1])


async def test_offers_made_at_once_count_together(shop: Shop) -> None:
    ada = shop.buyer()
    tickets = [*await shop.buy(ada, 10), *await shop.buy(ada, 3)]
    outcomes = await asyncio.gather(*(offer(shop, ada, one) for one in tickets), return_exceptions=True)
    assert sum(isinstance(one, Offered) for one in outcomes) == RULES.per_user_day
    assert sum(isinstance(one, TransferDayLimitReached) for one in outcomes) == 3


async def verdict(shop: Shop, text: str) -> Reason:
    """Decide as a gate that has applied the whole feed."""
    read = (await shop.reader()).read(text, shop.clock.now())
    assert isinstance(read, CodeRead)
    known = hash_handle(read.capsule.claims.handle)
    dead = {entry.handle_hash for entry in await shop.queued() if isinstance(entry, TombstoneEntry)}
    place = Place(gate=GateId(uuid4()), online=True)
    policy = (await shop.event_row()).policy
    return decide(Facts(known=True, superseded=known in dead), NOWHERE, policy, place, shop.clock.now()).reason


async def move(shop: Shop, ticket: TicketId, to: State, changes: Changes | None = None) -> None:
    """Take a step with a ticket as the system."""
    step = Move(
        to=to,
        actor=ActorRef(kind=Actor.SYSTEM, id="test"),
        source="test",
        now=shop.clock.now(),
        changes=changes or Changes(),
    )
    async with shop.context.db.tenant(shop.tenant) as tx:
        row = await tx.tickets.lock(ticket)
        assert row is not None
        await move_ticket(tx, shop.context.vault, row, step)
