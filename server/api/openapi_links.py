"""Which answer leads to which call: ids and states that one operation gives and another takes."""

from __future__ import annotations

from msgspec import Struct

from server.api.openapi_types import Json


class Step(Struct, frozen=True, kw_only=True):
    """From one operation's answer on to another: where its parameters and the fields of its body come from."""

    to: str
    parameters: dict[str, str] = {}
    body: dict[str, str] = {}


_TICKET = {"ticket": "$response.body#/tickets/0/ticketId"}
_FIRST_TICKET = {"ticket": "$response.body#/items/0/id"}
_EVENT = {"event": "$response.body#/items/0/id"}
_OFFER = {"transfer": "$response.body#/transferId"}
_HELD = {"reservation": "$response.body#/reservationId"}

STEPS: dict[tuple[str, str], tuple[Step, ...]] = {
    ("GET", "/api/v1/events"): (
        Step(to="getEventsByEvent", parameters=_EVENT),
        Step(to="getEventsByEventTicketTypes", parameters=_EVENT),
    ),
    ("POST", "/api/v1/tickets/reserve"): (
        Step(to="postTicketsPurchase", body={"reservationId": "$response.body#/reservationId"}),
        Step(to="getReservationsByReservation", parameters=_HELD),
        Step(to="deleteReservationsByReservation", parameters=_HELD),
    ),
    ("POST", "/api/v1/tickets/purchase"): (
        Step(to="getTicketsByTicket", parameters=_TICKET),
        Step(to="getTicketsByTicketQr", parameters=_TICKET),
        Step(to="getTicketsByTicketWallet", parameters=_TICKET),
        Step(to="getTicketsByTicketHistory", parameters=_TICKET),
        Step(to="postTicketsByTicketTransfer", parameters=_TICKET),
        Step(to="postTicketsByTicketRefund", parameters=_TICKET),
    ),
    ("GET", "/api/v1/tickets"): (
        Step(to="getTicketsByTicket", parameters=_FIRST_TICKET),
        Step(to="getTicketsByTicketQr", parameters=_FIRST_TICKET),
    ),
    ("POST", "/api/v1/tickets/{ticket}/transfer"): (
        Step(to="postTransfersByTransferAccept", parameters=_OFFER),
        Step(to="postTransfersByTransferReject", parameters=_OFFER),
        Step(to="postTransfersByTransferCancel", parameters=_OFFER),
    ),
}


def links_of(method: str, path: str) -> Json:
    """Return an operation's links, in the form OpenAPI gives them."""
    return {step.to: _write(step) for step in STEPS.get((method, path), ())}


def _write(step: Step) -> Json:
    link: Json = {"operationId": step.to}
    if step.parameters:
        link["parameters"] = dict(step.parameters)
    if step.body:
        link["requestBody"] = dict(step.body)
    return link
