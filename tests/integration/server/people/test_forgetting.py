"""Forgetting people: their names and addresses are in no row any more, and what happened still is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import msgspec

from server.cli_deeds import operator_of
from server.domain.access import Role, User
from server.services.audit import list_deeds
from server.services.people import Erased, erase_due, forget_person
from server.services.rows import Page
from server.services.rows_staff import Via
from shared.clock import ManualClock
from shared.ids import TenantId, UserId
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import fresh_key

NAME = "Wilhelmina Grzegorzewska"
OTHER = "Somebody Else"
EMAIL = "wilhelmina.g@example.org"


async def issue(served: Served, owner: User, name: str) -> str:
    """Issue a ticket in somebody's name."""
    shop = served.shop
    organiser = User(tenant=shop.tenant, user=UserId(uuid4()), role=Role.VENUE_MANAGER)
    line = {"ticketTypeId": str(shop.standing), "holderName": name, "ownerId": str(owner.user)}
    path = f"/api/v1/events/{shop.event}/tickets/issue"
    wish = {"tickets": [line], "reason": "a guest"}
    answer = await served.call("POST", path, organiser, wish, Idempotency_Key=fresh_key())
    assert answer.status == 201, answer.body
    return str(msgspec.convert(answer.json["tickets"], list[dict[str, str]])[0]["ticketId"])


async def offer(served: Served, owner: User, ticket: str, email: str) -> None:
    """Offer a ticket to an address."""
    path = f"/api/v1/tickets/{ticket}/transfer"
    body = {"recipientEmail": email, "message": f"for {NAME}"}
    answer = await served.call("POST", path, owner, body, Idempotency_Key=fresh_key())
    assert answer.status == 201, answer.body


async def found(served: Served, *words: str) -> set[str]:
    """Return the tables in which one of the words stands, in the clear or as bytes."""
    tables = set()
    async with served.running.parts.database.still(served.shop.tenant) as tx:
        for table in await tx.takeout.tables():
            async for row in tx.takeout.rows(table):
                if any(word in row or word.encode().hex() in row for word in words):
                    tables.add(table)
    return tables


async def count(served: Served, *tables: str) -> int:
    """Return how many rows there are in some tables at one moment."""
    async with served.running.parts.database.still(served.shop.tenant) as tx:
        return sum([1 for table in tables async for _ in tx.takeout.rows(table)])


async def state_of(served: Served, owner: User, ticket: str) -> object:
    return (await served.call("GET", f"/api/v1/tickets/{ticket}", owner)).json["status"]


@asynccontextmanager
async def named(served: Served) -> AsyncIterator[tuple[User, str]]:
    """Give somebody with two named tickets, one of them on offer, and a bystander with another."""
    owner, bystander = served.shop.buyer(EMAIL), served.shop.buyer("bystander@example.org")
    kept, offered = await issue(served, owner, NAME), await issue(served, owner, NAME)
    await issue(served, bystander, OTHER)
    await offer(served, owner, offered, "friend@example.org")
    assert await found(served, NAME) == {"tickets", "transfers"}
    yield owner, kept


async def test_an_account_is_forgotten_and_its_tickets_stay_good(served: Served) -> None:
    context, shop = served.running.parts.context, served.shop
    async with named(served) as (owner, kept):
        erased = await forget_person(context, operator_of(shop.tenant), owner.user, None)
        assert erased == Erased(tickets=2, transfers=1, lines=0, answers=3)  # two issued, one offered
        assert await found(served, NAME, "friend@example.org") == set()
        assert await found(served, OTHER) == {"tickets"}
        assert await state_of(served, owner, kept) == "active"
        again = await forget_person(context, operator_of(shop.tenant), owner.user, None)
        assert again == Erased(tickets=0, transfers=0, lines=0)
        deeds = await list_deeds(context, shop.tenant, None, Page(after=None, limit=20))
    noted = [one for one in deeds.items if one.action == "people.forget"]
    assert [(one.subject, one.outcome, one.via, one.actor_id) for one in noted] == [
        (str(owner.user), "done", Via.COMMAND, "cli")
    ] * 2


