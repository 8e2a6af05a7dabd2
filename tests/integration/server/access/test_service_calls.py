"""Other services: let in by their signature over this very call, once, for what is on their list."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from server.domain.access import Role, ServiceCall, User
from server.services.callers import add_caller
from server.services.key_care import count_foreign, rewrap_all
from server.services.keys import KeyVault
from shared.codes.keys import KeyRing
from tests.integration.server.access.stage import Door
from tests.integration.server.selling.stage import RING, fresh_key

RESERVE = ["POST /internal/tickets/{ticket}/reserve"]


async def test_a_signed_call_gets_the_ticket_without_names_or_secrets(door: Door) -> None:
    ticket = await door.buy()
    reply = await door.signed("GET", f"/internal/tickets/{ticket}")
    assert reply.status == 200, reply.body
    assert (reply.json["id"], reply.json["status"], reply.json["ownerId"]) == (
        str(ticket),
        "active",
        str(door.ada.user),
    )
    assert set(reply.json) == {
        "id", "tenantId", "eventId", "ticketTypeId", "ownerId", "orderId", "status", "seat", "locked", "generation", "version",
        "validFrom", "validUntil",
    }  # fmt: skip


async def test_whatever_differs_from_what_was_signed_is_refused(door: Door) -> None:
    ticket = await door.buy()
    target = f"/internal/tickets/{ticket}"
    for changes in (
        {"audience": "another"},
        {"sent_caller": "orders"},
        {"sent_time": int(door.clock.now().timestamp()) + 1},
        {"sent_nonce": uuid4().hex},
        {"sent_tenant": uuid4()},
        {"sent_target": target + "?all=1"},
        {"body_hash": bytes(32)},
        {"secret": "another secret of a good length……"},
        {"sent_signature": "0" * 64},
        {"sent_signature": "zz"},
        {"sent_nonce": "short"},
        {"sent_tenant": str(door.tenant).upper()},
        {"caller": "nobody"},
    ):
        reply = await door.signed("GET", target, **changes)
        assert (reply.status, reply.code) == (401, "service_signature_invalid"), changes
    assert (await door.signed_as("POST", "GET", target)).code == "service_signature_invalid"
    assert (await door.served.call("GET", target)).code == "token_missing"
    token = await door.served.call("GET", target, door.staff(Role.ADMIN))
    assert token.code == "token_missing"


async def test_a_call_counts_once_and_only_near_its_time(door: Door) -> None:
    target = f"/internal/tickets/{await door.buy()}"
    nonce = uuid4().hex
    for off_s, status in ((-300, 200), (300, 200), (-301, 401), (301, 401)):
        moment = int(door.clock.now().timestamp()) + off_s
        reply = await door.signed("GET", target, time_s=moment)
        assert reply.status == status, off_s
        assert status == 200 or reply.code == "service_clock_off"
    signed_at = int(door.clock.now().timestamp()) + 300
    # A forged call uses no nonce up, and neither does one of another time.
    assert (await door.signed("GET", target, nonce=nonce, sent_signature="0" * 64)).status == 401
    assert (await door.signed("GET", target, nonce=nonce, time_s=signed_at + 100)).status == 401
    assert (await door.signed("GET", target, nonce=nonce, time_s=signed_at)).status == 200
    door.clock.advance(timedelta(seconds=599))
    again = await door.signed("GET", target, nonce=nonce, time_s=signed_at)
    assert (again.status, again.code) == (401, "nonce_reused")
    door.clock.advance(timedelta(seconds=2))
    late = await door.signed("GET", target, nonce=nonce, time_s=signed_at)
    assert (late.status, late.code) == (401, "service_clock_off")


async def test_a_service_is_let_in_by_name_and_does_what_is_on_its_list(door: Door) -> None:
    admin = door.staff(Role.ADMIN)
    made = await door.post("/api/v1/service-callers", admin, {"name": "orders", "calls": RESERVE})
    assert made.status == 201, made.body
    again = await door.post("/api/v1/service-callers", admin, {"name": "orders", "calls": RESERVE})
    assert (again.status, again.code) == (409, "service_exists")
    taken = await door.post("/api/v1/service-callers", admin, {"name": "internal", "calls": RESERVE})
    assert taken.code == "service_name_unusable"
    orders = {"caller": "orders", "secret": str(made.json["secret"])}
    target = f"/internal/tickets/{door.served.shop.standing}/reserve"
    body = {"userId": str(uuid4())}
    held = await door.signed("POST", target, body, Idempotency_Key=fresh_key(), **orders)
    assert held.status == 201, held.body
    read = await door.signed("GET", f"/internal/tickets/{await door.buy()}", **orders)
    assert (read.status, read.code) == (403, "service_not_allowed")
    elsewhere = await door.signed("POST", target, body, Idempotency_Key=fresh_key(), tenant=uuid4(), **orders)
    assert (elsewhere.status, elsewhere.code) == (401, "service_signature_invalid")


async def test_two_secrets_overlap_while_a_service_changes_over(door: Door) -> None:
    admin = door.staff(Role.ADMIN)
    calls = ["GET /internal/tickets/{ticket}"]
    first = (await door.post("/api/v1/service-callers", admin, {"name": "orders", "calls": calls})).json["secret"]
    path = "/api/v1/service-callers/orders/rotate"
    second = (await door.post(path, admin, {"overlapMinutes": 60})).json["secret"]
    target = f"/internal/tickets/{await door.buy()}"

    async def statuses(*secrets: object) -> list[int]:
        return [(await door.signed("GET", target, caller="orders", secret=one)).status for one in secrets]

    assert await statuses(first, second) == [200, 200]
    listed = await door.served.call("GET", "/api/v1/service-callers", admin)
    (view,) = msgspec.convert(listed.json["items"], list[dict[str, object]])
    assert (view["secrets"], view["olderEndsAt"]) == (2, "2026-06-20T18:30:00Z")
    third = (await door.post(path, admin, {})).json["secret"]
    assert await statuses(first, second, third) == [401, 200, 200]
    door.clock.advance(timedelta(hours=25))
    assert await statuses(first, second, third) == [401, 401, 200]
    assert (await door.served.call("DELETE", "/api/v1/service-callers/orders", admin)).status == 204
    assert await statuses(third) == [401]
    gone = await door.served.call("DELETE", "/api/v1/service-callers/orders", admin)
    assert (gone.status, gone.code) == (404, "service_not_found")
    assert (await door.post(path, admin, {})).code == "service_not_found"


async def test_a_services_secret_is_kept_wrapped_and_wrapped_anew_like_all_others(door: Door) -> None:
    context = door.served.shop.context
    made = await add_caller(context, door.tenant, "orders", frozenset({ServiceCall.READ_TICKET}))
    async with context.db.tenant(door.tenant) as tx:
        (row,) = await tx.services.secrets("orders")
    assert made.secret.encode() not in row.wrapped
    assert made.secret not in repr(made)
    ring = KeyRing({"k2": bytes(range(1, 33)), "k1": bytes(range(32))})
    assert RING.current == "k1"
    anew = replace(context, vault=KeyVault(ring, context.random_bytes, context.clock))
    assert await count_foreign(anew, [door.tenant], "k2") > 0
    await rewrap_all(anew, [door.tenant], lambda _: None, batch=2)
    assert await count_foreign(anew, [door.tenant], "k2") == 0


async def test_a_place_is_held_for_a_user_once_for_each_key(door: Door) -> None:
    buyer = User(tenant=door.tenant, user=door.staff().user, role=Role.CUSTOMER)
    target, key = f"/internal/tickets/{door.served.shop.standing}/reserve", fresh_key()
    body = {"userId": str(buyer.user), "quantity": 2}
    held = await door.signed("POST", target, body, Idempotency_Key=key)
    assert held.status == 201, held.body
    assert (held.json["totalCents"], held.json["status"]) == (9000, "pending")
    again = await door.signed("POST", target, body, Idempotency_Key=key)
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (201, held.body, "true")
    mine = await door.served.call("GET", f"/api/v1/reservations/{held.json['reservationId']}", buyer)
    assert mine.status == 200
    assert (await door.signed("POST", target, body)).code == "idempotency_key_unusable"
    more = await door.signed("POST", target, body, Idempotency_Key=fresh_key())
    assert (more.status, more.code) == (409, "already_holding")
    unknown = await door.signed("POST", f"/internal/tickets/{uuid4()}/reserve", body, Idempotency_Key=fresh_key())
    assert (unknown.status, unknown.code) == (404, "ticket_not_found")
    sold = await door.buy()
    like_it = await door.signed(
        "POST", f"/internal/tickets/{sold}/reserve", {"userId": str(uuid4())}, Idempotency_Key=fresh_key()
    )
    assert like_it.status == 201
    assert msgspec.convert(like_it.json["tickets"], list[dict[str, object]])[0]["ticketTypeId"] == str(
        door.served.shop.standing
    )


@pytest.mark.parametrize("role", [Role.VENUE_MANAGER, Role.CUSTOMER])
async def test_services_are_an_administrators_business(role: Role, door: Door) -> None:
    body = {"name": "orders", "calls": RESERVE}
    assert (await door.post("/api/v1/service-callers", door.staff(role), body)).code == "scope_missing"
