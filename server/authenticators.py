"""Which token proves which caller: the two kinds of bearer tokens joined with the routes that ask for them."""

from __future__ import annotations

from aiohttp import web

from server.api.bearer import read_bearer
from server.api.routes import Authenticators
from server.auth.gate_token import GateTokens
from server.auth.user_token import UserTokens
from server.domain.access import GateCaller, User


def make_authenticators(users: UserTokens, gates: GateTokens) -> Authenticators:
    """Return how users and gates are told."""

    async def tell_user(request: web.Request) -> User:
        return users.verify(read_bearer(request))

    async def tell_gate(request: web.Request) -> GateCaller:
        return await gates.verify(read_bearer(request))

    return Authenticators(user=tell_user, gate=tell_gate)
