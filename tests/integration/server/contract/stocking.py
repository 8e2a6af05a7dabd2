"""One organiser's part of the hall is filled over HTTP, so that every place in a path has an id that leads somewhere."""

from __future__ import annotations

from uuid import UUID, uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.domain.access import KEY_SCOPES, ServiceCall, User
from server.services.rows_gates import ConflictRow, Evidence, Witness
from shared.clock import unix_ms
from shared.ids import ConflictId, GateId, ScanId, TicketId
from shared.sync.ledger import ConflictClass, Severity
from shared.sync.scan import Mode
from tests.integration.server.contract.proofs import SERVICE
from tests.integration.server.doors.house import b64url
from tests.integration.server.selling.client import Json, Served
from tests.integration.server.selling.stage import fresh_key


async def fill_side(served: Served, owner: User, admin: User, gate_key: Ed25519PrivateKey) -> dict[str, str]:
    """Return an id for every place, and what was shown once: the API key and the service's secret."""
    tickets = await served.buy(owner, 4)
    event = str(served.shop.event)
    gate = await enrol(served, admin, gate_key)
    return {
        "event": event,
        "conflict": await collide(served, gate, tickets[0]),
        "ticket": tickets[0],
        "spare": tickets[2],
        "type": str(served.shop.standing),
        "transfer": await offer(served, owner, tickets[1]),
        "reservation": await hold(served, owner),
        "gate": gate,
        "token": "AAAAAAAAAAAAAAAAAAAAAA",
        "link": await make_link(served, owner, tickets[0]),
        "snapshot": str(uuid4()),
        "n": "0",
        "build": served.running.parts.page.build,
        "file": min(served.running.parts.page.files),
        "name": SERVICE,
        **await name_things(served, admin, event),
    }


async def name_things(served: Served, admin: User, event: str) -> dict[str, str]:
    """Make what organisers make besides events and gates."""
    seat = await add_seat(served, admin, event)
    zone = {"bit": 0, "name": "Floor"}
    await post(served, f"/api/v1/events/{event}/zones", admin, zone)
    wish = {"name": "Turnstiles", "scopes": sorted(KEY_SCOPES)}
    key = await post(served, "/api/v1/api-keys", admin, wish)
    calls = {"name": SERVICE, "calls": sorted(ServiceCall)}
    service = await post(served, "/api/v1/service-callers", admin, calls)
    supervisor = await post(served, "/api/v1/supervisors", admin, {"name": "Kim", "eventId": event})
    file = b"external_id,product\nA-1,1\n"
    path = f"/api/v1/events/{event}/tickets/import"
    brought = await post(served, path, admin, file, Content_Type="text/csv")
    return {
        "key": str(msgspec.convert(key["apiKey"], dict[str, object])["id"]),
        "api_key": str(key["key"]),
        "service": str(service["secret"]),
        "seat": seat,
        "supervisor": str(msgspec.convert(supervisor["supervisor"], dict[str, object])["id"]),
        "import": str(brought["id"]),
    }


async def add_seat(served: Served, admin: User, event: str) -> str:
    """Add a seat and return by which id it is had."""
    path, wish = f"/api/v1/events/{event}", {"name": "Stalls", "priceCents": 1, "currency": "EUR", "seated": True}
    kind = await post(served, path + "/ticket-types", admin, wish, Idempotency_Key=fresh_key())
    labels = {"ticketTypeId": kind["id"], "labels": ["Z 1"]}
    await post(served, path + "/seats", admin, labels, Idempotency_Key=fresh_key())
    reply = await served.call("GET", f"{path}/seats?ticketTypeId={kind['id']}", admin)
    (seat,) = msgspec.convert(reply.json["items"], list[Json])
    return str(seat["seatId"])


async def offer(served: Served, owner: User, ticket: str) -> str:
    """Offer a ticket and return the offer's id."""
    path = f"/api/v1/tickets/{ticket}/transfer"
    body = {"recipientEmail": "friend@example.org"}
    made = await post(served, path, owner, body, Idempotency_Key=fresh_key())
    return str(made["transferId"])


async def hold(served: Served, owner: User) -> str:
    """Reserve a place and return the reservation's id."""
    lines = [{"ticketTypeId": str(served.shop.standing), "quantity": 1}]
    order = {"eventId": str(served.shop.event), "tickets": lines}
    held = await post(served, "/api/v1/tickets/reserve", owner, order, Idempotency_Key=fresh_key())
    return str(held["reservationId"])


async def make_link(served: Served, owner: User, ticket: str) -> str:
    """Return the secret part of a ticket's link."""
    made = await post(served, f"/api/v1/tickets/{ticket}/link", owner, None)
    return str(made["url"]).rpartition("/")[2]


async def enrol(served: Served, manager: User, key: Ed25519PrivateKey) -> str:
    """Enrol a gate and return its id."""
    path = f"/api/v1/events/{served.shop.event}/gates/enrolment-codes"
    issued = await post(served, path, manager, {"name": "North"})
    application = {
        "code": issued["code"],
        "signKey": b64url(key.public_key().public_bytes_raw()),
        "sealKey": b64url(X25519PrivateKey.generate().public_key().public_bytes_raw()),
        "software": "test 1",
    }
    gate = await post(served, "/gate/v1/enrol", None, application)
    return str(gate["gateId"])


async def collide(served: Served, gate: str, ticket: str) -> str:
    """Note that a ticket was let in once too often and return the conflict's id."""
    shop = served.shop
    now = served.running.parts.context.clock.now()
    scan = Witness(
        scan=ScanId(uuid4()),
        gate=GateId(UUID(gate)),
        at_ms=unix_ms(now),
        unsure_ms=10,
        mode=Mode.OFFLINE,
        feed_seq=1,
        proven=True,
        generation=1,
    )
    row = ConflictRow(
        id=ConflictId(uuid4()),
        event=shop.event,
        ticket=TicketId(UUID(ticket)),
        scan=scan.scan,
        earlier=None,
        kind=ConflictClass.CLONE,
        severity=Severity.HIGH,
        state="open",
        resolution=None,
        evidence=Evidence(scan=scan),
        created_at=now,
        updated_at=now,
    )
    async with served.running.parts.database.tenant(shop.tenant) as tx:
        await tx.conflicts.keep(row)
    return str(row.id)


async def post(served: Served, path: str, user: User | None, body: object, **headers: str) -> Json:
    """Make a call that must succeed and return its answer."""
    reply = await served.call("POST", path, user, body, **headers)
    assert reply.status < 300, (path, reply.status, reply.body)
    return reply.json
