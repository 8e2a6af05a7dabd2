"""Gates' tokens: short-lived JWT signed with the gate's own Ed25519 key (RFC 7519, RFC 8037), one for each request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct

from server.domain.access import GateCaller
from server.services.gate_access import check_in_service
from server.services.ports import Database
from server.services.problems_gates import GateClockOff, GateTokenInvalid
from shared.clock import Clock
from shared.ids import GateId, TenantId

ALGORITHM = "EdDSA"
AUDIENCE = "tickettoken-gate"
LONGEST_LIFE_S = 60
LEEWAY = timedelta(seconds=30)
_REQUIRED = ["sub", "tenant_id", "aud", "iat", "exp"]

_Moment = Annotated[int, Meta(ge=0, le=253_402_300_799)]


class _Claims(Struct, frozen=True, kw_only=True):
    sub: UUID
    tenant_id: UUID
    iat: _Moment
    exp: _Moment


class GateTokens:
    """Verifies gates' tokens with the keys they enrolled with."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def verify(self, token: str, *, even_revoked: bool = False) -> GateCaller:
        """Return which gate a token proves to be from; ``even_revoked`` lets those out of service through.

        Raises:
            GateTokenInvalid: unknown gate, forged, of another algorithm or audience, or made to last too long.
            GateClockOff: genuine, and of another time than the server's.
            GateRevoked: genuine, and the gate was taken out of service.
        """
        # What the token says of itself only tells whose key to check it with; the check itself comes after.
        caller = _read_caller(token)
        async with self._db.tenant(caller.tenant) as tx:
            gate = await tx.gates.get(caller.gate)
        if gate is None:
            raise GateTokenInvalid("This gate is not known here: enrol it.")
        claims = _verify(token, gate.sign_public)
        if (claims.sub, claims.tenant_id) != (gate.id, gate.tenant):
            raise GateTokenInvalid("This token names another gate than the one that signed it.")
        self._check_time(claims)
        if not even_revoked:
            check_in_service(gate)
        return caller

    def _check_time(self, claims: _Claims) -> None:
        if not 0 < claims.exp - claims.iat <= LONGEST_LIFE_S:
            raise GateTokenInvalid(f"A gate's token lasts {LONGEST_LIFE_S} seconds at most.")
        now = self._clock.now()
        made, ends = datetime.fromtimestamp(claims.iat, UTC), datetime.fromtimestamp(claims.exp, UTC)
        if made - LEEWAY <= now < ends + LEEWAY:
            return
        off_s = round((made - now).total_seconds())
        raise GateClockOff(f"This gate's clock is about {abs(off_s)} s {'ahead' if off_s > 0 else 'behind'}: set it.")


def _read_caller(token: str) -> GateCaller:
    try:
        stated = jwt.decode(token, options={"verify_signature": False})
        header = jwt.get_unverified_header(token)
        claims = msgspec.convert(stated, _Claims)
        gate = UUID(str(header.get("kid")))
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as exc:
        raise GateTokenInvalid("This is not a gate's token.") from exc
    return GateCaller(tenant=TenantId(claims.tenant_id), gate=GateId(gate))


def _verify(token: str, sign_public: bytes) -> _Claims:
    try:
        stated = jwt.decode(
            token,
            Ed25519PublicKey.from_public_bytes(sign_public),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            # Times are checked against the clock we were given.
            options={"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
        return msgspec.convert(stated, _Claims)
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as exc:
        raise GateTokenInvalid("This token is not signed by the gate it names.") from exc
