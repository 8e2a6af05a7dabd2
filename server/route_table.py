"""Every address of the server, gathered from the parts that answer it."""

from __future__ import annotations

from server.api.api_keys import ApiKeyApi
from server.api.audit import AuditApi
from server.api.catalogue import CatalogueApi
from server.api.description import DescriptionApi
from server.api.event_keys import EventKeyApi
from server.api.events import EventApi
from server.api.exports import ExportApi
from server.api.fleet import FleetApi
from server.api.gate_sync import GateSyncApi
from server.api.gates import GateApi
from server.api.health import HealthApi
from server.api.holdings import HoldingApi
from server.api.internal import InternalApi
from server.api.issuing import IssuingApi
from server.api.live import LiveApi
from server.api.nfts import NftApi
from server.api.operations import OperationsApi
from server.api.payments import PaymentApi
from server.api.quarantine import QuarantineApi
from server.api.reservations import ReservationApi
from server.api.routes import Also, Auth, Route
from server.api.scanning import ScanningApi
from server.api.services import ServiceApi
from server.api.stock import StockApi
from server.api.supervisors import SupervisorApi
from server.api.ticket_care import TicketCareApi
from server.api.ticket_links import TicketLinkApi
from server.api.tickets import TicketApi
from server.api.transfers import TransferApi
from server.auth.pins import hash_pin
from server.domain.limits import LimitClass
from server.parts import Parts
from server.services.ticket_page import SignedTicketPages
from server.web.ticket_page.handlers import TicketSite


def all_routes(parts: Parts, health: HealthApi) -> list[Route]:
    """Return the whole route table."""
    description = DescriptionApi()
    routes = [
        *description.routes(),
        *health.routes(),
        *CatalogueApi(parts.context).routes(),
        *ReservationApi(parts.context, parts.payments).routes(),
        *HoldingApi(parts.context).routes(),
        *TicketApi(parts.context, parts.mint, parts.print_font).routes(),
        *TransferApi(parts.context).routes(),
        *TicketLinkApi(parts.context, parts.public_url).routes(),
        *_ticket_page_routes(parts),
        *GateApi(parts.context, parts.broker_offer).routes(),
        *FleetApi(parts.context).routes(),
        *EventKeyApi(parts.context).routes(),
        *GateSyncApi(parts.context, parts.snapshots, parts.hub).routes(),
        *QuarantineApi(parts.context).routes(),
        *OperationsApi(parts.context).routes(),
        *NftApi(parts.context, parts.database, parts.public_url).routes(),
        *ExportApi(parts.context).routes(),
        *AuditApi(parts.context).routes(),
        *LiveApi(parts.live).routes(),
        *EventApi(parts.context).routes(),
        *StockApi(parts.context).routes(),
        *IssuingApi(parts.context).routes(),
        *TicketCareApi(parts.context).routes(),
        *PaymentApi(parts.context).routes(),
        *ScanningApi(parts.context).routes(),
        *InternalApi(parts.context).routes(),
        *ApiKeyApi(parts.context).routes(),
        *ServiceApi(parts.context).routes(),
        *SupervisorApi(parts.context, hash_pin).routes(),
    ]
    return description.describe(routes)


def _ticket_page_routes(parts: Parts) -> list[Route]:
    """Open to everybody: the link in the address is the proof."""
    site = TicketSite(SignedTicketPages(parts.context, parts.mint), parts.page)
    return [
        Route(
            method="GET",
            path=one.path,
            handler=one.handler,
            auth=Auth.PUBLIC,
            # The page itself is a file like its scripts; what is counted is asking for a ticket.
            limit=LimitClass.LINK if one.path.endswith("/wallet") else LimitClass.FREE,
            summary=one.summary,
            answer=one.answer,
            media=one.media,
            raises=one.raises,
            also=(Also(status=304),) if one.answer is bytes else (),
        )
        for one in site.addresses()
    ]
