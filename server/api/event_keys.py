"""The keys an event's codes are made with, over HTTP: how they stand, and new ones in their place."""

from __future__ import annotations

from enum import StrEnum

from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.exchange import read_body, read_id, reply, reply_once
from server.api.routes import USER, Auth, Route
from server.domain.access import Scope
from server.services.context import Context
from server.services.idempotency import name_call, run_once
from server.services.key_rotation import Rotated, rotate_event_in
from server.services.key_status import EventStatus, read_event_status
from server.services.problems import EventUnknown
from shared.ids import EventId

_PATH = "/api/v1/events/{event}/keys"


class Mode(StrEnum):
    """When new keys take the place of the old ones."""

    SCHEDULED = "scheduled"
    """From the next epoch on."""
    EMERGENCY = "emergency"
    """At once: codes made before count for a short overlap, and what was printed must be printed anew."""


class RotateRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """``scheduled``: new keys from the next epoch on; ``emergency``: at once, older codes count for the overlap alone."""

    mode: Mode


class EventKeyApi:
    """What administrators call about an event's keys."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        status = Route(
            method="GET",
            path=_PATH,
            handler=self.read,
            auth=Auth.USER,
            scope=Scope.KEYS_MANAGE,
            summary="How an event's keys stand, and which gates lag behind",
            answer=EventStatus,
            raises=(EventUnknown,),
        )
        rotate = replace(
            status,
            method="POST",
            path=f"{_PATH}/rotate",
            handler=self.rotate,
            summary="Give an event new keys",
            body=RotateRequest,
            answer=Rotated,
            keyed=True,
        )
        return [status, rotate]

    async def read(self, request: web.Request) -> web.Response:
        """Answer with how the keys stand."""
        return reply(await read_event_status(self._context, request[USER].tenant, _event(request)))

    async def rotate(self, request: web.Request) -> web.Response:
        """Replace an event's keys, once for each Idempotency-Key."""
        body = await read_body(request, RotateRequest)
        user, event, context = request[USER], _event(request), self._context
        call = name_call(user, f"rotate/{event}", request.headers.get("Idempotency-Key"), body)
        answer = await run_once(
            context.db,
            call,
            200,
            lambda tx: rotate_event_in(context, tx, event, at_once=body.mode is Mode.EMERGENCY),
        )
        return reply_once(answer)


def _event(request: web.Request) -> EventId:
    return EventId(read_id(request, "event"))
