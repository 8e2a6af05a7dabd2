"""Which proof proves which caller: tokens, keys and signatures joined with the routes that ask for them."""

from __future__ import annotations

import hashlib

from aiohttp import web

from server.api.bearer import TokenMissing, read_bearer
from server.api.exchange import parse_id
from server.api.routes import Authenticators
from server.auth.service_calls import Received, ServiceCalls
from server.domain.access import GateCaller, ServiceCaller, User
from server.domain.api_key import PREFIX
from server.domain.service_call import read_headers
from server.parts import Parts
from server.services.api_keys import tell_key
from server.services.problems_access import ServiceSignatureInvalid
from shared.ids import TenantId

API_KEY_HEADER = "X-API-Key"
_SERVICE_HEADERS = ("X-TT-Caller", "X-TT-Time", "X-TT-Nonce", "X-TT-Tenant", "X-TT-Signature")


def make_authenticators(parts: Parts) -> Authenticators:
    """Return how each kind of caller is told."""
    calls = ServiceCalls(parts.context, parts.access.service_audience, parts.access.service_secret)

    async def tell_user(request: web.Request) -> User:
        token = read_bearer(request)
        return parts.tokens.verify(token) if parts.public_tokens is None else await parts.public_tokens.verify(token)

    async def tell_scanner(request: web.Request) -> User:
        text = _read_key(request)
        return await tell_user(request) if text is None else await tell_key(parts.context, text)

    async def tell_gate(request: web.Request) -> GateCaller:
        return await parts.gate_tokens.verify(read_bearer(request))

    async def tell_retired(request: web.Request) -> GateCaller:
        return await parts.gate_tokens.verify(read_bearer(request), even_revoked=True)

    async def tell_service(request: web.Request) -> ServiceCaller:
        return await calls.verify(await _read_call(request))

    return Authenticators(
        user=tell_user, scanner=tell_scanner, gate=tell_gate, retired=tell_retired, service=tell_service
    )


def _read_key(request: web.Request) -> str | None:
    """Return the API key of a request: in a header of its own, or where tokens are."""
    if API_KEY_HEADER in request.headers:
        return request.headers[API_KEY_HEADER].strip()
    kind, _, text = request.headers.get("Authorization", "").partition(" ")
    text = text.strip()
    return text if kind.lower() == "bearer" and text.startswith(PREFIX) else None


async def _read_call(request: web.Request) -> Received:
    if not any(name in request.headers for name in _SERVICE_HEADERS):
        raise TokenMissing("Sign this call: see docs/reference/service-calls.md.")
    given = {name: request.headers.getall(name, []) for name in _SERVICE_HEADERS}
    # A header that comes twice could be read differently by whatever stands in front of us.
    caller, time, nonce, tenant_text, signature = (found[0] if len(found) == 1 else "" for found in given.values())
    headers, tenant = read_headers(caller, time, nonce, signature), parse_id(tenant_text)
    if headers is None or tenant is None or str(tenant) != tenant_text:
        raise ServiceSignatureInvalid("A header of the signature is missing, comes twice, or has another form.")
    return Received(
        headers=headers,
        tenant=TenantId(tenant),
        method=request.method,
        target=request.raw_path,
        body_hash=hashlib.sha256(await request.read()).digest(),
    )
