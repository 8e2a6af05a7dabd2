"""The walk: every operation in an order in which it can succeed, and the status each of five callers gets.

A row has one status for each of CALLERS. It is written down here to be checked against what was promised, and is nothing the
program could tell of itself. 401 is who brings no proof that counts there, 403 who may not, 404 whose it is not.
"""

from __future__ import annotations

from tests.integration.server.selling.client import Json

CALLERS = ("attendee", "organiser", "service", "scanner", "stranger")

WALK: dict[str, str] = {
    # for everybody
    "GET /openapi.json": "200 200 200 200 200",
    "GET /docs": "200 200 200 200 200",
    "GET /health": "200 200 200 200 200",
    "GET /health/live": "200 200 200 200 200",
    "GET /health/ready": "200 200 200 200 200",
    "GET /health/startup": "200 200 200 200 200",
    "GET /t/": "200 200 200 200 200",
    "GET /t/sw.js": "200 200 200 200 200",
    "GET /t/{link}": "200 200 200 200 200",
    "GET /t/{link}/wallet": "200 200 200 200 200",
    "GET /web/ticket/{build}/{name}": "200 200 200 200 200",
    # nothing was minted here
    "GET /m/{token}": "404 404 404 404 404",
    "GET /m/{token}/image.svg": "404 404 404 404 404",
    # what is on sale
    "GET /api/v1/events": "200 200 401 200 401",
    "GET /api/v1/events/{event}": "200 200 401 200 401",
    "GET /api/v1/events/{event}/ticket-types": "200 200 401 200 401",
    "GET /api/v1/events/{event}/zones": "200 200 401 401 401",
    "GET /api/v1/events/{event}/seats": "200 200 401 401 401",
    # an attendee's own: the organiser is a person too, and finds none of it
    "GET /api/v1/reservations/{reservation}": "200 404 401 401 401",
    "POST /api/v1/tickets/purchase": "200 404 401 401 401",
    "POST /api/v1/tickets/reserve": "201 201 401 401 401",
    "DELETE /api/v1/reservations/{reservation}": "200 404 401 401 401",
    "GET /api/v1/tickets": "200 200 401 401 401",
    "GET /api/v1/tickets/{ticket}": "200 404 401 401 401",
    "GET /api/v1/tickets/{ticket}/history": "200 404 401 401 401",
    "GET /api/v1/tickets/{ticket}/qr": "200 404 401 401 401",
    "GET /api/v1/tickets/{ticket}/wallet": "200 404 401 401 401",
    # this event has no codes on paper
    "GET /api/v1/tickets/{ticket}/print": "409 404 401 401 401",
    "POST /api/v1/tickets/{ticket}/link": "201 404 401 401 401",
    "GET /api/v1/transfers": "200 200 401 401 401",
    "POST /api/v1/transfers/{transfer}/accept": "200 403 401 401 401",
    "POST /api/v1/tickets/{ticket}/transfer": "201 404 401 401 401",
    "POST /api/v1/transfers/{transfer}/reject": "200 403 401 401 401",
    "POST /api/v1/transfers/{transfer}/cancel": "200 404 401 401 401",
    # other services
    "GET /internal/tickets/{ticket}": "401 401 200 401 401",
    "POST /internal/tickets/{ticket}/reserve": "401 401 201 401 401",
    "POST /internal/payments": "401 401 200 401 401",
    # the doors; a code that says nothing is an answer, and no refusal of the call
    "POST /api/v1/tickets/validate": "403 200 401 200 401",
    "POST /api/v1/tickets/{ticket}/validate": "403 200 401 200 401",
    "POST /api/v1/tickets/{ticket}/checkin": "403 200 401 200 401",
    "GET /api/v1/events/{event}/stats": "403 200 401 200 401",
    "GET /api/v1/events/{event}/live": "403 200 401 200 401",
    "GET /api/v1/events/{event}/scans": "403 200 401 200 401",
    "GET /api/v1/events/{event}/conflicts": "403 200 401 200 401",
    "GET /api/v1/gates": "403 200 401 200 401",
    "GET /api/v1/gates/{gate}": "403 200 401 401 401",
    "GET /api/v1/gates/{gate}/commands": "403 200 401 401 401",
    # the organiser's
    "POST /api/v1/conflicts/{conflict}/acknowledge": "403 200 401 401 401",
    "POST /api/v1/conflicts/{conflict}/resolve": "403 200 401 401 401",
    "GET /api/v1/conflicts/{conflict}": "403 200 401 401 401",
    "GET /api/v1/events/{event}/nfts": "403 200 401 401 401",
    "GET /api/v1/events/{event}/nfts/given-up": "403 200 401 401 401",
    "POST /api/v1/events/{event}/nfts/retry": "403 200 401 401 401",
    "GET /api/v1/events/{event}/tickets": "403 200 401 401 401",
    "GET /api/v1/organiser/tickets/{ticket}": "403 200 401 401 401",
    "POST /api/v1/events/{event}/tickets/issue": "403 201 401 401 401",
    "POST /api/v1/events/{event}/tickets/import": "403 202 401 401 401",
    "GET /api/v1/imports/{import}": "403 200 401 401 401",
    "GET /api/v1/organiser/events": "403 200 401 401 401",
    "GET /api/v1/organiser/events/{event}": "403 200 401 401 401",
    "PATCH /api/v1/events/{event}/policy": "403 200 401 401 401",
    "PATCH /api/v1/events/{event}": "403 200 401 401 401",
    "POST /api/v1/tickets/{ticket}/refund": "200 404 401 401 401",
    "PATCH /api/v1/ticket-types/{type}": "403 200 401 401 401",
    "POST /api/v1/events/{event}/zones": "403 201 401 401 401",
    "PATCH /api/v1/events/{event}/zones/{n}": "403 200 401 401 401",
    "PATCH /api/v1/events/{event}/seats/{seat}": "403 200 401 401 401",
    "DELETE /api/v1/events/{event}/seats/{seat}": "403 200 401 401 401",
    "POST /api/v1/tickets/{ticket}/lock": "403 200 401 401 401",
    "POST /api/v1/tickets/{ticket}/unlock": "403 200 401 401 401",
    "POST /api/v1/tickets/{ticket}/reissue": "403 200 401 401 401",
    "POST /api/v1/tickets/{ticket}/revoke": "403 200 401 401 401",
    "POST /api/v1/events/{event}/gates/enrolment-codes": "403 201 401 401 401",
    # the first who brings the code has the gate
    "POST /gate/v1/enrol": "200 410 410 410 410",
    "PATCH /api/v1/gates/{gate}": "403 200 401 401 401",
    "POST /api/v1/gates/{gate}/commands": "403 202 401 401 401",
    "POST /api/v1/gates/{gate}/enrolment-codes": "403 201 401 401 401",
    "GET /api/v1/gates/{gate}/quarantine": "403 200 401 401 401",
    "POST /api/v1/gates/{gate}/revoke": "403 200 401 401 401",
    "POST /api/v1/supervisors": "403 201 401 401 401",
    "GET /api/v1/supervisors": "403 200 401 401 401",
    "POST /api/v1/supervisors/{supervisor}/pin": "403 200 401 401 401",
    "DELETE /api/v1/supervisors/{supervisor}": "403 204 401 401 401",
    "GET /api/v1/events/{event}/keys": "403 200 401 401 401",
    "POST /api/v1/events/{event}/keys/rotate": "403 200 401 401 401",
    "GET /api/v1/events/{event}/stats/export": "403 200 401 401 401",
    "GET /api/v1/events/{event}/scans/export": "403 200 401 401 401",
    "GET /api/v1/events/{event}/conflicts/export": "403 200 401 401 401",
    "GET /api/v1/events/{event}/tickets/export": "403 200 401 401 401",
    "GET /api/v1/audit": "403 200 401 401 401",
    "GET /api/v1/audit/export": "403 200 401 401 401",
    # a life of an event, from draft to its end
    "POST /api/v1/events": "403 201 401 401 401",
    "POST /api/v1/events/{event}/ticket-types": "403 201 401 401 401",
    "POST /api/v1/events/{event}/seats": "403 201 401 401 401",
    "POST /api/v1/events/{event}/open": "403 200 401 401 401",
    "POST /api/v1/events/{event}/cancel": "403 202 401 401 401",
    "POST /api/v1/events/{event}/close": "403 202 401 401 401",
    "GET /api/v1/events/{event}/ending": "403 200 401 401 401",
    "GET /api/v1/events/{event}/ending/tickets": "403 200 401 401 401",
    "GET /api/v1/events/{event}/refunds-due": "403 200 401 401 401",
    "GET /api/v1/refunds-due": "403 200 401 401 401",
    # access; last, for it ends the scanner's and the service's
    "POST /api/v1/api-keys": "403 201 401 401 401",
    "GET /api/v1/api-keys": "403 200 401 401 401",
    "DELETE /api/v1/api-keys/{key}": "403 200 401 401 401",
    "POST /api/v1/service-callers": "403 201 401 401 401",
    "GET /api/v1/service-callers": "403 200 401 401 401",
    "POST /api/v1/service-callers/{name}/rotate": "403 200 401 401 401",
    "DELETE /api/v1/service-callers/{name}": "403 204 401 401 401",
    # a gate's own addresses are nobody else's
    "POST /gate/v1/broker": "401 401 401 401 401",
    "GET /gate/v1/link": "401 401 401 401 401",
    "GET /gate/v1/feed": "401 401 401 401 401",
    "GET /gate/v1/snapshot": "401 401 401 401 401",
    "GET /gate/v1/snapshot/{snapshot}/{n}": "401 401 401 401 401",
    "POST /gate/v1/scans": "401 401 401 401 401",
    "POST /gate/v1/quarantine": "401 401 401 401 401",
}

