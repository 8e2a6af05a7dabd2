"""A server whose users' tokens are made elsewhere: it verifies them with the public key, and makes none itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec.structs import replace

from server.app import run_server
from server.domain.token_rules import TokenAlgorithm, TokenRules
from server.listening import bind
from server.settings_access import AccessPlan
from shared.clock import ManualClock
from shared.problems import SettingsInvalid
from tests.conftest import Databases
from tests.integration.server.access.stage import Door
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import JWT_SECRET, open_shop, plan_for

ISSUER = Ed25519PrivateKey.generate()
PEM = ISSUER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
RULES = TokenRules(algorithm=TokenAlgorithm.EDDSA, issuer="https://issuer.example", audience="doors")


@pytest.fixture
async def elsewhere(database: Databases, clock: ManualClock) -> AsyncIterator[Door]:
    """Give a server that knows nothing but its issuer's public key."""
    plan = replace(plan_for(database, clock), jwt_secret=None, access=AccessPlan(rules=RULES, public_key=PEM))
    with bind("127.0.0.1", 0) as listener:
        async with (
            run_server(plan, listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            yield Door(served=Served(running=running, shop=shop, session=session), ada=shop.buyer())


async def test_its_issuers_tokens_count_and_nobody_elses(elsewhere: Door) -> None:
    claims = {
        "sub": str(elsewhere.ada.user),
        "tenant_id": str(elsewhere.tenant),
        "role": "customer",
        "iss": RULES.issuer,
        "aud": RULES.audience,
        "exp": int((elsewhere.clock.now() + timedelta(minutes=5)).timestamp()),
    }

    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await elsewhere.served.call("GET", "/api/v1/tickets", None, **headers)).status

    assert await status(jwt.encode(claims, ISSUER, algorithm="EdDSA", headers={"kid": str(uuid4())})) == 200
    for token in (
        jwt.encode(claims | {"aud": "tickettoken"}, ISSUER, algorithm="EdDSA"),
        jwt.encode(claims | {"iss": "tickettoken"}, ISSUER, algorithm="EdDSA"),
        jwt.encode(claims, Ed25519PrivateKey.generate(), algorithm="EdDSA"),
        jwt.encode(claims, JWT_SECRET.value, algorithm="HS256"),
    ):
        assert await status(token) == 401
    tokens = elsewhere.served.running.parts.tokens
    assert not tokens.are_ours
    with pytest.raises(SettingsInvalid, match="JWT_ISSUER"):
        tokens.make(elsewhere.ada)
