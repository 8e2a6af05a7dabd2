"""Handing tickets over, over HTTP."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct

from server.api.exchange import PageQuery, read_body, read_id, read_page, read_query, reply, reply_once
from server.api.pages import Pagination, paginate
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.services import transfer
from server.services.context import Context
from server.services.problems import (
    RecipientUnproven,
    TicketChanged,
    TicketUnknown,
    TransferOver,
    TransferPending,
    TransferUnknown,
)
from server.services.problems_attendee import TransferToSelf
from server.services.transfer_checks import CHANGE_PROBLEMS, OFFER_PROBLEMS
from server.services.transfer_list import Direction, ReceivedTransfer, SentTransfer, list_transfers
from shared.ids import TicketId, TransferId
from shared.problems import TicketTokenError

_KEY = "Idempotency-Key"
_OWN = {"Cache-Control": "private, no-store"}
_ANSWERING = (TransferUnknown, TransferOver)


class TransferQuery(PageQuery, frozen=True, kw_only=True):
    """Which transfers, sent or received or both, and where the list goes on."""

    direction: Direction | None = None


class TransferList(Struct, frozen=True, kw_only=True):
    """A page of transfers, sent and received."""

    items: list[SentTransfer | ReceivedTransfer]
    pagination: Pagination


class TransferApi:
    """What both sides of a transfer call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="POST",
                path="/api/v1/tickets/{ticket}/transfer",
                handler=self.offer,
                auth=Auth.USER,
                scope=Scope.TICKETS_OWN,
                summary="Offer it",
                body=transfer.TransferRequest,
                answer=transfer.Offered,
                status=201,
                keyed=True,
                raises=(TicketUnknown, TransferToSelf, TransferPending, *OFFER_PROBLEMS),
            ),
            Route(
                method="GET",
                path="/api/v1/transfers",
                handler=self.list,
                auth=Auth.USER,
                scope=Scope.TICKETS_OWN,
                summary="Transfers sent and received",
                query=TransferQuery,
                answer=TransferList,
            ),
            _answer("accept", self.accept, "Take it", transfer.Accepted, (*CHANGE_PROBLEMS, TicketChanged)),
            _answer("reject", self.reject, "Turn it down", transfer.Answered, ()),
            _answer("cancel", self.cancel, "Take it back", transfer.Answered, ()),
        ]

    async def offer(self, request: web.Request) -> web.Response:
        """Offer a ticket to whoever proves to own an e-mail address."""
        body = await read_body(request, transfer.TransferRequest)
        ticket = TicketId(read_id(request, "ticket"))
        key = request.headers.get(_KEY)
        return reply_once(await transfer.offer_ticket(self._context, request[USER], key, ticket, body))

    async def list(self, request: web.Request) -> web.Response:
        """Answer with a page of the caller's transfers, newest first."""
        page, query = read_page(request), read_query(request, TransferQuery)
        found = await list_transfers(self._context, request[USER], query.direction, page)
        body = TransferList(items=found.items, pagination=paginate(page.limit, found.next_after))
        return reply(body, headers=_OWN)

    async def accept(self, request: web.Request) -> web.Response:
        """Take an offered ticket: it is the caller's, and every code made of it before is dead."""
        return reply(await transfer.accept_ticket(self._context, request[USER], _offer(request)), headers=_OWN)

    async def reject(self, request: web.Request) -> web.Response:
        """Turn an offer down; repeating it does no harm."""
        return reply(await transfer.reject_offer(self._context, request[USER], _offer(request)), headers=_OWN)

    async def cancel(self, request: web.Request) -> web.Response:
        """Take one's own offer back; repeating it does no harm."""
        return reply(await transfer.cancel_offer(self._context, request[USER], _offer(request)), headers=_OWN)


def _offer(request: web.Request) -> TransferId:
    return TransferId(read_id(request, "transfer"))


def _answer(
    verb: str, handler: Handler, summary: str, answer: type, raises: tuple[type[TicketTokenError], ...]
) -> Route:
    proven = () if verb == "cancel" else (RecipientUnproven,)
    return Route(
        method="POST",
        path=f"/api/v1/transfers/{{transfer}}/{verb}",
        handler=handler,
        auth=Auth.USER,
        scope=Scope.TICKETS_OWN,
        summary=summary,
        answer=answer,
        raises=(*_ANSWERING, *proven, *raises),
    )
