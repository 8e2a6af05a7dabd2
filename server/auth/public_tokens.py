"""Users' tokens made elsewhere: verified with their issuer's public keys, which may change while we run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from server.auth.claims import TokenInvalid, read_header, read_user
from server.auth.key_set import NamedKey, choose_key
from server.domain.access import User
from server.domain.token_rules import TokenRules
from shared.clock import Clock
from shared.problems import TicketTokenError, Unavailable

FRESH = timedelta(minutes=10)
"""How long a key set is believed without asking again: as long as a key that its issuer withdrew goes on counting."""
USABLE = timedelta(hours=24)
"""How long it is believed while its issuer cannot be asked."""
PAUSE = timedelta(minutes=1)
"""How often at most the issuer is asked, whatever tokens come."""

log = structlog.get_logger()


class KeysAway(Unavailable):
    """The keys to check tokens with cannot be had."""

    code = "token_keys_unavailable"


FetchKeys = Callable[[], Awaitable[list[NamedKey]]]


class FixedKeys:
    """Keys from a file: they change with a restart."""

    def __init__(self, keys: list[NamedKey]) -> None:
        self._keys = keys

    async def find(self, _: str | None) -> list[NamedKey]:
        """Return all of them."""
        return self._keys


class FetchedKeys:
    """Keys from their issuer's address, remembered; asked for again when old, or when a token names one not among them."""

    def __init__(self, fetch: FetchKeys, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: list[NamedKey] = []
        self._got_s = float("-inf")
        self._asked_s = float("-inf")
        self._asking = asyncio.Lock()

    async def find(self, kid: str | None) -> list[NamedKey]:
        """Return the keys there are, asking the issuer first where that may help.

        Raises:
            KeysAway: none are known, or those that are have not been confirmed for a day.
        """
        if self._wants_asking(kid):
            async with self._asking:
                # Whoever waited here finds the work done.
                if self._wants_asking(kid):
                    await self._ask()
        if self._age_s() > USABLE.total_seconds():
            raise KeysAway("The keys of the tokens' issuer cannot be had: see that JWT_JWKS_URL answers.")
        return self._keys

    def _wants_asking(self, kid: str | None) -> bool:
        if self._clock.monotonic() - self._asked_s < PAUSE.total_seconds():
            return False
        return self._age_s() > FRESH.total_seconds() or (kid is not None and choose_key(self._keys, kid) is None)

    async def _ask(self) -> None:
        try:
            self._keys = await self._fetch()
            self._got_s = self._clock.monotonic()
        except TicketTokenError as problem:
            log.warning("tokens.keys_not_fetched", code=problem.code, problem=str(problem))
        finally:
            # Not before the answer: who comes meanwhile has to wait for it.
            self._asked_s = self._clock.monotonic()

    def _age_s(self) -> float:
        return self._clock.monotonic() - self._got_s


class PublicTokens:
    """Verifies tokens with public keys."""

    def __init__(self, keys: FixedKeys | FetchedKeys, clock: Clock, rules: TokenRules) -> None:
        self._keys = keys
        self._clock = clock
        self._rules = rules

    async def verify(self, token: str) -> User:
        """Return who a token stands for.

        Raises:
            TokenInvalid: forged, of another algorithm, key, issuer or audience, out of date, or without what we need.
            KeysAway: the issuer's keys cannot be had.
        """
        header = read_header(token, self._rules.algorithm)
        # Only among the keys that fit the algorithm of the settings: a name chooses a key, never what it is used for.
        key = choose_key(await self._keys.find(header.kid), header.kid)
        if key is None:
            raise TokenInvalid("This token is signed with a key its issuer does not have (any more): sign in again.")
        return read_user(token, key, self._rules, self._clock.now())
