"""Other services that may call this one, over HTTP: let in, given new secrets, shut out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.exchange import read_body, reply
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope, ServiceCall
from server.services import callers
from server.services.context import Context
from server.services.problems_access import ServiceExists, ServiceUnknown

_NO_STORE = {"Cache-Control": "no-store"}
CallerName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,39}$")]


class ServiceRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A service by its name, and what it may call; nothing else is allowed to it."""

    name: CallerName
    calls: Annotated[list[ServiceCall], Meta(min_length=1, max_length=20)]


class RotateRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """For how many minutes the secret before counts on; at most thirty days."""

    overlap_minutes: Annotated[int, Meta(ge=0, le=30 * 24 * 60)] = 24 * 60


class ServiceView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A service, how many of its secrets count, and until when the older one does."""

    name: str
    calls: list[ServiceCall]
    created_at: datetime
    secrets: int
    older_ends_at: datetime | None


class ServiceMade(Struct, frozen=True, kw_only=True, rename="camel"):
    """A service's new secret, shown this once; the text itself is the key of the signature."""

    name: str
    calls: list[ServiceCall]
    secret: str

    def __repr__(self) -> str:
        """Keep the secret out of logs."""
        return f"ServiceMade(name={self.name})"


class ServiceList(Struct, frozen=True, kw_only=True):
    """The tenant's services."""

    items: list[ServiceView]


class ServiceApi:
    """What whoever looks after access calls."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        named = _route("POST", "/{name}/rotate", self.rotate, "Give a service another secret")
        return [
            replace(
                _route("POST", "", self.add, "Let another service in"),
                body=ServiceRequest,
                answer=ServiceMade,
                status=201,
                raises=(ServiceExists, callers.CallerNameUnusable),
            ),
            replace(_route("GET", "", self.list_all, "The services that may call this one"), answer=ServiceList),
            replace(named, body=RotateRequest, answer=ServiceMade, raises=(ServiceUnknown,)),
            replace(
                _route("DELETE", "/{name}", self.remove, "Shut a service out"), status=204, raises=(ServiceUnknown,)
            ),
        ]

    async def add(self, request: web.Request) -> web.Response:
        """Let a service in and show its secret once."""
        body = await read_body(request, ServiceRequest)
        made = await callers.add_caller(self._context, request[USER].tenant, body.name, frozenset(body.calls))
        return reply(_made(made), status=201, headers=_NO_STORE)

    async def list_all(self, request: web.Request) -> web.Response:
        """Answer with the services."""
        found = await callers.list_callers(self._context, request[USER].tenant)
        return reply(ServiceList(items=[_view(one) for one in found]))

    async def rotate(self, request: web.Request) -> web.Response:
        """Make another secret and show it once."""
        body = await read_body(request, RotateRequest)
        overlap = timedelta(minutes=body.overlap_minutes)
        name = request.match_info["name"]
        made = await callers.rotate_caller(self._context, request[USER].tenant, name, overlap)
        return reply(_made(made), headers=_NO_STORE)

    async def remove(self, request: web.Request) -> web.Response:
        """Shut a service out."""
        await callers.remove_caller(self._context, request[USER].tenant, request.match_info["name"])
        return web.Response(status=204)


def _route(method: str, path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method=method,
        path="/api/v1/service-callers" + path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.ACCESS_MANAGE,
        summary=summary,
    )


def _made(made: callers.CallerMade) -> ServiceMade:
    return ServiceMade(name=made.service.name, calls=made.service.calls, secret=made.secret)


def _view(one: callers.CallerView) -> ServiceView:
    return ServiceView(
        name=one.service.name,
        calls=one.service.calls,
        created_at=one.service.created_at,
        secrets=one.secrets,
        older_ends_at=one.older_ends_at,
    )
