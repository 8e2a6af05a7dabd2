"""A sound request for every operation that takes one, from which the unsound ones are made."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from tests.integration.server.selling.client import Json

_SCHEDULE: Json = {
    "doorsAt": "2027-06-20T17:00:00Z",
    "startsAt": "2027-06-20T19:00:00Z",
    "endsAt": "2027-06-21T02:00:00Z",
    "saleStartsAt": "2026-06-20T10:00:00Z",
    "saleEndsAt": "2027-06-20T19:00:00Z",
}


class Sample(Struct, frozen=True, kw_only=True):
    """What a call needs besides its address: the body, and the query of those that cannot do without."""

    body: Json | bytes | None = None
    query: dict[str, str] = {}


def samples(places: Mapping[str, str]) -> dict[str, Sample]:
    """Return the sound requests, of things under these ids."""
    return {
        "GET /api/v1/gates": Sample(query={"eventId": places["event"]}),
        "GET /gate/v1/feed": Sample(query={"event": places["event"], "after": "0"}),
        "GET /gate/v1/snapshot": Sample(query={"event": places["event"]}),
        "POST /api/v1/events/{event}/tickets/import": Sample(body=b"external_id,product\nB-1,1\n"),
        **{name: Sample(body=body) for name, body in (_buying(places) | _running() | _doors(places)).items()},
    }


def _buying(places: Mapping[str, str]) -> dict[str, Json]:
    line: Json = {"ticketTypeId": places["type"], "quantity": 1}
    return {
        "POST /api/v1/tickets/reserve": {"eventId": places["event"], "tickets": [line]},
        "POST /api/v1/tickets/purchase": {
            "reservationId": places["reservation"],
            "paymentId": "demo_4500_EUR_12345678",
        },
        "POST /api/v1/tickets/{ticket}/transfer": {"recipientEmail": "other@example.org", "message": "!"},
        "POST /internal/tickets/{ticket}/reserve": {"userId": places["spare"], "quantity": 1},
        "POST /internal/payments": {
            "event": "payment.completed",
            "id": places["spare"],
            "timestamp": "2026-06-20T12:00:00Z",
            "payload": {"paymentId": "p-1", "amountCents": 4500, "currency": "EUR"},
        },
        "POST /api/v1/events/{event}/nfts/retry": {"tickets": [places["spare"]]},
        "POST /api/v1/events/{event}/tickets/issue": {
            "tickets": [{"ticketTypeId": places["type"], "holderName": "Ada"}],
            "reason": "press",
        },
    }


def _running() -> dict[str, Json]:
    return {
        "POST /api/v1/events": {"name": "Closing", "venueName": "Pier Hall", "maxPerUser": 4, **_SCHEDULE},
        "PATCH /api/v1/events/{event}": {"version": 1, "name": "Another", "maxPerUser": 4},
        "PATCH /api/v1/events/{event}/policy": {"version": 1, "graceS": 60, "exits": True},
        "POST /api/v1/events/{event}/close": {"force": True, "reason": "storm"},
        "POST /api/v1/events/{event}/cancel": {"reason": "storm"},
        "POST /api/v1/events/{event}/ticket-types": {
            "name": "Balcony",
            "priceCents": 100,
            "currency": "EUR",
            "total": 10,
            "maxPerOrder": 4,
        },
        "PATCH /api/v1/ticket-types/{type}": {"version": 1, "name": "Stalls", "priceCents": 100},
        "POST /api/v1/events/{event}/zones": {"bit": 3, "name": "Balcony"},
        "PATCH /api/v1/events/{event}/zones/{n}": {"name": "Balcony"},
    }


def _doors(places: Mapping[str, str]) -> dict[str, Json]:
    return {
        "PATCH /api/v1/events/{event}/seats/{seat}": {"label": "A2"},
        "POST /api/v1/events/{event}/seats": {"ticketTypeId": places["type"], "labels": ["A1"]},
        "POST /api/v1/tickets/validate": {"code": "TT1:ABC", "gateId": places["gate"]},
        "POST /api/v1/tickets/{ticket}/validate": {"code": "TT1:ABC", "gateId": places["gate"]},
        "POST /api/v1/tickets/{ticket}/checkin": {"code": "TT1:ABC", "gateId": places["gate"]},
        "POST /api/v1/tickets/{ticket}/revoke": {"reason": "admin_request"},
        "POST /api/v1/tickets/{ticket}/lock": {"reason": "dispute"},
        "POST /api/v1/tickets/{ticket}/unlock": {"reason": "settled"},
        "POST /api/v1/tickets/{ticket}/reissue": {"reason": "lost", "holderName": "Ada"},
        "POST /api/v1/events/{event}/gates/enrolment-codes": {"name": "South", "products": [1], "role": "help_desk"},
        "POST /api/v1/events/{event}/keys/rotate": {"mode": "scheduled"},
        "PATCH /api/v1/gates/{gate}": {"name": "North 2", "direction": "exit", "zones": 1, "role": "help_desk"},
        "POST /api/v1/gates/{gate}/commands": {"kind": "message", "text": "Doors in 5 minutes", "expiresInS": 60},
        "POST /gate/v1/enrol": {
            "code": "TT-0",
            "signKey": "A" * 43,
            "sealKey": "A" * 43,
            "software": "test 1",
            "name": "South",
        },
        "POST /api/v1/supervisors": {
            "name": "Lee",
            "pin": "739164",
            "eventId": places["event"],
            "gateIds": [places["gate"]],
        },
        "POST /api/v1/conflicts/{conflict}/resolve": {"resolution": "benign", "note": "twins"},
        "POST /api/v1/supervisors/{supervisor}/pin": {"pin": "739164"},
        "POST /api/v1/api-keys": {"name": "Kiosk", "scopes": ["events:read"], "eventId": places["event"]},
        "POST /api/v1/service-callers": {"name": "billing", "calls": ["POST /internal/payments"]},
        "POST /api/v1/service-callers/{name}/rotate": {"overlapMinutes": 5},
    }
