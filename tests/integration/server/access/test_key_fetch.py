"""Keys from the tokens' issuer: asked for seldom, believed for a while, and never from just anywhere."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth.claims import TokenInvalid
from server.auth.key_fetch import MOST_BYTES, check_address, fetch_from
from server.auth.public_tokens import FetchedKeys, KeysAway, PublicTokens
from server.domain.token_rules import TokenAlgorithm, TokenRules
from shared.clock import ManualClock
from shared.problems import SettingsInvalid

NOW = datetime(2026, 6, 20, 12, 0, tzinfo=UTC)
RULES = TokenRules(algorithm=TokenAlgorithm.EDDSA)


class Issuer:
    """Makes tokens and answers with its public keys."""

    def __init__(self) -> None:
        self.keys = {"a": Ed25519PrivateKey.generate()}
        self.asked = 0
        self.clock = ManualClock(NOW)
        self.answer: web.Response | None = None

    def token(self, kid: str) -> str:
        """Return a token signed with a key."""
        claims = {
            "sub": str(uuid4()),
            "tenant_id": str(uuid4()),
            "role": "customer",
            "iss": "tickettoken",
            "aud": "tickettoken",
            "exp": int((NOW + timedelta(days=9)).timestamp()),
        }
        return jwt.encode(claims, self.keys[kid], algorithm="EdDSA", headers={"kid": kid})

    async def serve(self, _: web.Request) -> web.Response:
        """Answer with the keys, or with what was put there instead."""
        self.asked += 1
        if self.answer is not None:
            answer, self.answer = self.answer, None
            return answer
        return web.Response(body=json.dumps({"keys": [self._jwk(kid) for kid in self.keys]}).encode())

    def _jwk(self, kid: str) -> dict[str, str]:
        raw = self.keys[kid].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


@asynccontextmanager
async def open_issuer() -> AsyncIterator[tuple[Issuer, PublicTokens]]:
    """Serve an issuer on this machine, and believe it."""
    issuer = Issuer()
    app = web.Application()
    app.router.add_get("/keys", issuer.serve)
    async with TestServer(app) as server:
        fetch = fetch_from(str(server.make_url("/keys")), RULES.algorithm)
        yield issuer, PublicTokens(FetchedKeys(fetch, issuer.clock), issuer.clock, RULES)


async def test_keys_are_asked_for_once_and_kept() -> None:
    async with open_issuer() as (issuer, tokens):
        await asyncio.gather(*(tokens.verify(issuer.token("a")) for _ in range(10)))
        assert issuer.asked == 1
        issuer.clock.advance(timedelta(minutes=9))
        await tokens.verify(issuer.token("a"))
        assert issuer.asked == 1
        issuer.clock.advance(timedelta(minutes=2))
        await tokens.verify(issuer.token("a"))
        assert issuer.asked == 2


async def test_a_new_key_is_found_and_floods_of_unknown_ones_ask_once_a_minute() -> None:
    async with open_issuer() as (issuer, tokens):
        await tokens.verify(issuer.token("a"))
        issuer.keys["b"] = Ed25519PrivateKey.generate()
        with pytest.raises(TokenInvalid):
            await tokens.verify(issuer.token("b"))
        assert issuer.asked == 1
        issuer.clock.advance(timedelta(seconds=61))
        assert (await tokens.verify(issuer.token("b"))).user is not None
        assert issuer.asked == 2
        issuer.keys["c"] = Ed25519PrivateKey.generate()
        unknown = issuer.token("c")
        del issuer.keys["c"]
        issuer.clock.advance(timedelta(seconds=61))
        for _ in range(20):
            with pytest.raises(TokenInvalid):
                await tokens.verify(unknown)
        assert issuer.asked == 3


async def test_a_withdrawn_key_ends_and_an_absent_issuer_is_forgiven_for_a_day() -> None:
    async with open_issuer() as (issuer, tokens):
        token = issuer.token("a")
        await tokens.verify(token)
        issuer.answer = web.Response(status=500)
        issuer.clock.advance(timedelta(minutes=11))
        await tokens.verify(token)
        issuer.keys = {"b": Ed25519PrivateKey.generate()}
        issuer.clock.advance(timedelta(minutes=2))
        with pytest.raises(TokenInvalid):
            await tokens.verify(token)
        issuer.answer = web.Response(status=503)
        issuer.clock.advance(timedelta(hours=25))
        with pytest.raises(KeysAway):
            await tokens.verify(issuer.token("b"))


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=404),
        web.Response(status=302, headers={"Location": "/keys"}),
        web.Response(body=b" " * (MOST_BYTES + 1) + b'{"keys":[]}'),
        web.Response(body=b"no keys"),
    ],
)
async def test_anything_else_than_keys_is_not_believed(answer: web.Response) -> None:
    async with open_issuer() as (issuer, tokens):
        issuer.answer = answer
        with pytest.raises(KeysAway):
            await tokens.verify(issuer.token("a"))
        assert issuer.asked == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://127.0.0.1.example/keys",
        "https://user:password@issuer.example/keys",
        "file:///etc/passwd",
        "ftp://issuer.example/keys",
        "https://",
        "https://[",
        "keys",
    ],
)
def test_keys_come_over_https_alone(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="JWT_JWKS_URL"):
        check_address(url)
    check_address("https://issuer.example/keys")
    check_address("http://localhost:8080/keys")
