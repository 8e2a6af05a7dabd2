"""The route table: every path with who may call it, from which the router is filled; what is not listed does not exist."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

from aiohttp import web
from msgspec import Struct

from server.domain.access import GateCaller, Scope, ServiceCaller, User
from server.domain.limits import LimitClass
from shared.problems import Denied, TicketTokenError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_TIMEOUT_S = 30.0

USER: web.RequestKey[User] = web.RequestKey("user", User)
GATE: web.RequestKey[GateCaller] = web.RequestKey("gate", GateCaller)
SERVICE: web.RequestKey[ServiceCaller] = web.RequestKey("service", ServiceCaller)


class Auth(StrEnum):
    """What a caller must bring."""

    PUBLIC = "public"
    USER = "user"
    """A person's token, whose role has the route's scope."""
    SCANNER = "scanner"
    """The same, or an outside system's API key with that scope."""
    GATE = "gate"
    SERVICE = "service"
    """Another service's signature over the call, which must be on that service's list."""


class Also(Struct, frozen=True, kw_only=True):
    """One more answer a route gives besides its success and its problems; ``answer`` is None where it has no body."""

    status: int
    answer: object = None
    media: tuple[str, ...] = ("application/json",)


class Route(Struct, frozen=True, kw_only=True):
    """One row of the table.

    A route for users names the scope it needs. ``body`` is the struct of its request, ``query`` one whose fields are the
    parameters it reads from the address, ``answer`` that of its success, ``status`` the HTTP status of it, and ``media`` the
    forms it comes in. ``keyed`` says that it needs an Idempotency-Key, ``raises`` which problems of its own it may answer
    with, ``takes`` in which form its body may come, ``headers`` is a struct whose fields are the request headers it reads,
    and ``also`` what else it may answer. ``limit`` is the class its calls are counted in; None: by who may call it and the
    method. ``minds_event`` says that its handler itself keeps API keys to their event, which otherwise the address has to
    name. ``even_revoked`` lets gates in that were taken out of service. ``timeout_s`` is None for connections that are meant
    to stay.
    """

    method: str
    path: str
    handler: Handler
    auth: Auth | None = None
    scope: Scope | None = None
    summary: str = ""
    body: type | None = None
    query: type | None = None
    answer: object = None
    status: int = 200
    media: tuple[str, ...] = ("application/json",)
    keyed: bool = False
    raises: tuple[type[TicketTokenError], ...] = ()
    takes: tuple[str, ...] = ("application/json",)
    headers: type | None = None
    also: tuple[Also, ...] = ()
    limit: LimitClass | None = None
    minds_event: bool = False
    even_revoked: bool = False
    timeout_s: float | None = REQUEST_TIMEOUT_S

    @property
    def counted_as(self) -> LimitClass:
        """Return the class its calls are counted in."""
        if self.limit is not None:
            return self.limit
        match self.auth:
            case Auth.GATE:
                return LimitClass.GATE
            case Auth.SERVICE:
                return LimitClass.SERVICE
            case Auth.USER | Auth.SCANNER:
                return LimitClass.READ if self.method == "GET" else LimitClass.WRITE
            case Auth.PUBLIC | None:
                return LimitClass.FREE


async def _know_no_user(_: web.Request) -> User:
    raise Denied("Nobody is known here.")


async def _know_no_gate(_: web.Request) -> GateCaller:
    raise Denied("No gate is known here.")


async def _know_no_service(_: web.Request) -> ServiceCaller:
    raise Denied("No service is known here.")


class Authenticators(Struct, frozen=True, kw_only=True):
    """How each kind of caller is told; each raises a Denied problem for a caller who proves nothing."""

    user: Callable[[web.Request], Awaitable[User]]
    gate: Callable[[web.Request], Awaitable[GateCaller]]
    scanner: Callable[[web.Request], Awaitable[User]] = _know_no_user
    retired: Callable[[web.Request], Awaitable[GateCaller]] = _know_no_gate
    service: Callable[[web.Request], Awaitable[ServiceCaller]] = _know_no_service
