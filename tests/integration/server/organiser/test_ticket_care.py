"""Single tickets: taken back, locked, made anew, and what gates and lists say of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from server.services.classify import LOCK_SOURCE, UNLOCK_SOURCE
from shared.ids import TenantId, TicketId, TransferId
from shared.sync.feed import FeedEntry, TicketEntry, TombstoneEntry
from shared.tickets.lifecycle import RevocationReason
from tests.integration.server.doors.house import House
from tests.integration.server.organiser.office import Json, Office, event_of, ticket_of


async def guest(office: Office, **line: str) -> TicketId:
    """Issue one ticket of a new draft."""
    event, ticket_type = await office.draft_with_type()
    (ticket,) = await office.issue(event, ticket_type["id"], 1, **line)
    return ticket


async def doors_guest(house: House, office: Office) -> tuple[TicketId, bytes]:
    """Return a ticket of the event whose doors are open, and the hash gates know it by."""
    (row,) = await house.stage.issue(1)
    return row.id, await house.stage.handle_hash(row)


def about(handle_hash: bytes, version: int) -> Callable[[FeedEntry], bool]:
    """Match what gates are told of a ticket from a version on."""

    def match(entry: FeedEntry) -> bool:
        return isinstance(entry, TicketEntry | TombstoneEntry) and (
            entry.handle_hash == handle_hash and entry.version >= version
        )

    return match


def steps(ticket: Json) -> list[Json]:
    """Return a ticket's history."""
    history = ticket["history"]
    assert isinstance(history, list)
    return history


@pytest.mark.parametrize("reason", list(RevocationReason))
async def test_ticket_is_taken_back_for_each_reason(office: Office, reason: RevocationReason) -> None:
    ticket = await guest(office)
    revoked = await office.made("POST", f"/tickets/{ticket}/revoke", {"reason": reason})
    last = steps(revoked)[-1]
    assert (revoked["status"], last["reason"], last["actorKind"]) == ("revoked", str(reason), "organiser")
    assert last["actorId"] == str(office.user.user)
    assert await office.refused("POST", f"/tickets/{ticket}/revoke", {"reason": reason}) == (
        409,
        "state_transition_invalid",
    )


async def test_gates_hear_of_everything_that_happens_to_a_ticket(house: House, office: Office) -> None:
    ticket, known_as = await doors_guest(house, office)
    path = f"/tickets/{ticket}"
    await office.made("POST", path + "/lock", {"reason": "chargeback"})
    locked = await office.told(about(known_as, 3))
    assert isinstance(locked, TicketEntry)
    assert locked.locked
    await office.made("POST", path + "/unlock", {"reason": "bank took it back"})
    free = await office.told(about(known_as, 4))
    assert isinstance(free, TicketEntry)
    assert not free.locked
    await office.made("POST", path + "/reissue", {"reason": "lost phone"}, key=uuid4().hex)
    assert isinstance(await office.told(about(known_as, 5)), TombstoneEntry)
    fresh = await house.stage.handle_hash(await house.stage.ticket(ticket))
    reissued = await office.told(about(fresh, 5))
    assert isinstance(reissued, TicketEntry)
    assert (reissued.state, reissued.generation) == ("active", 1)
    await office.made("POST", path + "/revoke", {"reason": "fraud_detected"})
    gone = await office.told(about(fresh, 6))
    assert isinstance(gone, TicketEntry)
    assert gone.state == "revoked"


