"""Who gets in: tokens of our own making, in date, for this audience, and nothing else."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from uuid import uuid4

import jwt
import pytest
from msgspec.structs import replace

from server.domain.access import Role, User
from tests.integration.server.selling.client import Reply, Served
from tests.integration.server.selling.stage import JWT_SECRET, NOON

PATH = "/api/v1/tickets"


def claims(**changes: object) -> dict[str, object]:
    """Return good claims with changes; None takes a claim away."""
    good: dict[str, object] = {
        "sub": str(uuid4()),
        "tenant_id": str(uuid4()),
        "role": "customer",
        "iss": "tickettoken",
        "aud": "tickettoken",
        "exp": int((NOON + timedelta(hours=1)).timestamp()),
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


async def send(served: Served, token: str) -> Reply:
    """Call with a token as it is."""
    return await served.call("GET", PATH, Authorization=f"Bearer {token}")


async def test_a_good_token_gets_in(served: Served) -> None:
    token = jwt.encode(claims(), JWT_SECRET.value, algorithm="HS256")
    assert (await send(served, token)).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int((NOON - timedelta(minutes=1)).timestamp())},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": int((NOON + timedelta(minutes=1)).timestamp())},
        {"iss": "somebody"},
        {"aud": "tickettoken-gate"},
        {"sub": "ada"},
        {"sub": None},
        {"tenant_id": None},
        {"role": "owner"},
        {"role": None},
    ],
)
async def test_claims_that_do_not_fit_stay_outside(changes: dict[str, object], served: Served) -> None:
    token = jwt.encode(claims(**changes), JWT_SECRET.value, algorithm="HS256")
    reply = await send(served, token)
    assert (reply.status, reply.code) == (401, "token_invalid")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")


async def test_forged_and_foreign_signatures_stay_outside(served: Served) -> None:
    good = jwt.encode(claims(), JWT_SECRET.value, algorithm="HS256")
    head, body, signature = good.split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "=="))
    changed["role"] = "admin"
    raised = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for token in (
        f"{head}.{raised}.{signature}",
        f"{unsigned}.{body}.",
        f"{unsigned}.{body}.{signature}",
        jwt.encode(claims(), "another secret of a good length, longer than sixty-four characters…", algorithm="HS256"),
        jwt.encode(claims(), JWT_SECRET.value, algorithm="HS512"),
        f"{head}.{body}",
        "x",
        "ä.ö.ü",
    ):
        reply = await send(served, token)
        assert (reply.status, reply.code) == (401, "token_invalid"), token


async def test_no_token_is_told_apart_from_a_bad_one(served: Served) -> None:
    assert (await served.call("GET", PATH)).code == "token_missing"
    for header in ("Basic YTpi", "Bearer", "Bearer ", f"Bearer {'x' * 5000}"):
        reply = await served.call("GET", PATH, Authorization=header)
        assert (reply.status, reply.code) == (401, "token_missing")


async def test_an_address_counts_only_when_it_was_verified(served: Served) -> None:
    tokens = served.running.parts.tokens
    for verified, email in ((True, "ada@example.org"), (False, None), (None, None)):
        stated = claims(email="Ada@Example.org ", email_verified=verified)
        assert tokens.verify(jwt.encode(stated, JWT_SECRET.value, algorithm="HS256")).email == email


async def test_a_token_made_here_comes_back_as_who_it_was_made_for(served: Served) -> None:
    tokens = served.running.parts.tokens
    ada = served.shop.buyer("ada@example.org")
    manager = replace(ada, role=Role.VENUE_MANAGER, email=None)
    assert tokens.verify(tokens.make(ada)) == ada
    assert tokens.verify(tokens.make(manager)) == manager
    assert "ada@" not in repr(ada)


async def test_a_token_ends_with_its_hour(served: Served) -> None:
    ada: User = served.shop.buyer()
    token = served.running.parts.tokens.make(ada, life=timedelta(hours=1))
    assert (await send(served, token)).status == 200
    served.shop.clock.advance(timedelta(hours=1, seconds=11))
    assert (await send(served, token)).code == "token_invalid"
