"""Looking after single gates over HTTP: how they are, what they are to be, what they are to do."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.exchange import PageQuery, parse_id, read_body, read_id, read_page, reply, reply_once
from server.api.gates import GateName, Products
from server.api.pages import Pagination, paginate
from server.api.problems import RequestInvalid
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope, User
from server.domain.names import NameUnusable, read_name
from server.services import gate_commands, gate_views
from server.services.context import Context
from server.services.gate_views import CommandView, GateDetail, GateView
from server.services.idempotency import name_call, run_once
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.problems_gates import CommandsWaiting, CommandUnusable, GateOutOfService, GateUnknown
from shared.admission.policy import GateRole, ZoneMask
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId
from shared.sync.command import CommandKind

_GATE = "/api/v1/gates/{gate}"
_GATES_PAGE = 100


class GatesQuery(PageQuery, frozen=True, kw_only=True, rename="camel"):
    """Whose gates, and which page of them."""

    event_id: EventId
    limit: Annotated[int, Meta(ge=1, le=100)] = _GATES_PAGE


class GateList(Struct, frozen=True, kw_only=True):
    """A page of an event's gates."""

    items: list[GateView]
    pagination: Pagination


class CommandList(Struct, frozen=True, kw_only=True):
    """A page of a gate's commands."""

    items: list[CommandView]
    pagination: Pagination


class GateChangeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a gate is to be; what is left out stays. Zones 0 and no products mean all of them."""

    name: GateName | None = None
    direction: Direction | None = None
    zones: ZoneMask | None = None
    products: Products | None = None
    role: GateRole | None = None


class CommandRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a gate is to do: ``hold`` with a reason, ``resume``, show a ``message``, ``resync``, or ``wipe`` itself.

    ``text`` is the reason or the message; ``expiresInS`` is how long a message, resync or wipe counts (12 h, 1 h, 30 days).
    """

    kind: CommandKind
    text: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")] | None = None
    expires_in_s: Annotated[int, Meta(ge=10, le=30 * 24 * 3600)] | None = None


class FleetApi:
    """What organisers call about gates that are there."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        one = _route("GET", _GATE, self.read, "One gate and what it was told last")
        change = replace(one, method="PATCH", handler=self.change, summary="Rename or reassign a gate")
        commands = _route("GET", f"{_GATE}/commands", self.list_commands, "What a gate was told")
        command = replace(commands, method="POST", handler=self.command, summary="Have a gate do something")
        raises = (GateUnknown, GateOutOfService, CommandsWaiting)
        return [
            self._list_route(),
            one,
            replace(change, scope=Scope.GATES_MANAGE, body=GateChangeRequest, raises=(*raises, NameUnusable)),
            replace(commands, query=PageQuery, answer=CommandList),
            replace(
                command,
                scope=Scope.GATES_MANAGE,
                body=CommandRequest,
                answer=CommandView,
                status=202,
                keyed=True,
                raises=(*raises, CommandUnusable, NameUnusable),
            ),
        ]

    def _list_route(self) -> Route:
        return Route(
            method="GET",
            path="/api/v1/gates",
            handler=self.list,
            auth=Auth.SCANNER,
            scope=Scope.GATES_READ,
            summary="An event's gates",
            query=GatesQuery,
            answer=GateList,
            raises=(EventUnknown,),
        )

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of an event's gates."""
        event = parse_id(request.query.get("eventId", ""))
        if event is None:
            raise RequestInvalid("Name the event: `eventId` is its id.")
        page = read_page(request, default=_GATES_PAGE)
        found = await gate_views.list_gates(self._context, request[USER].tenant, EventId(event), page)
        return reply(GateList(items=found.items, pagination=paginate(page.limit, found.next_after)))

    async def read(self, request: web.Request) -> web.Response:
        """Answer with one gate."""
        return reply(await gate_views.show_gate(self._context, request[USER].tenant, _gate(request)))

    async def change(self, request: web.Request) -> web.Response:
        """Change what a gate is; it hears of it as soon as it is in reach."""
        body = await read_body(request, GateChangeRequest)
        user, gate, context = request[USER], _gate(request), self._context
        change = gate_commands.GateChange(
            name=None if body.name is None else read_name(body.name, 100, "gate's name"),
            direction=body.direction,
            zones=body.zones,
            products=body.products,
            role=body.role,
        )
        async with context.db.tenant(user.tenant) as tx:
            await gate_commands.change_gate(context, tx, _commander(user), gate, change)
            return reply(await gate_views.show_gate_in(context, tx, gate))

    async def list_commands(self, request: web.Request) -> web.Response:
        """Answer with a page of a gate's commands, the newest first."""
        page = read_page(request)
        found = await gate_views.list_commands(self._context, request[USER].tenant, _gate(request), page)
        return reply(CommandList(items=found.items, pagination=paginate(page.limit, found.next_after)))

    async def command(self, request: web.Request) -> web.Response:
        """Have a gate do something, now or when it is back in reach."""
        body = await read_body(request, CommandRequest)
        user, gate = request[USER], _gate(request)
        wish = gate_commands.CommandWish(
            kind=body.kind,
            text=None if body.text is None else read_name(body.text, 200, "text"),
            life=None if body.expires_in_s is None else timedelta(seconds=body.expires_in_s),
        )
        call = name_call(user, f"command/{gate}", request.headers.get("Idempotency-Key"), body)

        async def give(tx: Unit) -> CommandView:
            row = await gate_commands.give_command(self._context, tx, _commander(user), gate, wish)
            return gate_views.view_command(row, self._context.clock.now())

        return reply_once(await run_once(self._context.db, call, 202, give))


def _route(method: str, path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method=method,
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.GATES_READ,
        summary=summary,
        answer=GateDetail,
        raises=(GateUnknown,),
    )


def _gate(request: web.Request) -> GateId:
    return GateId(read_id(request, "gate"))


def _commander(user: User) -> gate_commands.Commander:
    return gate_commands.Commander(tenant=user.tenant, name=str(user.user))
