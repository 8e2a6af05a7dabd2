"""The codes of the caller's tickets over HTTP: shown, printed, or made by a phone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.exchange import read_id, reply
from server.api.print_sheet import PDF, draw_sheet
from server.api.problems import NotAcceptable, RequestInvalid
from server.api.qr import PNG, SVG, choose_media_type, draw
from server.api.routes import USER, Auth, Handler, Route
from server.domain.access import Scope
from server.domain.limits import LimitClass
from server.domain.tries import TryCounter
from server.services import paper, show_code
from server.services.codes import CodeMint
from server.services.context import Context
from server.services.problems import CodeNotYet, CodeOver, KeyRetired, StaticCodeNotAllowed, TicketUnknown
from server.services.problems_gates import TooManyTries
from shared.ids import TicketId
from shared.problems import TicketTokenError

_KEY = "Idempotency-Key"
CODES_PER_MINUTE = 60
_NO_STORE = {"Cache-Control": "no-store"}
_NO_CODE = (TicketUnknown, CodeOver, KeyRetired)
_NO_PAPER = (StaticCodeNotAllowed,)
_BY_FORM = _NO_STORE | {"Vary": "Accept"}


class QrQuery(Struct, frozen=True, kw_only=True):
    """Which kind of code: the one that turns over, or the one on paper."""

    profile: paper.CodeProfile = paper.CodeProfile.LIVE


class TicketApi:
    """What phones and printers call."""

    def __init__(self, context: Context, mint: CodeMint, print_font: Path | None = None) -> None:
        self._context = context
        self._mint = mint
        self._print_font = print_font
        self._asked = TryCounter(CODES_PER_MINUTE)

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            replace(
                _own("/api/v1/tickets/{ticket}/qr", self.show_code, "The code of this moment"),
                query=QrQuery,
                answer=show_code.ShownCode | paper.PaperCode,
                media=("application/json", SVG, PNG),
                raises=(*_NO_CODE, *_NO_PAPER, CodeNotYet, NotAcceptable),
            ),
            replace(
                _own("/api/v1/tickets/{ticket}/print", self.print_ticket, "The ticket on paper", *_NO_CODE, *_NO_PAPER),
                answer=bytes,
                media=(PDF,),
            ),
            replace(
                _own("/api/v1/tickets/{ticket}/wallet", self.fill_wallet, "All a phone needs", *_NO_CODE),
                answer=show_code.Wallet,
            ),
        ]

    async def show_code(self, request: web.Request) -> web.Response:
        """Answer with the code as JSON, SVG or PNG; ``?profile=static`` asks for the one on paper."""
        media_type = choose_media_type(request.headers.get("Accept", ""))
        if media_type is None:
            raise NotAcceptable(f"A code comes as application/json, {SVG} or {PNG}.")
        ticket, profile = TicketId(read_id(request, "ticket")), _read_profile(request)
        self._count(request, ticket)
        shown: show_code.ShownCode | paper.PaperCode
        if profile is paper.CodeProfile.STATIC:
            shown = await paper.show_paper_code(self._context, request[USER], ticket)
        else:
            shown = await show_code.show_code(self._context, self._mint, request[USER], ticket)
        if media_type not in {SVG, PNG}:
            return reply(shown, headers=_BY_FORM)
        picture = await asyncio.to_thread(draw, shown.qr_data, media_type)
        headers = _BY_FORM | {"X-Expires-At": shown.expires_at.isoformat()}
        return web.Response(body=picture, content_type=media_type, headers=headers)

    async def print_ticket(self, request: web.Request) -> web.Response:
        """Answer with the ticket as a sheet to print."""
        ticket = TicketId(read_id(request, "ticket"))
        self._count(request, ticket)
        sheet = await paper.fill_sheet(self._context, request[USER], ticket)
        body = await asyncio.to_thread(draw_sheet, sheet, self._print_font)
        name = f'inline; filename="ticket-{str(ticket)[-12:]}.pdf"'
        headers = _NO_STORE | {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type=PDF, headers=headers)

    async def fill_wallet(self, request: web.Request) -> web.Response:
        """Answer with all a phone needs."""
        ticket = TicketId(read_id(request, "ticket"))
        self._count(request, ticket)
        wallet = await show_code.fill_wallet(self._context, self._mint, request[USER], ticket)
        return reply(wallet, headers=_NO_STORE)

    def _count(self, request: web.Request, ticket: TicketId) -> None:
        # The caller is part of the name: nobody can use up what the owner may ask.
        wait_s = self._asked.take(f"{request[USER].user} {ticket}", self._context.clock.monotonic())
        if wait_s is not None:
            raise TooManyTries(f"This ticket was asked for too often: try again in {wait_s:.0f} s.", wait_s)


def _own(path: str, handler: Handler, summary: str, *raises: type[TicketTokenError]) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        auth=Auth.USER,
        scope=Scope.TICKETS_OWN,
        summary=summary,
        raises=raises,
        limit=LimitClass.CODES,
    )


def _read_profile(request: web.Request) -> paper.CodeProfile:
    try:
        return paper.CodeProfile(request.query.get("profile", paper.CodeProfile.LIVE))
    except ValueError as exc:
        raise RequestInvalid("`profile` is live or static.") from exc
