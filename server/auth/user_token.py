"""Users' tokens: JWT signed with HMAC-SHA256 (RFC 7519, HS256), the algorithm pinned here and never taken from a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import jwt
import msgspec
from msgspec import Meta, Struct

from server.domain.access import Role, User
from shared.clock import Clock
from shared.ids import TenantId, UserId
from shared.problems import Denied
from shared.settings import Secret

ALGORITHM = "HS256"
ISSUER = "tickettoken"
AUDIENCE = "tickettoken"
LIFE = timedelta(hours=12)
_LEEWAY = timedelta(seconds=10)
_REQUIRED = ["sub", "tenant_id", "role", "exp", "iss", "aud"]


class TokenInvalid(Denied):
    """The token is not one of ours, or not any more."""

    code = "token_invalid"


class _Claims(Struct, frozen=True, kw_only=True):
    sub: UUID
    tenant_id: UUID
    role: Role
    exp: Annotated[int, Meta(ge=0, le=253_402_300_799)]
    nbf: Annotated[int, Meta(ge=0, le=253_402_300_799)] = 0
    email: Annotated[str, Meta(max_length=254)] | None = None
    email_verified: bool = False


class UserTokens:
    """Verifies users' tokens, and makes them where this server is its own issuer."""

    def __init__(self, secret: Secret, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def verify(self, token: str) -> User:
        """Return who a token stands for.

        Raises:
            TokenInvalid: forged, of another algorithm, issuer or audience, out of date, or without what we need.
        """
        try:
            stated = jwt.decode(
                token,
                self._secret.value,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # Times are checked below, against the clock we were given.
                options={"require": _REQUIRED, "verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
            claims = msgspec.convert(stated, _Claims)
        except (jwt.PyJWTError, msgspec.ValidationError, UnicodeError) as exc:
            raise TokenInvalid("This token is not valid: sign in again.") from exc
        now = self._clock.now()
        if now >= datetime.fromtimestamp(claims.exp, UTC) + _LEEWAY:
            raise TokenInvalid("This token is out of date: sign in again.")
        if now < datetime.fromtimestamp(claims.nbf, UTC) - _LEEWAY:
            raise TokenInvalid("This token is not valid yet: check the clock of whoever made it.")
        proven = claims.email if claims.email_verified else None
        return User(
            tenant=TenantId(claims.tenant_id),
            user=UserId(claims.sub),
            role=claims.role,
            email=None if proven is None else proven.strip().lower(),
        )

    def make(self, user: User, *, life: timedelta = LIFE) -> str:
        """Return a token for a user; an address counts as verified."""
        now = self._clock.now()
        claims: dict[str, object] = {
            "sub": str(user.user),
            "tenant_id": str(user.tenant),
            "role": user.role.value,
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
        }
        if user.email is not None:
            claims |= {"email": user.email, "email_verified": True}
        return jwt.encode(claims, self._secret.value, algorithm=ALGORITHM)
