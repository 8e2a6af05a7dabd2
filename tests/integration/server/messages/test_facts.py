"""What happens to tickets and reservations is told to other programs, in the same transaction and without a word too much."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from server.services.domain_events import Step, facts_of
from server.services.ports_bus import TicketFact
from server.services.problems import LimitExceeded, NotEnoughLeft, PaymentUnverified
from server.services.reserve import reserve
from server.services.rows import TicketRow
from server.services.transfer import Offered, TransferRequest, accept_ticket, offer_ticket
from shared.tickets.lifecycle import TRANSITIONS, Actor, State
from tests.integration.server.doors.stage import Stage
from tests.integration.server.messages.post import waiting
from tests.integration.server.selling.stage import NOON, Shop, fresh_key


async def test_a_purchase_tells_of_the_reservation_and_of_each_ticket(shop: Shop) -> None:
    buyer = shop.buyer("ada@example.org")
    held = await shop.reserve(buyer, 2)
    await shop.pay(buyer, held)
    told = await waiting(shop.parts.database)
    assert [one.key for one in told] == ["ticket.reserved", *["ticket.created", "ticket.purchased"] * 2]
    reserved, created = told[0], told[1]
    assert reserved.payload == {
        "reservationId": str(held.reservation_id),
        "eventId": str(shop.event),
        "userId": str(buyer.user),
        "lines": [{"ticketTypeId": str(shop.standing), "quantity": 2, "priceCents": 4500}],
        "totalCents": 9000,
        "currency": "EUR",
        "expiresAt": "2026-06-20T12:10:00Z",
    }
    assert created.payload["ownerId"] == str(buyer.user)
    assert (created.payload["state"], created.payload["previousState"]) == ("active", "sold")
    assert created.payload["ticketId"] == str(created.subject)
    assert {one.tenant for one in told} == {shop.tenant}
    assert len({one.message_id for one in told}) == 5


async def test_a_hand_over_names_both_owners_and_no_address(shop: Shop) -> None:
    ada, ben = shop.buyer("ada@example.org"), shop.buyer("ben@example.org")
    (ticket,) = await shop.buy(ada)
    offer = TransferRequest(recipient_email="ben@example.org", message="enjoy")
    answer = await offer_ticket(shop.context, ada, fresh_key(), ticket, offer)
    await accept_ticket(shop.context, ben, msgspec.json.decode(answer.body, type=Offered).transfer_id)
    told = await waiting(shop.parts.database)
    assert told[-1].key == "ticket.transferred"
    assert (told[-1].payload["previousOwnerId"], told[-1].payload["ownerId"]) == (str(ada.user), str(ben.user))
    assert told[-1].payload["generation"] == 1
    assert "example.org" not in str(told)
    assert "enjoy" not in str(told)


async def test_what_is_refused_is_not_told(shop: Shop) -> None:
    with pytest.raises((LimitExceeded, NotEnoughLeft)):
        await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((shop.seated, 10), (shop.seated, 10)))
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    with pytest.raises(PaymentUnverified):
        await shop.pay(buyer, held, payment="nobody-paid-this")
    assert [one.key for one in await waiting(shop.parts.database)] == ["ticket.reserved"]


async def test_places_that_come_back_are_told(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    shop.clock.advance(timedelta(minutes=11))
    await shop.reserve(shop.buyer(), 1)
    (released,) = [one for one in await waiting(shop.parts.database) if one.key == "reservation.released"]
    assert (released.payload["reservationId"], released.payload["reason"]) == (str(held.reservation_id), "expired")


async def test_who_was_let_in_is_told_with_the_gate(stage: Stage) -> None:
    (ticket,) = await stage.issue(1, name="Ada Lovelace")
    gate = await stage.enrol()
    await gate.scan(ticket)
    await gate.hand_over()
    told = await waiting(stage.db)
    assert [one.key for one in told] == ["ticket.created", "ticket.checked_in"]
    assert told[1].payload["gateId"] == str(gate.id)
    assert told[1].payload["source"] == "scan"
    assert "Ada" not in str(told)


@pytest.mark.parametrize(
    ("to", "key"),
    [
        (State.REFUNDED, "ticket.refunded"),
        (State.REVOKED, "ticket.revoked"),
        (State.CANCELLED, "ticket.revoked"),
        (State.EXPIRED, "ticket.expired"),
    ],
)
async def test_the_end_of_a_ticket_is_told_with_its_reason(stage: Stage, to: State, key: str) -> None:
    (ticket,) = await stage.issue(1)
    await stage.move(ticket.id, to)
    last = (await waiting(stage.db))[-1]
    assert (last.key, last.payload["state"], last.payload["reason"]) == (key, str(to), "admin_request")


async def test_a_reason_somebody_typed_stays_here(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    await stage.move(ticket.id, State.REVOKED, reason="Ada Lovelace was rude to Ben")
    assert (await waiting(stage.db))[-1].payload["reason"] == "other"


async def test_every_step_of_the_state_table_is_told_as_documented(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    told = {
        (source, target): facts_of(_step(ticket, source, target))
        for source in TRANSITIONS
        for target in TRANSITIONS[source]
    }
    sold = {State.SOLD, State.ACTIVE, State.MINTED}
    ends = {
        State.CHECKED_IN: [TicketFact.CHECKED_IN],
        State.REFUNDED: [TicketFact.REFUNDED],
        State.REVOKED: [TicketFact.REVOKED],
        State.CANCELLED: [TicketFact.REVOKED],
        State.EXPIRED: [TicketFact.EXPIRED],
    }
    for (source, target), facts in told.items():
        if source in {State.AVAILABLE, State.RESERVED} and target in sold:
            assert facts == [TicketFact.PURCHASED], (source, target)
        else:
            assert facts == ends.get(target, []), (source, target)


def _step(ticket: TicketRow, source: State, target: State) -> Step:
    return Step(
        before=replace(ticket, state=source, version=2),
        after=replace(ticket, state=target, version=3),
        actor_kind=Actor.SYSTEM,
        actor_id="test",
        reason=None,
        source="test",
        at=NOON,
    )
