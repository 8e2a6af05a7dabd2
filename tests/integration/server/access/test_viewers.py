"""What each viewer sees of one and the same ticket: these fields, and nothing that is not theirs to know."""

from __future__ import annotations

import msgspec

from server.domain.access import Role, User
from tests.integration.server.access.stage import Door
from tests.integration.server.selling.client import Json, Reply
from tests.integration.server.selling.stage import fresh_key

HOLDER = """id number eventId eventName eventStartsAt ticketTypeId ticketTypeName status locked seat validFrom validUntil nft"""
HOLDERS_STEP = "version fromStatus toStatus by at"
ORGANISER = """id eventId ticketTypeId ticketTypeName orderId ownerId holderName seat status locked generation version
externalId validFrom validUntil history"""
SERVICE = (
    """id tenantId eventId ticketTypeId ownerId orderId status seat locked generation version validFrom validUntil"""
)
SCANNER = """valid reason ticketId status eventId eventName ticketTypeId ticketTypeName seat lastEntry waitSeconds"""
OFFER = "transferId ticketId status recipientEmail message createdAt expiresAt"


def fields(seen: object) -> set[str]:
    """Return the names in an answer."""
    return set(msgspec.convert(seen, dict[str, object]))


async def sold_once(door: Door) -> tuple[str, str]:
    """Sell Ada a ticket and return its id and by what it was paid."""
    order: Json = {
        "eventId": str(door.event),
        "tickets": [{"ticketTypeId": str(door.served.shop.standing), "quantity": 1}],
    }
    held = await door.post("/api/v1/tickets/reserve", door.ada, order, Idempotency_Key=fresh_key())
    payment = f"demo_{held.json['totalCents']}_EUR_{fresh_key()}"
    paid = {"reservationId": held.json["reservationId"], "paymentId": payment}
    bought = await door.post("/api/v1/tickets/purchase", door.ada, paid, Idempotency_Key=fresh_key())
    assert bought.status == 200, bought.body
    assert payment.encode() not in bought.body
    (ticket,) = msgspec.convert(bought.json["tickets"], list[dict[str, str]])
    return ticket["ticketId"], payment


async def test_each_viewer_sees_their_fields_of_a_ticket_and_no_others(door: Door) -> None:
    ticket, payment = await sold_once(door)
    manager, scanner = door.staff(Role.VENUE_MANAGER), door.staff()

    async def look(path: str, user: User) -> Reply:
        return await door.served.call("GET", path, user)

    code = await look(f"/api/v1/tickets/{ticket}/qr", door.ada)
    own = await look(f"/api/v1/tickets/{ticket}", door.ada)
    life = await look(f"/api/v1/tickets/{ticket}/history", door.ada)
    desk = await look(f"/api/v1/organiser/tickets/{ticket}", manager)
    service = await door.signed("GET", f"/internal/tickets/{ticket}")
    scanned = await door.post("/api/v1/tickets/validate", scanner, {"code": code.json["qrData"]})
    seen = {"holder": own, "organiser": desk, "service": service, "scanner": scanned}
    assert {who: fields(reply.json) for who, reply in seen.items()} == {
        "holder": set(HOLDER.split()),
        "organiser": set(ORGANISER.split()),
        "service": set(SERVICE.split()),
        "scanner": set(SCANNER.split()),
    }
    (*_, step) = msgspec.convert(life.json["items"], list[Json])
    assert fields(step) == set(HOLDERS_STEP.split())
    # A holder is told of no organiser's number, a scanner of no person, and nobody of money or of what codes are made of.
    for reply in (own, life, scanned):
        assert str(door.tenant).encode() not in reply.body
    for mine in (str(door.ada.user), "ada@example.org"):
        assert mine.encode() not in scanned.body + own.body
    for reply in (own, life, desk, service, scanned):
        assert payment.encode() not in reply.body
        assert not any(
            secret in reply.body.lower() for secret in (b"seed", b"master", b"handle", b"secret", b"validator")
        )
    stranger = [
        await look(f"/api/v1/tickets/{ticket}", door.user(Role.CUSTOMER)),
        await look(f"/api/v1/tickets/{ticket}", door.stranger()),
        await look(f"/api/v1/organiser/tickets/{ticket}", door.stranger()),
    ]
    assert [(reply.status, reply.code) for reply in stranger] == [(404, "ticket_not_found")] * 3
    assert (await door.served.call("GET", f"/api/v1/tickets/{ticket}")).status == 401


async def test_what_is_sold_and_held_is_the_organisers_and_an_address_the_recipients(door: Door) -> None:
    ticket, _ = await sold_once(door)
    types = await door.served.call("GET", f"/api/v1/events/{door.event}/ticket-types", door.ada)
    for one in msgspec.convert(types.json["items"], list[Json]):
        assert not {"sold", "reserved", "total"} & fields(one)
    own = await door.served.call("GET", f"/api/v1/organiser/events/{door.event}", door.staff(Role.VENUE_MANAGER))
    assert {"sold", "reserved", "total"} <= fields(own.json)
    wish = {"recipientEmail": "grace.hopper@example.org"}
    offer = await door.post(f"/api/v1/tickets/{ticket}/transfer", door.ada, wish, Idempotency_Key=fresh_key())
    assert offer.status == 201, offer.body
    assert fields(offer.json) == set(OFFER.split())
    for reply in (offer, await door.served.call("GET", "/api/v1/transfers", door.ada)):
        assert b"grace.hopper" not in reply.body
        assert b"@example.org" in reply.body
