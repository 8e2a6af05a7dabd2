"""Scans of gates that were taken out of service, over HTTP: handed in by the gate, looked at by the organiser."""

from __future__ import annotations

from aiohttp import web
from msgspec import Struct, msgpack

from server.api.exchange import read_id, reply
from server.api.gate_sync import MSGPACK
from server.api.problems import MediaTypeUnsupported
from server.api.routes import GATE, USER, Auth, Route
from server.domain.access import Scope
from server.domain.limits import LimitClass
from server.services.context import Context
from server.services.problems_gates import BatchUnusable, GateInService, GateUnknown, QuarantineFull
from server.services.quarantine import Kept, QuarantineView, keep_apart, list_kept_apart
from shared.ids import GateId
from shared.packed import unpack
from shared.problems import CodeMalformed
from shared.sync.scan import SignedBatch

_batches: msgpack.Decoder[SignedBatch] = msgpack.Decoder(SignedBatch)


class QuarantineList(Struct, frozen=True, kw_only=True):
    """What is kept apart of one gate."""

    items: list[QuarantineView]


class QuarantineApi:
    """What gates out of service and their organisers call."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Return the addresses."""
        return [
            Route(
                method="POST",
                path="/gate/v1/quarantine",
                handler=self.take,
                auth=Auth.GATE,
                even_revoked=True,
                limit=LimitClass.UPLOAD,
                summary="Hand in scans after being taken out of service (MessagePack)",
                body=bytes,
                takes=(MSGPACK,),
                answer=Kept,
                raises=(GateUnknown, GateInService, CodeMalformed, BatchUnusable, QuarantineFull),
            ),
            Route(
                method="GET",
                path="/api/v1/gates/{gate}/quarantine",
                handler=self.show,
                auth=Auth.USER,
                scope=Scope.GATES_MANAGE,
                summary="Scans of a gate that were kept apart",
                answer=QuarantineList,
                raises=(GateUnknown,),
            ),
        ]

    async def take(self, request: web.Request) -> web.Response:
        """Keep a batch and answer up to which record the log is kept."""
        if request.content_type != MSGPACK:
            raise MediaTypeUnsupported(f"Send the batch as {MSGPACK}.")
        signed = unpack(_batches, await request.read(), "This is not a batch of scans.")
        kept = await keep_apart(self._context, request[GATE], signed)
        return reply(kept, headers={"Cache-Control": "no-store"})

    async def show(self, request: web.Request) -> web.Response:
        """Answer with what is kept apart of one gate."""
        gate = GateId(read_id(request, "gate"))
        return reply(QuarantineList(items=await list_kept_apart(self._context, request[USER], gate)))
