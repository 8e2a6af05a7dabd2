"""Holding places and buying them, over HTTP."""

from __future__ import annotations

from aiohttp import web
from msgspec.structs import replace

from server.api.exchange import read_body, read_id, reply, reply_once
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.services import problems
from server.services.context import Context
from server.services.payments import PaymentProvider
from server.services.problems_attendee import SeatTaken, SeatUnknown
from server.services.purchase import Purchased, PurchaseRequest, purchase
from server.services.reservation_view import Reserved
from server.services.reservations import read_reservation, release_reservation
from server.services.reserve import ReserveRequest, reserve
from shared.ids import ReservationId

_KEY = "Idempotency-Key"
_OWN = {"Cache-Control": "private, no-store"}

_RESERVING = (
    problems.EventUnknown,
    problems.TicketTypeUnknown,
    SeatUnknown,
    problems.NotOnSale,
    problems.AlreadyHolding,
    SeatTaken,
    problems.NotEnoughLeft,
    problems.LimitExceeded,
    problems.CurrenciesMixed,
)
_BUYING = (
    problems.PaymentUnverified,
    problems.ReservationUnknown,
    problems.NotOnSale,
    problems.ReservationSpent,
    problems.PaymentReused,
    problems.ReservationExpired,
    problems.PaymentsAway,
)


class ReservationApi:
    """What attendees call on their way to a ticket."""

    def __init__(self, context: Context, payments: PaymentProvider) -> None:
        self._context = context
        self._payments = payments

    def routes(self) -> list[Route]:
        """Return the addresses."""
        hold = replace(_own("POST", "/tickets/reserve", self.reserve, Reserved), body=ReserveRequest, keyed=True)
        buy = replace(_own("POST", "/tickets/purchase", self.purchase, Purchased), body=PurchaseRequest, keyed=True)
        look = _own("GET", "/reservations/{reservation}", self.read, Reserved)
        drop = _own("DELETE", "/reservations/{reservation}", self.release, Reserved)
        absent = (problems.ReservationUnknown,)
        return [
            replace(hold, summary="Hold places", status=201, raises=_RESERVING),
            replace(buy, summary="Buy what is held", raises=_BUYING),
            replace(look, summary="What one holds", raises=absent),
            replace(drop, summary="Let go of it", raises=(*absent, problems.ReservationSpent)),
        ]

    async def reserve(self, request: web.Request) -> web.Response:
        """Hold places of an event, by number or by seat, until the time in the answer."""
        body = await read_body(request, ReserveRequest)
        return reply_once(await reserve(self._context, request[USER], request.headers.get(_KEY), body))

    async def purchase(self, request: web.Request) -> web.Response:
        """Turn a reservation and a payment into tickets."""
        body = await read_body(request, PurchaseRequest)
        return reply_once(await purchase(self._context, self._payments, request[USER], request.headers.get(_KEY), body))

    async def read(self, request: web.Request) -> web.Response:
        """Answer with one of the caller's reservations."""
        found = await read_reservation(self._context, request[USER], _reservation(request))
        return reply(found, headers=_OWN)

    async def release(self, request: web.Request) -> web.Response:
        """Put what a reservation holds back on sale at once; repeating it does no harm."""
        ended = await release_reservation(self._context, request[USER], _reservation(request))
        return reply(ended, headers=_OWN)


def _reservation(request: web.Request) -> ReservationId:
    return ReservationId(read_id(request, "reservation"))


def _own(method: str, path: str, handler: Handler, answer: type) -> Route:
    return Route(
        method=method,
        path=f"/api/v1{path}",
        handler=handler,
        auth=Auth.USER,
        scope=Scope.TICKETS_OWN,
        answer=answer,
    )
