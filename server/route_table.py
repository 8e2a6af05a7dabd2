"""Every address of the server, gathered from the parts that answer it."""

from __future__ import annotations

from server.api.gate_sync import GateSyncApi
from server.api.gates import GateApi
from server.api.health import HealthApi
from server.api.operations import OperationsApi
from server.api.routes import Auth, Route
from server.api.ticket_links import TicketLinkApi
from server.api.tickets import TicketApi
from server.parts import Parts
from server.services.ticket_page import SignedTicketPages
from server.web.ticket_page.handlers import TicketSite


def all_routes(parts: Parts, health: HealthApi) -> list[Route]:
    """Return the whole route table."""
    return [
        *health.routes(),
        *TicketApi(parts.context, parts.mint, parts.payments, parts.print_font).routes(),
        *TicketLinkApi(parts.context, parts.public_url).routes(),
        *_ticket_page_routes(parts),
        *GateApi(parts.context).routes(),
        *GateSyncApi(parts.context, parts.snapshots, parts.hub).routes(),
        *OperationsApi(parts.context).routes(),
    ]


def _ticket_page_routes(parts: Parts) -> list[Route]:
    """Open to everybody: the link in the address is the proof."""
    site = TicketSite(SignedTicketPages(parts.context, parts.mint), parts.page)
    return [
        Route(method="GET", path=one.path, handler=one.handler, auth=Auth.PUBLIC, summary=one.summary)
        for one in site.addresses()
    ]
