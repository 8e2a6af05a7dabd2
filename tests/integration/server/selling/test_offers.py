"""Answering and listing offers: turned down, taken back, out of time, and the organiser's rules about when."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from server.domain.access import User
from server.domain.rules import TransferRules
from server.services.problems import RecipientUnproven, TransferOver, TransferUnknown
from server.services.problems_attendee import (
    TicketLocked,
    TransferCoolingDown,
    TransferNotAllowed,
    TransferPaused,
    TransferTooLate,
)
from server.services.rows import Page, TransferState
from server.services.sweep import sweep
from server.services.transfer import Offered, accept_ticket, cancel_offer, reject_offer
from server.services.transfer_list import Direction, ReceivedTransfer, SentTransfer, list_transfers
from server.services.transition import Changes
from shared.ids import TenantId, TransferId
from shared.problems import TicketTokenError
from shared.tickets.lifecycle import State
from tests.integration.server.selling.seating import change_event
from tests.integration.server.selling.stage import STARTS, Shop
from tests.integration.server.selling.test_transfer import BEN, move, offer

ADA = "ada@example.org"


async def rule(shop: Shop, changed: TransferRules) -> None:
    """Have the organiser set other rules."""
    await change_event(shop, transfer_rules=changed)


async def offered(shop: Shop) -> tuple[User, User, Offered]:
    """Have Ada offer a ticket to Ben."""
    ada, ben = shop.buyer(ADA), shop.buyer(BEN)
    (ticket,) = await shop.buy(ada)
    return ada, ben, await offer(shop, ada, ticket)


async def listed(shop: Shop, user: User, direction: Direction | None = None) -> list[SentTransfer | ReceivedTransfer]:
    """Return the first page of somebody's transfers."""
    return (await list_transfers(shop.context, user, direction, Page(limit=100))).items


async def test_what_ben_turns_down_stays_adas_and_can_be_offered_again(shop: Shop) -> None:
    ada, ben, made = await offered(shop)
    for _ in range(2):
        answered = await reject_offer(shop.context, ben, made.transfer_id)
        assert answered.status is TransferState.REJECTED
    with pytest.raises(TransferOver, match="rejected"):
        await accept_ticket(shop.context, ben, made.transfer_id)
    with pytest.raises(TransferOver, match="rejected"):
        await cancel_offer(shop.context, ada, made.transfer_id)
    assert (await shop.ticket(made.ticket_id)).owner == ada.user
    assert (await offer(shop, ada, made.ticket_id)).status is TransferState.PENDING


async def test_what_ada_takes_back_ben_cannot_take(shop: Shop) -> None:
    ada, ben, made = await offered(shop)
    for _ in range(2):
        assert (await cancel_offer(shop.context, ada, made.transfer_id)).status is TransferState.CANCELLED
    for answer in (accept_ticket, reject_offer):
        with pytest.raises(TransferOver, match="cancelled"):
            await answer(shop.context, ben, made.transfer_id)
    assert (await shop.ticket(made.ticket_id)).generation == 0


async def test_only_each_side_answers_for_itself(shop: Shop) -> None:
    ada, ben, made = await offered(shop)
    for caller in (ada, shop.buyer(), shop.buyer("eve@example.org")):
        with pytest.raises(RecipientUnproven):
            await reject_offer(shop.context, caller, made.transfer_id)
    for caller in (ben, shop.buyer(ADA)):
        with pytest.raises(TransferUnknown):
            await cancel_offer(shop.context, caller, made.transfer_id)
    elsewhere = replace(ben, tenant=TenantId(uuid4()))
    for answer in (accept_ticket, reject_offer, cancel_offer):
        with pytest.raises(TransferUnknown):
            await answer(shop.context, elsewhere, made.transfer_id)
        with pytest.raises(TransferUnknown):
            await answer(shop.context, ben, TransferId(uuid4()))


async def test_taking_turning_down_and_taking_back_at_once_end_one_way(shop: Shop) -> None:
    for _ in range(5):
        ada, ben, made = await offered(shop)
        calls = (
            accept_ticket(shop.context, ben, made.transfer_id),
            reject_offer(shop.context, ben, made.transfer_id),
            cancel_offer(shop.context, ada, made.transfer_id),
        )
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(one, TransferOver) for one in outcomes) == 2
        row = await shop.ticket(made.ticket_id)
        assert (row.owner == ben.user, row.state is State.TRANSFERRED) in {(True, True), (False, False)}
        assert (row.owner == ben.user) == (not isinstance(outcomes[0], TransferOver))


