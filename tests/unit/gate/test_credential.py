"""The gate's word on a request, as another library reads it, and how a wrong clock is made up for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.sync.credential import Credential
from shared.clock import ManualClock
from shared.ids import GateId, TenantId

GATE, TENANT = GateId(UUID(int=1)), TenantId(UUID(int=2))
NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    """Give a gate's key."""
    return Ed25519PrivateKey.generate()


def claims_of(credential: Credential, key: Ed25519PrivateKey) -> dict[str, object]:
    """Return the claims of the next token; its times are judged by the test."""
    token = credential.headers()["Authorization"].removeprefix("Bearer ")
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": str(GATE)}
    claims: dict[str, object] = jwt.decode(
        token,
        key.public_key(),
        algorithms=["EdDSA"],
        audience="tickettoken-gate",
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims


def test_token_says_who_and_lasts_a_minute(key: Ed25519PrivateKey) -> None:
    claims = claims_of(Credential(GATE, TENANT, key, ManualClock(NOW)), key)
    issued = int(NOW.timestamp())
    assert claims == {
        "sub": str(GATE),
        "tenant_id": str(TENANT),
        "aud": "tickettoken-gate",
        "iat": issued,
        "exp": issued + 60,
    }


def test_servers_time_is_used_once_it_is_known_to_differ(key: Ed25519PrivateKey) -> None:
    clock = ManualClock(NOW)
    credential = Credential(GATE, TENANT, key, clock)
    assert credential.learn("Sat, 20 Jun 2026 18:10:00 GMT")
    assert claims_of(credential, key)["iat"] == int((NOW + timedelta(minutes=10)).timestamp())
    assert credential.clock_offset_s == -600
    assert not credential.learn("Sat, 20 Jun 2026 18:10:01 GMT")


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sat, 20 Jun 2026 18:00:05 GMT"])
def test_time_that_says_nothing_new_leads_to_no_second_attempt(key: Ed25519PrivateKey, date: str | None) -> None:
    assert not Credential(GATE, TENANT, key, ManualClock(NOW)).learn(date)
