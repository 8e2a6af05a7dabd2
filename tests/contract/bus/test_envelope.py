"""The envelope of domain events on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec import Raw

from server.bus.envelope import decode_envelope, encode_envelope
from server.services.ports_bus import Envelope, TicketFact
from shared.ids import TenantId
from shared.problems import CodeMalformed

GOOD = (
    b'{"event":"payment.failed","id":"00000000-0000-0000-0000-000000000001","timestamp":"2026-06-20T18:00:00Z",'
    b'"tenantId":"00000000-0000-0000-0000-000000000002","correlationId":null,"payload":{}}'
)


def test_the_wire_has_exactly_the_documented_names() -> None:
    body = encode_envelope(
        Envelope(
            event=TicketFact.REVOKED,
            id=UUID(int=1),
            timestamp=datetime(2026, 6, 20, 18, 0, tzinfo=UTC),
            tenant_id=TenantId(UUID(int=2)),
            payload=Raw(b'{"reason":"fraud_detected"}'),
        )
    )
    assert json.loads(body) == {
        "event": "ticket.revoked",
        "id": "00000000-0000-0000-0000-000000000001",
        "timestamp": "2026-06-20T18:00:00Z",
        "tenantId": "00000000-0000-0000-0000-000000000002",
        "correlationId": None,
        "payload": {"reason": "fraud_detected"},
    }


def test_an_envelope_of_another_service_is_understood() -> None:
    assert decode_envelope(GOOD).event == "payment.failed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        GOOD.replace(b'"payload":{}', b'"payload":[]'),
        GOOD.replace(b'"payload":{}', b'"payload":{},"extra":1'),
        GOOD.replace(b"18:00:00Z", b"18:00:00"),
        GOOD.replace(b'"id":"00000000', b'"id":"x'),
        GOOD.replace(b'"event":"payment.failed",', b""),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises(CodeMalformed):
        decode_envelope(body)
