"""What every bus promises, as tests that run against each of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from msgspec import Raw

from server.bus.envelope import decode_envelope
from server.bus.problems import BusFull, Unroutable
from server.bus.topology import EVENTS, INBOX
from server.services.ports_bus import Arrived, Envelope, Outcome, Posting, TicketFact
from shared.ids import TenantId
from shared.problems import Internal
from tests.contract.bus.rig import SPY, Inbox, Rig, consuming, payment, post_many, until


class BusContract:
    """Collected through its subclasses, each of which has a fixture ``rig``."""

    async def test_a_bus_that_can_be_reached_says_so_as_often_as_it_is_asked(self, rig: Rig) -> None:
        for _ in range(3):
            await rig.bus.check()
        assert await rig.bus.list_dead(1) == []

    async def test_a_message_waits_for_its_consumer(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1"))
        inbox = Inbox(Outcome.DONE)
        async with consuming(rig.bus, inbox):
            assert await inbox.have(1) == [
                Arrived(queue=INBOX, key="payment.completed", message_id="p1", body=b'{"id":"p1"}', attempt=1)
            ]

    async def test_only_what_is_bound_arrives(self, rig: Rig) -> None:
        for number, key in enumerate(("payment.refunded", "payment.failed", "order.created", "order.cancelled")):
            await rig.bus.post(payment(f"p{number}", key))
        inbox = Inbox(Outcome.DONE)
        async with consuming(rig.bus, inbox):
            arrived = await inbox.have(2)
            await rig.bus.post(payment("last"))
            await inbox.have(3)
        assert sorted(one.key for one in arrived) == ["order.cancelled", "payment.completed", "payment.failed"]

    async def test_a_domain_event_arrives_in_its_envelope(self, rig: Rig) -> None:
        event = Envelope(
            event=TicketFact.CHECKED_IN,
            id=uuid4(),
            timestamp=datetime(2026, 6, 20, 18, 0, tzinfo=UTC),
            tenant_id=TenantId(UUID(int=7)),
            correlation_id="trace-1",
            payload=Raw(b'{"ticketId":"t"}'),
        )
        await rig.bus.publish(event)
        inbox = Inbox(Outcome.DONE)
        async with consuming(rig.bus, inbox, SPY):
            (arrived,) = await inbox.have(1)
        assert (arrived.key, arrived.message_id) == ("ticket.checked_in", str(event.id))
        assert decode_envelope(arrived.body) == event

    async def test_a_message_nobody_wants_is_taken_unless_somebody_must(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1", "payment.refunded"))
        with pytest.raises(Unroutable):
            await rig.bus.post(payment("p2", "payment.refunded", must_route=True))
        await rig.bus.post(payment("p3", must_route=True))
        inbox = Inbox(Outcome.DONE)
        async with consuming(rig.bus, inbox):
            assert [one.message_id for one in await inbox.have(1)] == ["p3"]

    async def test_an_exchange_that_does_not_exist_is_told(self, rig: Rig) -> None:
        with pytest.raises(Unroutable):
            await rig.bus.post(Posting(exchange="ticket.nowhere", key="x", message_id="1", body=b""))

    async def test_a_full_queue_refuses(self, rig: Rig) -> None:
        # Quorum queues look at their length a little late, so a few more than two may pass.
        with pytest.raises(BusFull):
            await post_many(rig.bus, "small", 500)

    async def test_failed_handling_brings_a_message_again_after_a_while(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1"))
        inbox = Inbox(Outcome.AGAIN, Outcome.AGAIN, Outcome.DONE)
        async with consuming(rig.bus, inbox):
            arrived = await inbox.have(3)
        assert [(one.message_id, one.attempt) for one in arrived] == [("p1", 1), ("p1", 2), ("p1", 3)]
        assert rig.waited_s[:2] == [1.0, 2.0]

    async def test_a_handled_message_does_not_come_again(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1"))
        first, second = Inbox(Outcome.DONE), Inbox(Outcome.DONE)
        async with consuming(rig.bus, first):
            await first.have(1)
            await rig.bus.post(payment("p2"))
            await first.have(2)
        await rig.bus.post(payment("p3"))
        async with consuming(rig.bus, second):
            await second.have(1)
        assert "p1" not in [one.message_id for one in second.arrived]

    async def test_poison_becomes_a_dead_letter_after_its_attempts(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1"))
        inbox = Inbox(Outcome.AGAIN)
        async with consuming(rig.bus, inbox):
            (dead,) = await until(lambda: rig.bus.list_dead(10), bool)
        assert [one.attempt for one in inbox.arrived] == [1, 2, 3, 4]
        assert (dead.message_id, dead.queue, dead.key) == ("p1", INBOX, "payment.completed")
        assert (dead.reason, dead.body) == ("delivery_limit", b'{"id":"p1"}')
        assert dead.died is not None
        assert dead.died.tzinfo is not None

    @pytest.mark.parametrize("problem", [Internal("broken"), ValueError("broken")])
    async def test_a_handler_that_raises_has_failed(self, rig: Rig, problem: Exception) -> None:
        attempts = []

        async def raise_once(arrived: Arrived) -> Outcome:
            attempts.append(arrived.attempt)
            if arrived.attempt == 1:
                raise problem
            return Outcome.DEAD

        await rig.bus.post(payment("p1"))
        async with consuming(rig.bus, raise_once):
            await until(lambda: rig.bus.list_dead(10), bool)
        assert attempts == [1, 2]

    async def test_dead_letters_stay_when_they_are_looked_at(self, rig: Rig) -> None:
        for name in ("p1", "p2", "p3"):
            await rig.bus.post(payment(name))
        async with consuming(rig.bus, Inbox(Outcome.DEAD)):
            await until(lambda: rig.bus.list_dead(10), lambda dead: len(dead) == 3)
        for _ in range(30):
            dead = await rig.bus.list_dead(10)
            ids = sorted(one.message_id for one in dead)
            assert ids == ["p1", "p2", "p3"]
            assert {one.reason for one in dead} == {"rejected"}
        assert len(await rig.bus.list_dead(2)) == 2

    async def test_a_replayed_dead_letter_arrives_as_if_new(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1", "payment.failed"))
        inbox = Inbox(Outcome.AGAIN, Outcome.DEAD, Outcome.DONE)
        async with consuming(rig.bus, inbox):
            await until(lambda: rig.bus.list_dead(10), bool)
            assert await rig.bus.replay_dead(None) == 1
            arrived = await inbox.have(3)
        assert arrived[2] == arrived[0]
        assert (arrived[2].key, arrived[2].attempt) == ("payment.failed", 1)
        assert await rig.bus.list_dead(10) == []

    async def test_only_the_dead_letters_asked_for_are_replayed(self, rig: Rig) -> None:
        for name in ("p1", "p2", "p3"):
            await rig.bus.post(payment(name))
        async with consuming(rig.bus, Inbox(Outcome.DEAD)):
            await until(lambda: rig.bus.list_dead(10), lambda dead: len(dead) == 3)
        assert await rig.bus.replay_dead({"p2", "unknown"}) == 1
        inbox = Inbox(Outcome.DONE)
        async with consuming(rig.bus, inbox):
            assert [one.message_id for one in await inbox.have(1)] == ["p2"]
        assert sorted(one.message_id for one in await rig.bus.list_dead(10)) == ["p1", "p3"]

    async def test_a_letter_that_dies_twice_keeps_its_first_key(self, rig: Rig) -> None:
        await rig.bus.post(payment("p1", "order.cancelled"))
        async with consuming(rig.bus, Inbox(Outcome.DEAD)):
            for _ in range(3):
                (dead,) = await until(lambda: rig.bus.list_dead(10), bool)
                assert (dead.key, dead.queue, dead.message_id) == ("order.cancelled", INBOX, "p1")
                assert await rig.bus.replay_dead({"p1"}) == 1

    async def test_a_message_in_the_hands_of_a_dying_consumer_comes_again(self, rig: Rig) -> None:
        taken = asyncio.Event()

        async def never_end(_: Arrived) -> Outcome:
            taken.set()
            await asyncio.Event().wait()
            return Outcome.DONE

        await rig.bus.post(payment("p1"))
        async with consuming(rig.bus, never_end), asyncio.timeout(20):
            await taken.wait()
        inbox = Inbox(Outcome.DONE)
        async with consuming(rig.bus, inbox):
            (arrived,) = await inbox.have(1)
        assert (arrived.message_id, arrived.attempt) == ("p1", 2)

    async def test_a_consumer_has_ten_messages_in_hand_at_most(self, rig: Rig) -> None:
        in_hand: set[str] = set()
        ten, twelve, go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def hold(arrived: Arrived) -> Outcome:
            in_hand.add(arrived.message_id)
            if len(in_hand) >= 10:
                ten.set()
            if len(in_hand) == 12:
                twelve.set()
            await go_on.wait()
            return Outcome.DONE

        await post_many(rig.bus, "payment.completed", 12)
        async with consuming(rig.bus, hold), asyncio.timeout(20):
            await ten.wait()
            # A whole trip through the bus meanwhile: an eleventh would have been here before.
            spy = Inbox(Outcome.DONE)
            await rig.bus.post(Posting(exchange=EVENTS, key="ticket.spied", message_id="s", body=b"{}"))
            async with consuming(rig.bus, spy, SPY):
                await spy.have(1)
            assert len(in_hand) == 10
            go_on.set()
            await twelve.wait()

    async def test_a_queue_outside_the_topology_cannot_be_read(self, rig: Rig) -> None:
        with pytest.raises(Internal, match="nowhere"):
            await rig.bus.consume("ticket.nowhere", Inbox(Outcome.DONE))
