"""From a signed token to the user it stands for: strict in form, exact in issuer and audience, checked against our clock.

Tokens are JWT (RFC 7519) in compact form (RFC 7515). The algorithm comes from the settings; a header that names another one
is refused before anything is verified.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Annotated, Any, TypeVar
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Meta, Struct

from server.domain.access import Role, Scope, User
from server.domain.token_rules import TokenAlgorithm, TokenRules
from shared.ids import TenantId, UserId
from shared.problems import Denied

LEEWAY = timedelta(seconds=10)
LONGEST_TOKEN = 4096
_INVALID = "This token is not valid: sign in again."

PartT = TypeVar("PartT")
VerifyKey = str | Ed25519PublicKey | RSAPublicKey
_Moment = Annotated[int, Meta(ge=0, le=253_402_300_799)] | Annotated[float, Meta(ge=0, le=253_402_300_799)]
_Name = Annotated[str, Meta(max_length=200)]


class TokenInvalid(Denied):
    """The token is not one of ours, or not any more."""

    code = "token_invalid"


class TokenHeader(Struct, frozen=True, kw_only=True):
    """What a token says of how it is signed; used only to find the key, never to choose the algorithm."""

    alg: _Name
    kid: _Name | None = None
    typ: _Name | None = None
    crit: object = None


class _Claims(Struct, frozen=True, kw_only=True):
    iss: _Name
    aud: _Name | Annotated[list[_Name], Meta(max_length=20)]
    sub: UUID
    tenant_id: UUID
    role: Role
    exp: _Moment
    nbf: _Moment = 0
    iat: _Moment = 0
    email: Annotated[str, Meta(max_length=254)] | None = None
    email_verified: bool = False
    scopes: Annotated[list[_Name], Meta(max_length=100)] | Annotated[str, Meta(max_length=2000)] | None = None


def read_header(token: str, algorithm: TokenAlgorithm) -> TokenHeader:
    """Return a token's header.

    Raises:
        TokenInvalid: it is no token, signed by another algorithm, or asks for something we do not know.
    """
    head, _, rest = token.partition(".")
    if len(token) > LONGEST_TOKEN or rest.count(".") != 1:
        raise TokenInvalid(_INVALID)
    header = _convert(_decode_part(head), TokenHeader)
    if header.alg != algorithm or header.crit is not None or (header.typ or "JWT").upper() not in {"JWT", "AT+JWT"}:
        raise TokenInvalid(_INVALID)
    return header


class Vouched(Struct, frozen=True, kw_only=True):
    """A user somebody's signature vouches for, and from when until when, in seconds since 1970."""

    user: User
    starts: float
    ends: float

    def at(self, now: datetime) -> User:
        """Return the user if the token counts at this moment.

        Raises:
            TokenInvalid: it is out of date, or not valid yet.
        """
        if now >= _moment(self.ends) + LEEWAY:
            raise TokenInvalid("This token is out of date: sign in again.")
        if now < _moment(self.starts) - LEEWAY:
            raise TokenInvalid("This token is not valid yet: check the clock of whoever made it.")
        return self.user


def read_user(token: str, key: VerifyKey, rules: TokenRules, now: datetime) -> User:
    """Return who a token stands for, its signature checked with ``key``.

    Raises:
        TokenInvalid: forged, of another issuer or audience, out of date, or without what we need.
    """
    return read_vouched(token, key, rules).at(now)


def read_vouched(token: str, key: VerifyKey, rules: TokenRules) -> Vouched:
    """Return who a token stands for at the times it counts, its signature checked with ``key``.

    Raises:
        TokenInvalid: forged, of another issuer or audience, or without what we need.
    """
    read_header(token, rules.algorithm)
    try:
        body = _verifier(rules.algorithm).decode(token, key, algorithms=[rules.algorithm.value])
    except (jwt.PyJWTError, ValueError, TypeError) as exc:
        raise TokenInvalid(_INVALID) from exc
    claims = _convert(body, _Claims)
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    if claims.iss != rules.issuer or rules.audience not in audiences:
        raise TokenInvalid(_INVALID)
    proven = claims.email if claims.email_verified else None
    user = User(
        tenant=TenantId(claims.tenant_id),
        user=UserId(claims.sub),
        role=claims.role,
        email=None if proven is None else proven.strip().lower(),
        granted=_read_scopes(claims.scopes),
    )
    return Vouched(user=user, starts=max(claims.nbf, claims.iat), ends=claims.exp)


@cache
def _verifier(algorithm: TokenAlgorithm) -> jwt.PyJWS:
    # Made once: making one costs several times what checking a signature does.
    return jwt.PyJWS(algorithms=[algorithm.value])


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _read_scopes(stated: list[str] | str | None) -> frozenset[Scope] | None:
    """Return the scopes a token keeps to; names nobody here knows give nothing."""
    if stated is None:
        return None
    known = {scope.value: scope for scope in Scope}
    names = stated.split() if isinstance(stated, str) else stated
    return frozenset(known[name] for name in names if name in known)


def _decode_part(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise TokenInvalid(_INVALID) from exc


def _convert(data: bytes, kind: type[PartT]) -> PartT:
    """Return a part's JSON as a struct; a name that comes twice is refused, for readers differ in which one they believe."""
    try:
        return msgspec.convert(
            json.loads(data.decode(), object_pairs_hook=_refuse_repeated, parse_constant=_refuse_constant), kind
        )
    except (msgspec.ValidationError, ValueError, RecursionError) as exc:
        raise TokenInvalid(_INVALID) from exc


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found