async def test_rule_refuses_a_ticket_at_once(house: House, office: Office) -> None:
    gate = await house.stage.enrol()
    ticket, _ = await doors_guest(house, office)
    path = f"/tickets/{ticket}"
    changes = (
        ("/lock", {"reason": "fraud"}, "locked"),
        ("/unlock", {"reason": "cleared"}, None),
        ("/reissue", {"reason": "lost phone"}, "transferred_or_reissued"),
        ("/revoke", {"reason": "duplicate_ticket"}, "revoked"),
    )
    for at, (way, body, reason) in enumerate(changes, start=1):
        shown = await house.stage.ticket(ticket)
        await office.made("POST", path + way, body, key=uuid4().hex)
        if reason is None:
            continue
        house.stage.clock.advance(timedelta(seconds=10))
        # The gate let in what it should not have, with the code of before: the rule says on receipt what it is.
        await gate.scan(shown)
        await gate.hand_over(len(gate.bodies))
        scans = await office.page(f"/events/{office.event}/scans?limit=100")
        assert [one["serverReason"] for one in scans.items if one["gateSeq"] == len(gate.bodies)] == [reason], at


async def test_locking_is_remembered_as_classification_needs_it(office: Office) -> None:
    ticket = await guest(office)
    path = f"/tickets/{ticket}"
    locked = await office.made("POST", path + "/lock", {"reason": "fraud"})
    assert (locked["locked"], steps(locked)[-1]["source"]) == ("fraud", LOCK_SOURCE)
    assert await office.refused("POST", path + "/lock", {"reason": "fraud"}) == (409, "ticket_lock_unchanged")
    assert (await office.refused("POST", path + "/lock", {"reason": "mood"}))[0] == 400
    free = await office.made("POST", path + "/unlock", {"reason": "cleared"})
    last = steps(free)[-1]
    assert (free["locked"], last["source"], last["reason"]) == (None, UNLOCK_SOURCE, "cleared")
    assert (last["fromStatus"], last["toStatus"]) == ("active", "active")
    assert await office.refused("POST", path + "/unlock", {"reason": "again"}) == (409, "ticket_lock_unchanged")
    assert await office.refused("POST", path + "/unlock", {"reason": "a\x00"}) == (409, "ticket_lock_unchanged")


async def test_reissued_ticket_changes_hands_in_name_and_happens_once_per_key(office: Office) -> None:
    ticket = await guest(office, holderName="Ada")
    path, key = f"/tickets/{ticket}/reissue", uuid4().hex
    body = {"reason": "sent to the wrong person", "holderName": " Zoë "}
    answers = await asyncio.gather(*(office.call("POST", path, body, key=key) for _ in range(3)))
    assert {status for status, _ in answers} <= {200, 409}
    again = await office.made("POST", path, body, key=key)
    assert (again["generation"], again["holderName"], len(steps(again))) == (1, "Zoë", 3)
    after = await ticket_of(office, ticket)
    assert (after["generation"], after["version"]) == (1, 3)
    assert (await office.refused("POST", path, body, key="x"))[1] == "idempotency_key_unusable"
    assert (await office.refused("POST", path, body | {"holderName": "\x07"}, key=uuid4().hex))[1] == "name_unusable"
    await office.made("POST", f"/tickets/{ticket}/revoke", {"reason": "admin_request"})
    assert (await office.refused("POST", path, body, key=uuid4().hex))[1] == "state_transition_invalid"


async def test_pending_offer_ends_when_a_ticket_is_taken_back(house: House, office: Office) -> None:
    owner = Office(house)
    ticket = await guest(office, ownerId=str(owner.user.user))
    house.stage.clock.advance(timedelta(hours=1))
    offer = await owner.made(
        "POST", f"/tickets/{ticket}/transfer", {"recipientEmail": "ben@example.org"}, key=uuid4().hex
    )
    await office.made("POST", f"/tickets/{ticket}/revoke", {"reason": "transfer_dispute"})
    async with house.parts.database.tenant(house.stage.tenant) as tx:
        found = await tx.transfers.get(TransferId(UUID(str(offer["transferId"]))))
    assert found is not None
    assert found.state == "cancelled"