async def test_each_side_sees_its_own_half(shop: Shop) -> None:
    ada, ben, made = await offered(shop)
    (sent,) = await listed(shop, ada)
    (received,) = await listed(shop, ben)
    assert isinstance(sent, SentTransfer)
    assert isinstance(received, ReceivedTransfer)
    assert (sent.recipient_email, sent.status) == ("b•••@example.org", TransferState.PENDING)
    assert (received.event_name, received.ticket_type_name, received.message) == ("Opening", "Standing", "Have fun")
    assert not hasattr(received, "recipient_email")
    assert await listed(shop, shop.buyer()) == []
    assert await listed(shop, replace(ben, tenant=TenantId(uuid4()))) == []
    await accept_ticket(shop.context, ben, made.transfer_id)
    (taken,) = await listed(shop, replace(ben, email=None), Direction.RECEIVED)
    assert (taken.status, taken.ended_at) == (TransferState.ACCEPTED, shop.clock.now())
    # another account that proves the same address is told nothing of what somebody else took
    assert await listed(shop, shop.buyer(BEN)) == []
    assert await listed(shop, ben, Direction.SENT) == []


async def test_both_sides_are_listed_page_by_page_newest_first(shop: Shop) -> None:
    ada, ben = shop.buyer(ADA), shop.buyer(BEN)
    made: list[TransferId] = []
    for ticket in await shop.buy(ada, 3):
        made.append((await offer(shop, ada, ticket)).transfer_id)
        shop.clock.advance(timedelta(seconds=1))
    for offer_id in made:
        await accept_ticket(shop.context, ben, offer_id)
    shop.clock.advance(timedelta(minutes=30))
    (own,) = await shop.buy(ben)
    made.append((await offer(shop, replace(ben, email=None), own)).transfer_id)
    seen, after = [], None
    for expected in (2, 2):
        page = await list_transfers(shop.context, ben, None, Page(after=after, limit=2))
        assert len(page.items) == expected
        seen += [one.id for one in page.items]
        after = page.next_after
    assert after is None
    assert seen == list(reversed(made))


async def test_time_ends_an_offer_whoever_notices_first(shop: Shop) -> None:
    shop.clock.step_wall(-timedelta(days=4))
    await rule(shop, TransferRules(life_s=3600))
    ada, ben, made = await offered(shop)
    shop.clock.advance(timedelta(hours=1) - timedelta(microseconds=1))
    assert (await sweep(shop.context, shop.parts.database)).transfers == 0
    shop.clock.advance(timedelta(microseconds=1))
    (seen,) = await listed(shop, ada)
    assert seen.status is TransferState.EXPIRED
    assert (await sweep(shop.context, shop.parts.database)).transfers == 1
    assert (await sweep(shop.context, shop.parts.database)).transfers == 0
    for answer, caller in ((accept_ticket, ben), (reject_offer, ben), (cancel_offer, ada)):
        with pytest.raises(TransferOver, match="expired"):
            await answer(shop.context, caller, made.transfer_id)
    (swept,) = await listed(shop, ada)
    assert swept.ended_at == shop.clock.now()


async def test_a_ticket_rests_after_changing_hands(shop: Shop) -> None:
    _, ben, made = await offered(shop)
    await accept_ticket(shop.context, ben, made.transfer_id)
    shop.clock.advance(timedelta(minutes=30) - timedelta(microseconds=1))
    with pytest.raises(TransferCoolingDown, match="12:30"):
        await offer(shop, replace(ben, email=None), made.ticket_id)
    shop.clock.advance(timedelta(microseconds=1))
    assert (await offer(shop, replace(ben, email=None), made.ticket_id)).status is TransferState.PENDING


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        (TransferRules(allowed=False), TransferNotAllowed),
        (TransferRules(deadline_s=8 * 3600), TransferTooLate),
        (TransferRules(blackout_from=STARTS - timedelta(days=1)), TransferPaused),
        (TransferRules(blackout_until=STARTS), TransferPaused),
    ],
)
async def test_the_organisers_rules_hold_for_offering_and_for_taking(
    changed: TransferRules, kind: type[TicketTokenError], shop: Shop
) -> None:
    ada, ben, made = await offered(shop)
    (other,) = await shop.buy(ada)
    await rule(shop, changed)
    with pytest.raises(kind):
        await offer(shop, ada, other)
    with pytest.raises(kind):
        await accept_ticket(shop.context, ben, made.transfer_id)
    assert (await shop.ticket(made.ticket_id)).owner == ada.user
    await rule(shop, TransferRules())
    await accept_ticket(shop.context, ben, made.transfer_id)


async def test_a_ticket_locked_after_the_offer_does_not_move(shop: Shop) -> None:
    ada, ben, made = await offered(shop)
    await move(shop, made.ticket_id, State.TRANSFERRED, Changes(locked="dispute"))
    with pytest.raises(TicketLocked):
        await accept_ticket(shop.context, ben, made.transfer_id)
    assert (await shop.ticket(made.ticket_id)).owner == ada.user
