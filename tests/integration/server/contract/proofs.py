"""What callers bring to show who they are, other than a person's token."""

from __future__ import annotations

import hashlib
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from server.domain.service_call import SignedCall, sign
from server.settings_access import AccessPlan
from shared.ids import GateId
from tests.integration.server.doors.house import gate_token
from tests.integration.server.selling.stage import Shop

SERVICE = "orders"


class Secrets(Struct, frozen=True, kw_only=True, eq=False):
    """What one organiser's gate, outside system and service know."""

    gate: str
    gate_key: Ed25519PrivateKey
    api_key: str
    service: str


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries a token."""
    return {"Authorization": f"Bearer {token}"}


def prove_gate(shop: Shop, secrets: Secrets) -> str:
    """Return a gate's token."""
    return gate_token(shop.tenant, GateId(UUID(secrets.gate)), secrets.gate_key, shop.clock)


def prove_service(shop: Shop, secrets: Secrets, call: tuple[str, str, bytes]) -> dict[str, str]:
    """Return the headers of a signed call, given as method, target and body."""
    method, target, body = call
    signed = SignedCall(
        audience=AccessPlan().service_audience,
        caller=SERVICE,
        time_s=int(shop.clock.now().timestamp()),
        nonce=uuid4().hex,
        tenant=shop.tenant,
        method=method,
        target=target,
        body_hash=hashlib.sha256(body).digest(),
    )
    return {
        "X-TT-Caller": SERVICE,
        "X-TT-Time": str(signed.time_s),
        "X-TT-Nonce": signed.nonce,
        "X-TT-Tenant": str(signed.tenant),
        "X-TT-Signature": sign(secrets.service.encode(), signed).hex(),
    }
