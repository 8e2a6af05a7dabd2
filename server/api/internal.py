"""What other services ask about tickets, over HTTP; each call is signed, see docs/reference/service-calls.md."""

from __future__ import annotations

from aiohttp import web

from server.api.exchange import read_body, read_id, reply, reply_once
from server.api.routes import SERVICE, Auth, Route
from server.services import problems
from server.services.context import Context
from server.services.internal import InternalTicket, ReserveForUser, read_ticket, reserve_for_user
from server.services.problems_attendee import SeatTaken, SeatUnknown
from server.services.reservation_view import Reserved
from shared.ids import TicketId

_KEY = "Idempotency-Key"
_NO_STORE = {"Cache-Control": "no-store"}


class InternalApi:
    """What order services call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="GET",
                path="/internal/tickets/{ticket}",
                handler=self.read,
                auth=Auth.SERVICE,
                summary="A ticket, for another service",
                answer=InternalTicket,
                raises=(problems.TicketUnknown,),
            ),
            Route(
                method="POST",
                path="/internal/tickets/{ticket}/reserve",
                handler=self.reserve,
                auth=Auth.SERVICE,
                summary="Hold a seat, or places of a ticket type, for a user",
                body=ReserveForUser,
                answer=Reserved,
                status=201,
                keyed=True,
                raises=(
                    problems.TicketUnknown,
                    problems.EventUnknown,
                    problems.TicketTypeUnknown,
                    SeatUnknown,
                    problems.NotOnSale,
                    problems.AlreadyHolding,
                    SeatTaken,
                    problems.NotEnoughLeft,
                    problems.LimitExceeded,
                    problems.CurrenciesMixed,
                ),
            ),
        ]

    async def read(self, request: web.Request) -> web.Response:
        """Answer with a ticket."""
        ticket = TicketId(read_id(request, "ticket"))
        return reply(await read_ticket(self._context, request[SERVICE], ticket), headers=_NO_STORE)

    async def reserve(self, request: web.Request) -> web.Response:
        """Hold places for a user."""
        ticket, key = TicketId(read_id(request, "ticket")), request.headers.get(_KEY)
        body = await read_body(request, ReserveForUser)
        return reply_once(await reserve_for_user(self._context, request[SERVICE], key, ticket, body))
