"""Links to tickets' pages, for their owners to open on a phone or to send to themselves."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from msgspec import Struct

from server.api.exchange import read_id, reply
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.services.context import Context
from server.services.problems import TicketUnknown
from server.services.ticket_page import make_ticket_link
from shared.ids import TicketId


class TicketLinkMade(Struct, frozen=True, kw_only=True, rename="camel"):
    """The page's whole address. Whoever has it has the ticket's codes."""

    url: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Keep the link out of logs."""
        return f"TicketLinkMade(expires_at={self.expires_at})"


class TicketLinkApi:
    """Makes links below ``public_url``, or below the address the request came to if that is None."""

    def __init__(self, context: Context, public_url: str | None) -> None:
        self._context = context
        self._public_url = public_url

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="POST",
                path="/api/v1/tickets/{ticket}/link",
                handler=self.make_link,
                auth=Auth.USER,
                scope=Scope.TICKETS_OWN,
                summary="A link that shows the ticket on a phone",
                answer=TicketLinkMade,
                status=201,
                raises=(TicketUnknown,),
            )
        ]

    async def make_link(self, request: web.Request) -> web.Response:
        """Answer with a link that lives until the ticket changes hands."""
        made = await make_ticket_link(self._context, request[USER], TicketId(read_id(request, "ticket")))
        place = self._public_url or str(request.url.origin())
        answer = TicketLinkMade(url=place + made.path, expires_at=made.expires_at)
        return reply(answer, status=201, headers={"Cache-Control": "no-store"})
