"""Whole lists of an event as files, over HTTP: streamed, so that a hundred thousand rows need no memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from server.api.exchange import read_id, read_query
from server.api.middleware import mark
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.sheet import write_rows
from server.services.context import Context
from server.services.exports import TABLES, Subject, read_portions
from server.services.problems import EventUnknown
from server.services.stats import ConflictView, EventFigures, ScanView
from server.services.ticket_desk import TicketSummary
from shared.ids import EventId
from shared.problems import TicketTokenError

_TIMEOUT_S = 600.0
_SUMMARIES = {
    Subject.STATS: "An event's figures as a file",
    Subject.SCANS: "An event's scans as a file",
    Subject.CONFLICTS: "Admissions too many as a file",
    Subject.TICKETS: "An event's tickets as a file",
}
_ANSWERS: dict[Subject, object] = {
    Subject.STATS: list[EventFigures],
    Subject.SCANS: list[ScanView],
    Subject.CONFLICTS: list[ConflictView],
    Subject.TICKETS: list[TicketSummary],
}

log = structlog.get_logger()


class Form(StrEnum):
    """What a file is written in."""

    CSV = "csv"
    JSON = "json"


MEDIA = {Form.CSV: "text/csv; charset=utf-8", Form.JSON: "application/json"}


class ExportQuery(Struct, frozen=True, kw_only=True):
    """In which form."""

    format: Form = Form.CSV


class ExportApi:
    """What organisers take along."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [self._route(subject) for subject in Subject]

    def _route(self, subject: Subject) -> Route:
        handler = partial(self.send, subject)
        handler.__doc__ = self.send.__doc__
        return Route(
            method="GET",
            path=f"/api/v1/events/{{event}}/{subject}/export",
            handler=handler,
            auth=Auth.USER,
            scope=Scope.EVENTS_MANAGE,
            summary=_SUMMARIES[subject],
            query=ExportQuery,
            answer=_ANSWERS[subject],
            media=("application/json", "text/csv"),
            raises=(EventUnknown,),
            timeout_s=_TIMEOUT_S,
        )

    async def send(self, subject: Subject, request: web.Request) -> web.StreamResponse:
        """Send all of it, the newest first; a file that is cut short ends without its end, so that nobody takes it for whole."""
        form = read_query(request, ExportQuery).format
        event = EventId(read_id(request, "event"))
        parts = _write(form, subject, read_portions(self._context, request[USER], event, subject))
        headers = {
            "Content-Type": MEDIA[form],
            "Content-Disposition": f'attachment; filename="{subject}.{form}"',
            "Cache-Control": "private, no-store",
        }
        return await stream(request, headers, parts)


async def stream(request: web.Request, headers: dict[str, str], parts: AsyncIterator[bytes]) -> web.StreamResponse:
    """Send parts as they come; a problem with the first is a problem of the request, a later one breaks the connection."""
    first = await anext(parts)
    response = web.StreamResponse(headers=headers)
    mark(request, response)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        await response.write(first)
        async for part in parts:
            await response.write(part)
    except BaseException as problem:
        if request.transport is not None:
            request.transport.abort()
        if not isinstance(problem, TicketTokenError):
            raise
        log.warning("export.cut_short", code=problem.code)
    return response


async def _write(form: Form, subject: Subject, portions: AsyncIterator[Sequence[Any]]) -> AsyncIterator[bytes]:
    """Yield a file in parts, the first of which already needs the first portion."""
    table = TABLES[subject]
    begun = False
    async for items in portions:
        if begun and not items:
            continue
        if form is Form.CSV:
            head = [] if begun else [table.head]
            yield write_rows(head + [row for item in items for row in table.rows(item)])
        else:
            yield (b",\n" if begun else b"[") + b",\n".join(msgspec.json.encode(item) for item in items)
        begun = begun or bool(items) or form is Form.CSV
    if form is Form.JSON:
        yield b"]\n"
