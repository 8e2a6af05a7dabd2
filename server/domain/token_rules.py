"""What a user's token has to say: algorithm, issuer and audience as settings pin them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

OWN_NAME = "tickettoken"


class TokenAlgorithm(StrEnum):
    """How users' tokens are signed (RFC 7518, RFC 8037): one of these, by settings, whatever a token says."""

    HS256 = "HS256"
    EDDSA = "EdDSA"
    RS256 = "RS256"


class TokenRules(Struct, frozen=True, kw_only=True):
    """Which tokens count."""

    algorithm: TokenAlgorithm = TokenAlgorithm.HS256
    issuer: str = OWN_NAME
    audience: str = OWN_NAME
