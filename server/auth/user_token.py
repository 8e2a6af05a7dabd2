"""Users' tokens that this server makes itself: JWT signed with HMAC-SHA256 (RFC 7519, HS256)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import timedelta

import jwt

from server.auth.claims import TokenInvalid, Vouched, read_vouched
from server.domain.access import User
from server.domain.token_rules import TokenAlgorithm, TokenRules
from shared.clock import Clock
from shared.problems import SettingsInvalid
from shared.settings import Secret

__all__ = ["LIFE", "TokenInvalid", "UserTokens"]

LIFE = timedelta(hours=12)
_REMEMBERED = 4096
_NOT_OURS = "Users' tokens are made by JWT_ISSUER, which alone holds the key: ask there, or set JWT_ALGORITHM=HS256."


class UserTokens:
    """Makes and verifies tokens under a shared secret; without one, or with another algorithm, it does neither."""

    def __init__(self, secret: Secret | None, clock: Clock, rules: TokenRules | None = None) -> None:
        self._secret = secret
        self._clock = clock
        self._rules = rules or TokenRules()
        self._known: OrderedDict[bytes, Vouched] = OrderedDict()

    @property
    def are_ours(self) -> bool:
        """Whether users' tokens are made here at all."""
        return self._secret is not None and self._rules.algorithm is TokenAlgorithm.HS256

    def verify(self, token: str) -> User:
        """Return who a token stands for.

        Raises:
            TokenInvalid: forged, of another algorithm, issuer or audience, out of date, or without what we need.
            SettingsInvalid: tokens are made elsewhere.
        """
        secret = self._need_secret()
        # A phone or a door sends the same one again and again. The tokens themselves are not kept.
        name = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = read_vouched(token, secret, self._rules)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known.at(self._clock.now())

    def make(self, user: User, *, life: timedelta = LIFE) -> str:
        """Return a token for a user; an address counts as verified.

        Raises:
            SettingsInvalid: tokens are made elsewhere.
        """
        now = self._clock.now()
        claims: dict[str, object] = {
            "sub": str(user.user),
            "tenant_id": str(user.tenant),
            "role": user.role.value,
            "iss": self._rules.issuer,
            "aud": self._rules.audience,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
        }
        if user.email is not None:
            claims |= {"email": user.email, "email_verified": True}
        if user.granted is not None:
            claims["scopes"] = sorted(user.granted)
        return jwt.encode(claims, self._need_secret(), algorithm=self._rules.algorithm.value)

    def _need_secret(self) -> str:
        if self._secret is None or not self.are_ours:
            raise SettingsInvalid(_NOT_OURS)
        return self._secret.value
