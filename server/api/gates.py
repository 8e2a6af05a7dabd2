"""Setting gates up and taking them out of service, over HTTP."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct
from msgspec.structs import replace

from server.api.exchange import read_body, read_id, reply
from server.api.problems import RequestInvalid
from server.api.routes import GATE, USER, Auth, Route
from server.domain.access import Scope
from server.domain.limits import LimitClass
from server.services.broker_access import BrokerOffer
from server.services.context import Context
from server.services.enrol import Application, Enrolment, GateWish
from server.services.gate_views import GateDetail, show_gate
from server.services.problems import EventUnknown
from server.services.problems_gates import (
    BrokerNotOffered,
    EnrolmentCodeExpired,
    EnrolmentCodeUnknown,
    EnrolmentCodeUsed,
    GateOutOfService,
    GateUnknown,
)
from shared.admission.policy import GateRole, Product, ZoneMask
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId, TenantId

GateName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Products = Annotated[tuple[Product, ...], Meta(max_length=100)]
KeyText = Annotated[str, Meta(min_length=43, max_length=43)]


class CodeRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What the new gate is to be; zones 0 and no products mean all of them.

    ``role`` decides who may find a ticket by its number there: supervisors at a ``lane``, everybody who works at a
    ``help_desk``, nobody at an ``unattended`` gate.
    """

    name: GateName
    direction: Direction = Direction.ENTRY
    zones: ZoneMask = 0
    products: Products = ()
    role: GateRole = GateRole.LANE


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
    """What a new gate must know; ``config_key`` is its organiser's public key, to be kept and believed alone.

    ``broker`` is how it reaches the message broker, sealed to it, in Base64url; null where gates use none.
    """

    gate_id: GateId
    tenant_id: TenantId
    event_id: EventId
    event_name: str
    name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    role: GateRole
    config_key: str
    server_time: datetime
    broker: str | None = None


class BrokerAnswer(Struct, frozen=True, kw_only=True, rename="camel"):
    """How the gate reaches the message broker, sealed to it, in Base64url."""

    broker: str


class GateApi:
    """What organisers and new gates call."""

    def __init__(self, context: Context, offer: BrokerOffer | None = None) -> None:
        self._context = context
        self._enrolment = Enrolment(context.db, context.vault, context.random_bytes, offer)

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
                raises=(EventUnknown,),
            ),
            self._revoke_route(),
            replace(
                self._revoke_route(),
                path="/api/v1/gates/{gate}/enrolment-codes",
                handler=self.issue_replacement,
                summary="Make a one-time code for another machine in a gate's place",
                answer=CodeIssued,
                status=201,
                raises=(GateUnknown, GateOutOfService),
            ),
            *self._own_routes(),
        ]

    def _own_routes(self) -> list[Route]:
        """Return what gates themselves call."""
        return [
            Route(
                method="POST",
                path="/gate/v1/enrol",
                handler=self.enrol,
                auth=Auth.PUBLIC,
                limit=LimitClass.ENROL,
                summary="Become a gate",
                body=EnrolRequest,
                answer=EnrolAnswer,
                raises=(EnrolmentCodeUnknown, EnrolmentCodeUsed, EnrolmentCodeExpired, GateOutOfService),
            ),
            Route(
                method="POST",
                path="/gate/v1/broker",
                handler=self.renew_broker,
                auth=Auth.GATE,
                summary="A new account at the message broker",
                answer=BrokerAnswer,
                raises=(BrokerNotOffered,),
            ),
        ]

    def _revoke_route(self) -> Route:
        return Route(
            method="POST",
            path="/api/v1/gates/{gate}/revoke",
            handler=self.revoke,
            auth=Auth.USER,
            scope=Scope.GATES_MANAGE,
            summary="Take a gate out of service",
            answer=GateDetail,
            raises=(GateUnknown,),
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
            role=body.role,
        )
        issued = await self._enrolment.issue_code(request[USER].tenant, wish, self._context.clock.now())
        answer = CodeIssued(code=issued.code, expires_at=issued.expires_at)
        return reply(answer, status=201, headers={"Cache-Control": "no-store"})

    async def issue_replacement(self, request: web.Request) -> web.Response:
        """Make a code for another machine."""
        gate = GateId(read_id(request, "gate"))
        issued = await self._enrolment.issue_replacement(request[USER].tenant, gate, self._context.clock.now())
        answer = CodeIssued(code=issued.code, expires_at=issued.expires_at)
        return reply(answer, status=201, headers={"Cache-Control": "no-store"})

    async def enrol(self, request: web.Request) -> web.Response:
        """Turn a code into a gate."""
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
            role=gate.role,
            config_key=_write_key(enrolled.config_key),
            server_time=now,
            broker=None if enrolled.access is None else _write_key(enrolled.access),
        )
        return reply(answer, headers={"Cache-Control": "no-store"})

    async def renew_broker(self, request: web.Request) -> web.Response:
        """Give a gate a new account at the broker."""
        sealed = await self._enrolment.renew_access(request[GATE])
        return reply(BrokerAnswer(broker=_write_key(sealed)), headers={"Cache-Control": "no-store"})

    async def revoke(self, request: web.Request) -> web.Response:
        """Take a gate out of service."""
        gate = GateId(read_id(request, "gate"))
        tenant = request[USER].tenant
        await self._enrolment.revoke(tenant, gate, self._context.clock.now())
        return reply(await show_gate(self._context, tenant, gate))


def _read_key(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RequestInvalid("A gate's keys are 32 bytes each in Base64url without padding.") from exc


def _write_key(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()
