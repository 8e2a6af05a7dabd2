"""How often one may call: counted for each caller apart, told in every answer, and never at the expense of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from types import MappingProxyType
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from server.domain.access import Role
from server.domain.limits import DEFAULT_QUOTAS, LimitClass, Quota
from server.settings_access import parse_networks
from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.access.stage import ACCESS, Door, open_door

SMALL = {
    LimitClass.READ: Quota(calls=3),
    LimitClass.WRITE: Quota(calls=2),
    LimitClass.SCAN: Quota(calls=5),
    LimitClass.SERVICE: Quota(calls=2),
    LimitClass.BAD_PROOF: Quota(calls=4),
    LimitClass.LINK: Quota(calls=2),
    LimitClass.TENANT: Quota(calls=9),
    LimitClass.STAFF: Quota(calls=9),
}


@pytest.fixture
async def narrow(database: Databases, clock: ManualClock) -> AsyncIterator[Door]:
    """Give a server with small limits, behind a proxy on this machine."""
    quotas = MappingProxyType({**DEFAULT_QUOTAS, **SMALL})
    access = replace(ACCESS, quotas=quotas, proxies=parse_networks("127.0.0.0/8"))
    async with open_door(database, clock, access) as door:
        yield door


async def test_a_caller_is_told_and_at_last_refused_and_others_are_not(narrow: Door) -> None:
    ben = narrow.served.shop.buyer()
    left = []
    for _ in range(3):
        reply = await narrow.served.call("GET", "/api/v1/tickets", narrow.ada)
        assert reply.status == 200
        left.append((reply.headers["RateLimit-Limit"], reply.headers["RateLimit-Remaining"]))
    assert left == [("3", "2"), ("3", "1"), ("3", "0")]
    refused = await narrow.served.call("GET", "/api/v1/tickets", narrow.ada)
    assert (refused.status, refused.code) == (429, "rate_limited")
    retry = msgspec.convert(refused.json["retry"], dict[str, int | bool])
    assert retry == {"retryable": True, "after": int(refused.headers["Retry-After"])}
    assert 60 <= int(refused.headers["Retry-After"]) <= 66
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert (await narrow.served.call("GET", "/api/v1/tickets", ben)).status == 200
    assert (await narrow.post("/api/v1/tickets/reserve", narrow.ada, {})).status == 400
    narrow.clock.advance(timedelta(seconds=int(refused.headers["Retry-After"])))
    assert (await narrow.served.call("GET", "/api/v1/tickets", narrow.ada)).status == 200


async def test_one_tenant_cannot_use_up_another_ones_share(narrow: Door) -> None:
    people = [narrow.served.shop.buyer() for _ in range(4)]
    statuses = [(await narrow.served.call("GET", "/api/v1/tickets", one)).status for one in people * 3]
    assert statuses == [200] * 9 + [429] * 3
    stranger = narrow.stranger(Role.CUSTOMER)
    assert (await narrow.served.call("GET", "/api/v1/tickets", stranger)).status == 200


async def test_a_crowd_of_customers_cannot_starve_the_door(narrow: Door) -> None:
    crowd = [narrow.served.shop.buyer() for _ in range(4)]
    statuses = [(await narrow.served.call("GET", "/api/v1/tickets", one)).status for one in crowd * 3]
    assert statuses[-3:] == [429] * 3
    path, doors = f"/api/v1/events/{narrow.event}/stats", [narrow.user(Role.DOOR_STAFF) for _ in range(4)]
    statuses = [(await narrow.served.call("GET", path, one)).status for one in doors * 3]
    assert statuses == [200] * 9 + [429] * 3


async def test_phones_that_show_codes_leave_the_tenants_share_alone(narrow: Door) -> None:
    path = f"/api/v1/tickets/{uuid4()}/qr"
    statuses = [(await narrow.served.call("GET", path, narrow.ada)).status for _ in range(12)]
    assert statuses == [404] * 12
    assert (await narrow.served.call("GET", "/api/v1/tickets", narrow.ada)).status == 200


async def test_bad_proofs_are_counted_by_address_and_good_ones_go_on(narrow: Door) -> None:
    async def knock(address: str, token: str) -> int:
        headers = {"X_Forwarded_For": address, "Authorization": f"Bearer {token}"}
        return (await narrow.served.call("GET", "/api/v1/tickets", None, **headers)).status

    assert [await knock("192.0.2.1", f"x.{n}.y") for n in range(6)] == [401] * 4 + [429] * 2
    assert await knock("192.0.2.2", "x.y.z") == 401
    good = narrow.served.running.parts.tokens.make(narrow.ada)
    assert await knock("192.0.2.1", good) == 200
    # Of IPv6 the network counts: who has one address there has them all.
    assert [await knock(f"2001:db8::{n}", "x.y.z") for n in range(1, 6)] == [401] * 4 + [429]
    assert (await narrow.served.call("GET", "/api/v1/tickets")).status == 401


async def test_an_address_somebody_made_up_is_not_believed(database: Databases, clock: ManualClock) -> None:
    access = replace(ACCESS, quotas=MappingProxyType({**DEFAULT_QUOTAS, **SMALL}))
    async with open_door(database, clock, access) as door:
        statuses = [
            (
                await door.served.call(
                    "GET", "/api/v1/tickets", None, Authorization="Bearer x", X_Forwarded_For=f"192.0.2.{n}"
                )
            ).status
            for n in range(5)
        ]
    assert statuses == [401] * 4 + [429]


async def test_keys_and_services_are_counted_for_themselves(narrow: Door) -> None:
    first, second = await narrow.make_key("scans:read"), await narrow.make_key("scans:read")
    path = f"/api/v1/events/{narrow.event}/stats"
    statuses = [(await narrow.served.call("GET", path, None, X_API_Key=first)).status for _ in range(4)]
    assert statuses == [200] * 3 + [429]
    assert (await narrow.served.call("GET", path, None, X_API_Key=second)).status == 200
    target = f"/internal/tickets/{uuid4()}"
    assert [(await narrow.signed("GET", target)).status for _ in range(3)] == [404, 404, 429]


async def test_ticket_pages_are_counted_by_address_and_health_not_at_all(narrow: Door) -> None:
    page = "/t/nobody/wallet"
    for _ in range(4):
        assert (await narrow.served.call("GET", "/t/nobody", None, X_Forwarded_For="192.0.2.9")).status == 200
    statuses = [(await narrow.served.call("GET", page, None, X_Forwarded_For="192.0.2.9")).status for _ in range(3)]
    assert statuses[2] == 429
    assert 429 not in statuses[:2]
    for _ in range(12):
        health = await narrow.served.call("GET", "/health/live")
        assert (health.status, health.headers.get("RateLimit-Limit")) == (200, None)
