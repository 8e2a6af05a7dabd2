"""Setting gates up and taking them out of service, over HTTP."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from server.api.exchange import parse_id, read_body, read_id, reply
from server.api.problems import RequestInvalid
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.domain.tries import TryCounter
from server.services.context import Context
from server.services.enrol import Application, Enrolment, GateWish
from server.services.problems_gates import TooManyTries
from server.services.rows_gates import GateRow
from shared.admission.policy import Product, ZoneMask
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId, TenantId

TRIES_PER_MINUTE = 10

GateName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Products = Annotated[tuple[Product, ...], Meta(max_length=100)]
KeyText = Annotated[str, Meta(min_length=43, max_length=43)]


class CodeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What the new gate is to be; zones 0 and no products mean all of them."""

    name: GateName
    direction: Direction = Direction.ENTRY
    zones: ZoneMask = 0
    products: Products = ()


class CodeIssued(Struct, frozen=True, kw_only=True, rename="camel"):
    """A one-time code, shown this once."""

    code: str
    expires_at: datetime


class EnrolRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What a new gate brings: the code and its public keys, 32 bytes each in Base64url without padding."""

    code: Annotated[str, Meta(min_length=1, max_length=200)]
    sign_key: KeyText
    seal_key: KeyText
    software: Annotated[str, Meta(max_length=200)]
    name: GateName | None = None


class EnrolAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a new gate must know; ``config_key`` is its organiser's public key, to be kept and believed alone."""

    gate_id: GateId
    tenant_id: TenantId
    event_id: EventId
    event_name: str
    name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    config_key: str
    server_time: datetime


class GateView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A gate as its organiser sees it; ``backlog`` counts records it said it has not handed over."""

    id: GateId
    event_id: EventId
    name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    software: str
    enrolled_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None
    bundle_version: int
    backlog: int | None
    feed_seq: int | None
    scans_per_minute: float | None


class GateList(Struct, frozen=True, kw_only=True):
    """An event's gates."""

    items: list[GateView]


class GateApi:
    """What organisers and new gates call."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._enrolment = Enrolment(context.db, context.vault, context.random_bytes)
        self._tries = TryCounter(TRIES_PER_MINUTE)

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="POST",
                path="/api/v1/events/{event}/gates/enrolment-codes",
                handler=self.issue_code,
                auth=Auth.USER,
                scope=Scope.GATES_MANAGE,
                summary="Make a one-time code for a new gate",
                body=CodeRequest,
                answer=CodeIssued,
                status=201,
            ),
            self._list_route(),
            self._revoke_route(),
            Route(
                method="POST",
                path="/gate/v1/enrol",
                handler=self.enrol,
                auth=Auth.PUBLIC,
                summary="Become a gate",
                body=EnrolRequest,
                answer=EnrolAnswer,
            ),
        ]

    def _list_route(self) -> Route:
        return Route(
            method="GET",
            path="/api/v1/gates",
            handler=self.list_gates,
            auth=Auth.USER,
            scope=Scope.GATES_READ,
            summary="An event's gates",
            answer=GateList,
        )

    def _revoke_route(self) -> Route:
        return Route(
            method="POST",
            path="/api/v1/gates/{gate}/revoke",
            handler=self.revoke,
            auth=Auth.USER,
            scope=Scope.GATES_MANAGE,
            summary="Take a gate out of service",
            answer=GateView,
        )

    async def issue_code(self, request: web.Request) -> web.Response:
        """Make a code."""
        body = await read_body(request, CodeRequest)
        wish = GateWish(
            event=EventId(read_id(request, "event")),
            name=body.name.strip(),
            direction=body.direction,
            zones=body.zones,
            products=body.products,
        )
        issued = await self._enrolment.issue_code(request[USER].tenant, wish, self._context.clock.now())
        answer = CodeIssued(code=issued.code, expires_at=issued.expires_at)
        return reply(answer, status=201, headers={"Cache-Control": "no-store"})

    async def enrol(self, request: web.Request) -> web.Response:
        """Turn a code into a gate."""
        self._count_try(request)
        body = await read_body(request, EnrolRequest)
        application = Application(
            code=body.code,
            name=None if body.name is None else body.name.strip(),
            sign_key=_read_key(body.sign_key),
            seal_key=_read_key(body.seal_key),
            software=body.software,
        )
        now = self._context.clock.now()
        enrolled = await self._enrolment.enrol(application, now)
        gate = enrolled.gate
        answer = EnrolAnswer(
            gate_id=gate.id,
            tenant_id=gate.tenant,
            event_id=gate.event,
            event_name=enrolled.event.name,
            name=gate.name,
            direction=gate.direction,
            zones=gate.zones,
            products=gate.products,
            config_key=_write_key(enrolled.config_key),
            server_time=now,
        )
        return reply(answer, headers={"Cache-Control": "no-store"})

    async def list_gates(self, request: web.Request) -> web.Response:
        """Answer with an event's gates."""
        event = parse_id(request.query.get("eventId", ""))
        if event is None:
            raise RequestInvalid("Name the event: `eventId` is its id.")
        rows = await self._enrolment.list_gates(request[USER].tenant, EventId(event))
        return reply(GateList(items=[_view(row) for row in rows]))

    async def revoke(self, request: web.Request) -> web.Response:
        """Take a gate out of service."""
        gate = GateId(read_id(request, "gate"))
        return reply(_view(await self._enrolment.revoke(request[USER].tenant, gate, self._context.clock.now())))

    def _count_try(self, request: web.Request) -> None:
        wait_s = self._tries.take(request.remote or "unknown", self._context.clock.monotonic())
        if wait_s is not None:
            raise TooManyTries(f"Too many attempts from this address: try again in {wait_s:.0f} s.", wait_s)


def _view(row: GateRow) -> GateView:
    said = row.heartbeat
    return GateView(
        id=row.id,
        event_id=row.event,
        name=row.name,
        direction=row.direction,
        zones=row.zones,
        products=row.products,
        software=row.software,
        enrolled_at=row.enrolled_at,
        revoked_at=row.revoked_at,
        last_seen_at=row.last_seen_at,
        bundle_version=row.bundle_version,
        backlog=None if said is None else said.backlog,
        feed_seq=None if said is None else said.feed_seq,
        scans_per_minute=None if said is None else said.scans_per_minute,
    )


def _read_key(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RequestInvalid("A gate's keys are 32 bytes each in Base64url without padding.") from exc


def _write_key(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()