async def test_tickets_are_listed_by_what_is_looked_for(office: Office) -> None:
    event, ticket_type = await office.draft_with_type()
    owner = str(uuid4())
    tickets = await office.issue(event, ticket_type["id"], 5)
    mine = await office.issue(event, ticket_type["id"], 2, ownerId=owner, holderName="Ada")
    await office.made("POST", f"/tickets/{tickets[0]}/lock", {"reason": "dispute"})
    await office.made("POST", f"/tickets/{tickets[1]}/revoke", {"reason": "admin_request"})
    path = f"/events/{event}/tickets"
    first = await office.page(path + "?limit=4")
    rest = await office.page(f"{path}?limit=4&cursor={first.cursor}")
    assert len({one["id"] for one in first.items + rest.items}) == 7
    assert rest.cursor is None
    assert [one["id"] for one in (await office.page(path + "?locked=true")).items] == [str(tickets[0])]
    assert [one["id"] for one in (await office.page(path + "?status=revoked")).items] == [str(tickets[1])]
    found = (await office.page(f"{path}?ownerId={owner}")).items
    assert {one["id"] for one in found} == {str(one) for one in mine}
    assert {one["holderName"] for one in found} == {"Ada"}
    assert (await office.page(f"{path}?ticketTypeId={uuid4()}")).items == []
    for wrong in ("status=lost", "locked=perhaps", "ownerId=me", "limit=0", "cursor=x", "externalId=%00"):
        assert (await office.refused("GET", f"{path}?{wrong}"))[0] == 400, wrong


async def test_another_tenants_ticket_looks_absent(house: House, office: Office) -> None:
    ticket = await guest(office)
    stranger = Office(house)
    stranger.user = replace(stranger.user, tenant=TenantId(uuid4()))
    for path, body in (
        ("revoke", {"reason": "fraud_detected"}),
        ("lock", {"reason": "fraud"}),
        ("unlock", {"reason": "x"}),
        ("reissue", {"reason": "x"}),
    ):
        answer = await stranger.refused("POST", f"/tickets/{ticket}/{path}", body, key=uuid4().hex)
        assert answer == (404, "ticket_not_found")
    assert await stranger.refused("GET", f"/organiser/tickets/{ticket}") == (404, "ticket_not_found")


async def test_two_who_take_one_ticket_back_do_it_once(office: Office) -> None:
    ticket = await guest(office)
    path = f"/tickets/{ticket}/revoke"
    answers = await asyncio.gather(*(office.call("POST", path, {"reason": "admin_request"}) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert len(steps(await ticket_of(office, ticket))) == 3


async def test_place_of_a_revoked_ticket_is_sold_again_by_the_events_rule(office: Office) -> None:
    event, kind = await office.draft_with_type(seated=True, total=0)
    path = f"/events/{event}/seats"
    await office.made("POST", path, {"ticketTypeId": kind["id"], "labels": ["A 1", "A 2"]})
    await office.made("POST", f"/events/{event}/open")
    first, second = (await office.page(path)).items
    for seat in (first, second):
        await office.issue(event, kind["id"], seatId=seat["seatId"])
    body = {"reason": "fraud_detected"}
    await office.made("POST", f"/tickets/{first['seatId']}/revoke", body)
    kept = await event_of(office, event)
    assert (kept["available"], kept["sold"]) == (0, 2)
    rules = {"version": kept["version"], "refundRules": {"restockRevoked": True}}
    await office.made("PATCH", f"/events/{event}", rules)
    await office.made("POST", f"/tickets/{second['seatId']}/revoke", body)
    after = await event_of(office, event)
    assert (after["available"], after["sold"], after["total"]) == (1, 1, 2)
    free = [one for one in (await office.page(path)).items if one["free"]]
    assert [one["label"] for one in free] == [second["label"]]
    assert free[0]["seatId"] != second["seatId"]
    assert await office.refused("POST", f"/tickets/{second['seatId']}/revoke", body) == (
        409,
        "state_transition_invalid",
    )
    chargeback = {"reason": "chargeback", "refund": True}
    assert (await office.refused("POST", f"/tickets/{second['seatId']}/revoke", chargeback))[0] == 400
