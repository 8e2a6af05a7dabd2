"""API keys: good for what they were made for, for as long as they were meant to be, and for nobody's else."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from server.domain.access import Role
from server.domain.api_key import ApiKey, read_key, write_key
from shared.ids import ApiKeyId, TenantId
from tests.integration.server.access.stage import Door

VALIDATE = "/api/v1/tickets/validate"


async def test_a_key_opens_what_it_was_made_for_and_nothing_else(door: Door) -> None:
    key = await door.make_key("tickets:validate", "scans:read")
    body = {"code": await door.code(await door.buy())}
    for headers in ({"X_API_Key": key}, {"Authorization": f"Bearer {key}"}):
        reply = await door.post(VALIDATE, None, body, **headers)
        assert (reply.status, reply.json["valid"]) == (200, True), reply.body
    figures = await door.served.call("GET", f"/api/v1/events/{door.event}/stats", None, X_API_Key=key)
    assert figures.status == 200
    for path in ("/api/v1/gates?eventId=" + str(door.event), "/api/v1/events"):
        refused = await door.served.call("GET", path, None, X_API_Key=key)
        assert (refused.status, refused.code) == (403, "scope_missing")
    for path in ("/api/v1/tickets", "/api/v1/api-keys"):
        closed = await door.served.call("GET", path, None, Authorization=f"Bearer {key}")
        assert (closed.status, closed.code) == (401, "token_invalid")
        assert (await door.served.call("GET", path, None, X_API_Key=key)).code == "token_missing"


async def test_the_key_is_shown_once_and_kept_as_a_hash(door: Door) -> None:
    key = await door.make_key("tickets:checkin", expiresAt="2027-01-01T00:00:00Z")
    listed = await door.served.call("GET", "/api/v1/api-keys", door.staff(Role.ADMIN))
    (view,) = msgspec.convert(listed.json["items"], list[dict[str, object]])
    assert (view["name"], view["scopes"], view["lastUsedAt"]) == ("turnstiles", ["tickets:checkin"], None)
    parts = read_key(key)
    assert parts is not None
    assert key.encode() not in listed.body
    async with door.served.shop.context.db.tenant(door.tenant) as tx:
        row = await tx.api_keys.get(parts.id)
    assert row is not None
    assert parts.secret not in row.secret_hash
    assert len(row.secret_hash) == 32
    assert "turnstiles" not in repr(row)


async def test_use_is_noted_now_and_then(door: Door) -> None:
    key = await door.make_key("events:read")
    parts = read_key(key)
    assert parts is not None

    async def used_at() -> object:
        assert (await door.served.call("GET", "/api/v1/events", None, X_API_Key=key)).status == 200
        async with door.served.shop.context.db.tenant(door.tenant) as tx:
            row = await tx.api_keys.get(parts.id)
        assert row is not None
        return row.last_used_at

    first = door.clock.now()
    assert await used_at() == first
    door.clock.advance(timedelta(minutes=4))
    assert await used_at() == first
    door.clock.advance(timedelta(minutes=2))
    assert await used_at() == door.clock.now()


async def test_revoked_and_overdue_keys_are_like_unknown_ones(door: Door) -> None:
    revoked = await door.make_key("events:read")
    overdue = await door.make_key("events:read", expiresAt="2026-06-20T19:00:00Z")
    parts = read_key(revoked)
    assert parts is not None
    admin = door.staff(Role.ADMIN)
    ended = await door.served.call("DELETE", f"/api/v1/api-keys/{parts.id}", admin)
    assert (ended.status, ended.json["revokedAt"] is None) == (200, False)
    assert (await door.served.call("DELETE", f"/api/v1/api-keys/{parts.id}", admin)).json == ended.json
    assert (await door.served.call("GET", "/api/v1/events", None, X_API_Key=overdue)).status == 200
    door.clock.advance(timedelta(hours=2))
    other_secret = write_key(ApiKey(tenant=parts.tenant, id=parts.id, secret=bytes(32)))
    unknown = write_key(ApiKey(tenant=parts.tenant, id=ApiKeyId(uuid4()), secret=parts.secret))
    elsewhere = write_key(ApiKey(tenant=TenantId(uuid4()), id=parts.id, secret=parts.secret))
    told = set()
    for key in (revoked, overdue, other_secret, unknown, elsewhere, revoked[:-1], revoked[:-1] + "é", "tt_live_", ""):
        reply = await door.served.call("GET", "/api/v1/events", None, X_API_Key=key)
        assert (reply.status, reply.code) == (401, "api_key_invalid"), key
        told.add(str(reply.json["detail"]))
    assert len(told) == 1


async def test_a_key_of_one_event_knows_no_other(door: Door) -> None:
    other = await door.other_event()
    key = await door.make_key(
        "tickets:validate", "tickets:checkin", "scans:read", "gates:read", "events:read", eventId=str(other)
    )
    ticket = await door.buy()
    code = await door.code(ticket)
    for what in ("validate", "checkin"):
        reply = await door.post(f"/api/v1/tickets/{ticket}/{what}", None, {"code": code}, X_API_Key=key)
        assert (reply.status, reply.code) == (404, "ticket_not_found")
    said = await door.post(VALIDATE, None, {"code": code}, X_API_Key=key)
    assert (said.json["valid"], said.json["reason"]) == (False, "wrong_event")
    for path in (
        f"/api/v1/events/{door.event}/stats",
        f"/api/v1/events/{door.event}",
        f"/api/v1/gates?eventId={door.event}",
    ):
        reply = await door.served.call("GET", path, None, X_API_Key=key)
        assert (reply.status, reply.code) == (404, "event_not_found"), path
    # Naming its event where nobody reads that would show all of them.
    for path in ("/api/v1/events", f"/api/v1/events?eventId={other}"):
        assert (await door.served.call("GET", path, None, X_API_Key=key)).code == "key_bound", path
    for path in (f"/api/v1/events/{other}/stats", f"/api/v1/gates?eventId={other}"):
        assert (await door.served.call("GET", path, None, X_API_Key=key)).status == 200


async def test_an_outside_systems_check_in_bears_its_name(door: Door) -> None:
    key = await door.make_key("tickets:checkin")
    parts = read_key(key)
    assert parts is not None
    ticket = await door.buy()
    path, body = f"/api/v1/tickets/{ticket}/checkin", {"code": await door.code(ticket)}
    forced = await door.post(path, None, body | {"force": True, "reason": "emergency"}, X_API_Key=key)
    assert (forced.status, forced.code) == (403, "scope_missing")
    assert (await door.post(path, None, body, X_API_Key=key)).json["admitted"] is True
    async with door.served.shop.context.db.tenant(door.tenant) as tx:
        (scan,) = await tx.scans.list_of_event(door.event, None, 5)
    assert f"key:{parts.id}".encode() in scan.body


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "x", "scopes": ["tickets:force"]}, "scope_not_for_keys"),
        ({"name": "x", "scopes": ["access:manage", "events:read"]}, "scope_not_for_keys"),
        ({"name": "x", "scopes": []}, "request_invalid"),
        ({"name": " ", "scopes": ["events:read"]}, "request_invalid"),
        ({"name": "x", "scopes": ["events:read"], "expiresAt": "2026-01-01T00:00:00Z"}, "expiry_unusable"),
        ({"name": "x", "scopes": ["events:read"], "eventId": str(uuid4())}, "event_not_found"),
    ],
)
async def test_keys_that_make_no_sense_are_not_made(body: dict[str, object], code: str, door: Door) -> None:
    admin = door.staff(Role.ADMIN)
    assert (await door.post("/api/v1/api-keys", admin, body)).code == code
    assert (await door.served.call("GET", "/api/v1/api-keys", admin)).json["items"] == []


async def test_keys_are_an_administrators_business_and_their_own_tenants(door: Door) -> None:
    parts = read_key(await door.make_key("events:read"))
    assert parts is not None
    body = {"name": "x", "scopes": ["events:read"]}
    assert (await door.post("/api/v1/api-keys", door.staff(Role.VENUE_MANAGER), body)).code == "scope_missing"
    stranger = door.stranger()
    assert (await door.served.call("DELETE", f"/api/v1/api-keys/{parts.id}", stranger)).code == "api_key_not_found"
    assert (await door.served.call("GET", "/api/v1/api-keys", stranger)).json["items"] == []
