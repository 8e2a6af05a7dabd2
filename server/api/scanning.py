"""Validating and checking in by way of the server, for staff with a phone and for turnstiles that are no gates of ours."""

from __future__ import annotations

from aiohttp import web
from msgspec.structs import replace

from server.api.exchange import read_body, read_id, reply
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.domain.limits import LimitClass
from server.services import checkin, scanning
from server.services.context import Context
from server.services.problems import TicketUnknown
from server.services.problems_access import AlreadyCheckedIn, CodeNeeded, ForceUnexplained, GateElsewhere
from shared.ids import TicketId

_NO_STORE = {"Cache-Control": "no-store"}


class ScanningApi:
    """What scanners call that are no gates."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._desk = checkin.CheckinDesk(context)

    def routes(self) -> list[Route]:
        """Return the addresses."""
        named = "/api/v1/tickets/{ticket}"
        return [
            _look("/api/v1/tickets/validate", self.validate, "Would this code be admitted? Changes nothing"),
            replace(
                _look(
                    named + "/validate", self.validate_named, "Would this ticket's code be admitted? Changes nothing"
                ),
                raises=(TicketUnknown, GateElsewhere),
            ),
            replace(
                _look(named + "/checkin", self.check_in, "Admit a ticket's holder, once"),
                scope=Scope.TICKETS_CHECKIN,
                body=checkin.CheckinRequest,
                answer=checkin.CheckedIn,
                raises=(TicketUnknown, AlreadyCheckedIn, CodeNeeded, ForceUnexplained, GateElsewhere),
            ),
        ]

    async def validate(self, request: web.Request) -> web.Response:
        """Answer what the rule says of a code."""
        body = await read_body(request, scanning.ValidateRequest)
        return reply(await scanning.validate(self._context, request[USER], body), headers=_NO_STORE)

    async def validate_named(self, request: web.Request) -> web.Response:
        """Answer what the rule says of a ticket's code."""
        ticket = TicketId(read_id(request, "ticket"))
        body = await read_body(request, scanning.ValidateRequest)
        return reply(await scanning.validate(self._context, request[USER], body, ticket), headers=_NO_STORE)

    async def check_in(self, request: web.Request) -> web.Response:
        """Admit somebody."""
        ticket = TicketId(read_id(request, "ticket"))
        body = await read_body(request, checkin.CheckinRequest)
        return reply(await self._desk.check_in(request[USER], ticket, body), headers=_NO_STORE)


def _look(path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method="POST",
        path=path,
        handler=handler,
        auth=Auth.SCANNER,
        scope=Scope.TICKETS_VALIDATE,
        summary=summary,
        body=scanning.ValidateRequest,
        answer=scanning.Validated,
        raises=(GateElsewhere,),
        limit=LimitClass.SCAN,
        minds_event=True,
    )
