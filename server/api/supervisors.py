"""Supervisors of gates, over HTTP: named, given PINs, dismissed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from server.api.exchange import PageQuery, read_body, read_id, read_page, reply
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.names import NameUnusable, read_name
from server.services import supervisors
from server.services.context import Context
from server.services.problems import EventUnknown
from server.services.problems_access import GateElsewhere, PinUnusable, SupervisorUnknown, TooManySupervisors
from server.services.rows_access import SupervisorRow
from shared.ids import EventId, GateId, SupervisorId

_NO_STORE = {"Cache-Control": "no-store"}
GivenName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Pin = Annotated[str, Meta(min_length=6, max_length=12, pattern=r"^[0-9]+$")]


class SupervisorRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Who may decide at gates; without a PIN one is made. No event means all events, no gates all gates."""

    name: GivenName
    pin: Pin | None = None
    event_id: EventId | None = None
    gate_ids: Annotated[list[GateId], Meta(max_length=100)] = []

    def __repr__(self) -> str:
        """Keep the PIN out of logs."""
        return "SupervisorRequest(…)"


class PinRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Another PIN; without one, one is made."""

    pin: Pin | None = None

    def __repr__(self) -> str:
        """Keep the PIN out of logs."""
        return "PinRequest(…)"


class SupervisorView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A supervisor."""

    id: SupervisorId
    name: str
    event_id: EventId | None
    gate_ids: list[GateId]
    created_at: datetime


class SupervisorMade(Struct, frozen=True, kw_only=True, rename="camel"):
    """A supervisor and the PIN, shown this once."""

    supervisor: SupervisorView
    pin: str

    def __repr__(self) -> str:
        """Keep the PIN out of logs."""
        return f"SupervisorMade(supervisor={self.supervisor.id})"


class SupervisorList(Struct, frozen=True, kw_only=True):
    """A page of supervisors."""

    items: list[SupervisorView]
    pagination: Pagination


class SupervisorApi:
    """What organisers call before the doors open."""

    def __init__(self, context: Context, hash_pin: supervisors.HashPin) -> None:
        self._context = context
        self._hash_pin = hash_pin

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [*self._list_routes(), *self._one_routes()]

    def _list_routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/api/v1/supervisors",
                handler=self.add,
                auth=Auth.USER,
                scope=Scope.SUPERVISORS_MANAGE,
                summary="Let somebody decide at gates",
                body=SupervisorRequest,
                answer=SupervisorMade,
                status=201,
                raises=(NameUnusable, EventUnknown, GateElsewhere, PinUnusable, TooManySupervisors),
            ),
            Route(
                method="GET",
                path="/api/v1/supervisors",
                handler=self.list_all,
                auth=Auth.USER,
                scope=Scope.SUPERVISORS_MANAGE,
                summary="Who may decide at gates",
                query=PageQuery,
                answer=SupervisorList,
            ),
        ]

    def _one_routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/api/v1/supervisors/{supervisor}/pin",
                handler=self.reset,
                auth=Auth.USER,
                scope=Scope.SUPERVISORS_MANAGE,
                summary="Give a supervisor another PIN",
                body=PinRequest,
                answer=SupervisorMade,
                raises=(SupervisorUnknown, PinUnusable),
            ),
            Route(
                method="DELETE",
                path="/api/v1/supervisors/{supervisor}",
                handler=self.remove,
                auth=Auth.USER,
                scope=Scope.SUPERVISORS_MANAGE,
                summary="Take a supervisor's right away",
                status=204,
                raises=(SupervisorUnknown,),
            ),
        ]

    async def add(self, request: web.Request) -> web.Response:
        """Make somebody a supervisor and show the PIN once."""
        body = await read_body(request, SupervisorRequest)
        wish = supervisors.SupervisorWish(
            name=read_name(body.name, 100, "supervisor's name"),
            pin=body.pin,
            event=body.event_id,
            gates=tuple(body.gate_ids),
        )
        made = await supervisors.add_supervisor(self._context, self._hash_pin, request[USER].tenant, wish)
        return reply(_made(made), status=201, headers=_NO_STORE)

    async def list_all(self, request: web.Request) -> web.Response:
        """Answer with a page of supervisors."""
        page = read_page(request)
        found = await supervisors.list_supervisors(self._context, request[USER].tenant, page)
        items = [_view(row) for row in found.items]
        return reply(SupervisorList(items=items, pagination=paginate(page.limit, found.next_after)))

    async def reset(self, request: web.Request) -> web.Response:
        """Give another PIN and show it once."""
        body = await read_body(request, PinRequest)
        supervisor = SupervisorId(read_id(request, "supervisor"))
        tenant = request[USER].tenant
        made = await supervisors.reset_pin(self._context, self._hash_pin, tenant, supervisor, body.pin)
        return reply(_made(made), headers=_NO_STORE)

    async def remove(self, request: web.Request) -> web.Response:
        """Take a supervisor's right away."""
        supervisor = SupervisorId(read_id(request, "supervisor"))
        await supervisors.remove_supervisor(self._context, request[USER].tenant, supervisor)
        return web.Response(status=204)


def _made(made: supervisors.SupervisorMade) -> SupervisorMade:
    return SupervisorMade(supervisor=_view(made.supervisor), pin=made.pin)


def _view(row: SupervisorRow) -> SupervisorView:
    return SupervisorView(id=row.id, name=row.name, event_id=row.event, gate_ids=row.gates, created_at=row.created_at)