async def test_answers_kept_for_repeated_calls_are_empty_and_the_calls_stay_done(served: Served) -> None:
    context, shop = served.running.parts.context, served.shop
    owner, bystander = shop.buyer(EMAIL), shop.buyer("bystander@example.org")
    ticket, other = await issue(served, owner, NAME), await issue(served, bystander, OTHER)
    calls = []
    for who, what in ((owner, ticket), (bystander, other)):
        key, path = fresh_key(), f"/api/v1/tickets/{what}/transfer"
        body = {"recipientEmail": "friend@example.org"}
        made = await served.call("POST", path, who, body, Idempotency_Key=key)
        assert made.status == 201, made.body
        calls.append((who, path, body, key))
        taken = await served.call("POST", f"/api/v1/transfers/{made.json['transferId']}/cancel", who)
        assert taken.status == 200, taken.body
    erased = await forget_person(context, operator_of(shop.tenant), owner.user, EMAIL)
    assert erased.answers == 2  # the organiser's that made the ticket, the account's own that offered it
    own, others = [await served.call("POST", path, who, body, Idempotency_Key=key) for who, path, body, key in calls]
    assert (own.status, own.code) == (409, "answer_erased")
    assert (others.status, others.headers["Idempotency-Replayed"]) == (201, "true")


async def test_gates_are_told_that_a_name_is_gone(served: Served) -> None:
    context, shop = served.running.parts.context, served.shop
    async with named(served) as (owner, _):
        before = await count(served, "feed", "outbox")
        await forget_person(context, operator_of(shop.tenant), owner.user, None)
        assert await count(served, "feed", "outbox") == before + 2


async def test_an_address_is_forgotten_and_the_offer_it_waits_for_taken_back(served: Served) -> None:
    context, shop = served.running.parts.context, served.shop
    owner = served.shop.buyer("owner@example.org")
    ticket = await issue(served, owner, OTHER)
    await offer(served, owner, ticket, EMAIL)
    assert await found(served, EMAIL) == {"transfers"}
    erased = await forget_person(context, operator_of(shop.tenant), None, f" {EMAIL.upper()} ")
    assert erased == Erased(tickets=0, transfers=1, lines=0)
    assert await found(served, EMAIL) == set()
    friend = served.shop.buyer(EMAIL)
    offers = await served.call("GET", "/api/v1/transfers?direction=incoming", friend)
    assert offers.json.get("items", []) == []


async def test_another_organisers_people_are_left_alone(served: Served) -> None:
    context = served.running.parts.context
    async with named(served) as (owner, _):
        elsewhere = TenantId(uuid4())
        async with context.db.tenant(elsewhere) as tx:
            await tx.events.add_tenant("Another")
        erased = await forget_person(context, operator_of(elsewhere), owner.user, EMAIL)
        assert erased == Erased(tickets=0, transfers=0, lines=0)
        assert await found(served, NAME) == {"tickets", "transfers"}


async def test_people_of_an_event_are_forgotten_when_their_time_is_over(served: Served, clock: ManualClock) -> None:
    context, database = served.running.parts.context, served.running.parts.database
    month = timedelta(days=30)
    async with named(served):
        clock.advance(timedelta(days=29))
        assert await erase_due(context, database, month) == 0
        assert await found(served, NAME) == {"tickets", "transfers"}
        kept = {table: await count(served, table) for table in ("tickets", "orders", "scans", "ticket_history")}
        clock.advance(timedelta(days=3))
        assert await erase_due(context, database, month) == 1
        assert await found(served, NAME, OTHER, "friend@example.org") == set()
        assert {table: await count(served, table) for table in kept} == kept
        assert await erase_due(context, database, month) == 0
