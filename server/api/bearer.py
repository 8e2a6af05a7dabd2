"""Where callers put their tokens."""

from __future__ import annotations

from aiohttp import web

from shared.problems import Denied

_LONGEST = 4096


class TokenMissing(Denied):
    """The request carries no token."""

    code = "token_missing"


def read_bearer(request: web.Request) -> str:
    """Return the token of the Authorization header.

    Raises:
        TokenMissing: there is none, or one longer than any of ours.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or len(token) > _LONGEST:
        raise TokenMissing("Send `Authorization: Bearer <token>` with this call.")
    return token