RECIPIENTS = frozenset({"POST /api/v1/transfers/{transfer}/accept", "POST /api/v1/transfers/{transfer}/reject"})
"""What the attendee does to whom a ticket was offered."""

REMEMBERED = {
    "POST /api/v1/tickets/reserve": {"reservation": "reservationId"},
    "POST /api/v1/tickets/{ticket}/transfer": {"transfer": "transferId"},
    "POST /api/v1/events/{event}/ticket-types": {"seated": "id"},
    "POST /api/v1/events/{event}/gates/enrolment-codes": {"code": "code"},
    "POST /api/v1/events": {"draft": "id"},
}
"""What later rows are about: by which name, and where an answer has it. The first success counts."""

INSTEAD = {
    "POST /api/v1/transfers/{transfer}/cancel": {"transfer": "offer"},
    "POST /api/v1/tickets/{ticket}/refund": {"ticket": "spare"},
    "POST /api/v1/events/{event}/ticket-types": {"event": "draft"},
    "POST /api/v1/events/{event}/seats": {"event": "draft"},
    "POST /api/v1/events/{event}/open": {"event": "draft"},
    "POST /api/v1/events/{event}/cancel": {"event": "draft"},
}
"""Rows about another thing than the usual one."""


def bodies(places: dict[str, str], caller: str) -> dict[str, Json]:
    """Return the bodies that differ from the usual samples, so that the rows before have made room for them."""
    return {
        "POST /api/v1/tickets/{ticket}/transfer": {"recipientEmail": "friend@example.org"},
        "PATCH /api/v1/events/{event}": {"version": 2, "refundRules": {"deadlineS": 0}},
        "PATCH /api/v1/events/{event}/zones/{n}": {"name": "Floor 2"},
        "POST /api/v1/events/{event}/ticket-types": {
            "name": "Circle",
            "priceCents": 100,
            "currency": "EUR",
            "seated": True,
        },
        "POST /api/v1/events/{event}/seats": {"ticketTypeId": places.get("seated", ""), "labels": ["C 1"]},
        "POST /gate/v1/enrol": {
            "code": places.get("code", ""),
            "signKey": "ABCDE"[CALLERS.index(caller)] + "A" * 42,
            "sealKey": "A" * 43,
            "software": "test 1",
        },
    }
