"""Tickets that nobody bought here, over HTTP: issued one by one, or brought along as a file."""

from __future__ import annotations

from aiohttp import web

from server.api.exchange import read_body, read_id, reply, reply_once
from server.api.problems import MediaTypeUnsupported
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.names import NameUnusable
from server.services import import_file, issue
from server.services.context import Context
from server.services.problems import EventUnknown, NotEnoughLeft, TicketTypeUnknown
from server.services.problems_organiser import (
    EventStateWrong,
    FileTooLarge,
    FileUnusable,
    ImportUnknown,
    NotSeated,
    SeatNotFree,
)
from shared.ids import EventId

CSV = "text/csv"
_CHUNK = 256 * 1024
_UPLOAD_TIMEOUT_S = 300.0


class IssuingApi:
    """What box offices call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [self._issuing(), self._importing(), self._watching()]

    def _issuing(self) -> Route:
        return Route(
            method="POST",
            path="/api/v1/events/{event}/tickets/issue",
            handler=self.issue,
            auth=Auth.USER,
            scope=Scope.TICKETS_ISSUE,
            summary="Issue tickets without a sale",
            body=issue.IssueRequest,
            answer=issue.Issued,
            status=201,
            keyed=True,
            raises=(
                EventUnknown,
                EventStateWrong,
                TicketTypeUnknown,
                NotSeated,
                SeatNotFree,
                NotEnoughLeft,
                NameUnusable,
            ),
        )

    def _importing(self) -> Route:
        return Route(
            method="POST",
            path="/api/v1/events/{event}/tickets/import",
            handler=self.import_file,
            auth=Auth.USER,
            scope=Scope.TICKETS_ISSUE,
            summary="Bring tickets along from elsewhere, as CSV",
            body=bytes,
            takes=(CSV,),
            answer=import_file.ImportView,
            status=202,
            raises=(EventUnknown, EventStateWrong, FileTooLarge, FileUnusable, MediaTypeUnsupported),
            timeout_s=_UPLOAD_TIMEOUT_S,
        )

    def _watching(self) -> Route:
        return Route(
            method="GET",
            path="/api/v1/imports/{import}",
            handler=self.read_import,
            auth=Auth.USER,
            scope=Scope.TICKETS_ISSUE,
            summary="How far an import is",
            answer=import_file.ImportView,
            raises=(ImportUnknown,),
        )

    async def issue(self, request: web.Request) -> web.Response:
        """Issue up to a hundred tickets, all or none; they leave the stock in the same moment."""
        body = await read_body(request, issue.IssueRequest)
        key = request.headers.get("Idempotency-Key")
        return reply_once(await issue.issue(self._context, request[USER], key, _event(request), body))

    async def import_file(self, request: web.Request) -> web.Response:
        """Receive and check a file; with one faulty row it is refused as a whole, else its tickets are made step by step."""
        if request.content_type != CSV:
            raise MediaTypeUnsupported(f"Send the file as {CSV}.")
        chunks = request.content.iter_chunked(_CHUNK)
        view = await import_file.receive_import(self._context, request[USER], _event(request), aiter(chunks))
        return reply(view, status=202)

    async def read_import(self, request: web.Request) -> web.Response:
        """Answer with how far an import is, and what is wrong with its rows."""
        return reply(await import_file.read_import(self._context, request[USER].tenant, read_id(request, "import")))


def _event(request: web.Request) -> EventId:
    return EventId(read_id(request, "event"))
