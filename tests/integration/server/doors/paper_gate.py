"""A gate of paper: it decides nothing, and keeps and signs its log exactly as a real one does."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Protocol
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from server.db.pool import PgDatabase
from server.domain.access import GateCaller
from server.services.enrol import Application, Enrolled
from server.services.ingest import Receipt, take_batch
from server.services.keys import KeyVault
from server.services.rows import TicketRow
from server.services.rows_gates import GateRow
from shared.admission.verdict import Reason
from shared.clock import ManualClock, unix_ms
from shared.codes.reader import Proof
from shared.ids import EventId, GateId, IncarnationId, ScanId
from shared.sync.hlc import tick
from shared.sync.scan import (
    GENESIS,
    Mode,
    Override,
    ScanBatch,
    ScanRecord,
    SignedBatch,
    encode_record,
    extend_chain,
    sign_batch,
)

OVERRIDE = Override(supervisor="s1", reason="regular guest")


class Place(Protocol):
    """Where a gate stands: what it needs of the stage."""

    @property
    def db(self) -> PgDatabase: ...
    @property
    def vault(self) -> KeyVault: ...
    @property
    def clock(self) -> ManualClock: ...
    @property
    def event(self) -> EventId: ...

    async def handle_hash(self, ticket: TicketRow) -> bytes:
        """Return the hash by which gates know a ticket's present generation."""
        ...

    async def prove(self, ticket: TicketRow, at: datetime) -> Proof:
        """Return what a phone with this ticket shows at a moment."""
        ...


class PaperGate:
    """A gate that only keeps a log: what it is told to have decided, it writes down and signs."""

    def __init__(self, place: Place, enrolled: Enrolled, sign: Ed25519PrivateKey, seal: X25519PrivateKey) -> None:
        self.place = place
        self.enrolled = enrolled
        self.row: GateRow = enrolled.gate
        self.config_key = enrolled.config_key
        self.sign = sign
        self.seal = seal
        self.incarnation = IncarnationId(uuid4())
        self.bodies: list[bytes] = []
        self.chain = [GENESIS]
        self._hlc = 0

    @property
    def id(self) -> GateId:
        """The gate's id."""
        return self.row.id

    @property
    def config(self) -> Ed25519PublicKey:
        """The organiser's key it was enrolled with."""
        return Ed25519PublicKey.from_public_bytes(self.config_key)

    @property
    def caller(self) -> GateCaller:
        """The gate as a caller that has proved itself."""
        return GateCaller(tenant=self.row.tenant, gate=self.row.id)

    async def scan(self, ticket: TicketRow, **changes: object) -> ScanRecord:
        """Write down that a ticket's live code was seen and let in just now; ``changes`` alter the record."""
        now = self.place.clock.now()
        record = await self.draft(ticket, now)
        if "at" in changes:
            at = changes.pop("at")
            assert isinstance(at, datetime)
            record = await self.draft(ticket, at)
        return self.write(replace(record, **changes))

    async def draft(self, ticket: TicketRow, at: datetime) -> ScanRecord:
        """Return an admission's record, not written yet."""
        self._hlc = tick(self._hlc, unix_ms(at))
        return ScanRecord(
            scan=ScanId(uuid4()),
            gate_seq=len(self.bodies) + 1,
            hlc=self._hlc,
            at_ms=unix_ms(at),
            unsure_ms=50,
            event=self.place.event,
            handle_hash=await self.place.handle_hash(ticket),
            code_hash=os.urandom(8),
            direction=self.row.direction,
            admitted=True,
            reason=Reason.OK,
            mode=Mode.OFFLINE,
            feed_seq=0,
            policy_version=1,
            proof=await self.place.prove(ticket, at),
        )

    def write(self, record: ScanRecord) -> ScanRecord:
        """Append a record to the log."""
        self.write_bytes(encode_record(record))
        return record

    def write_bytes(self, body: bytes) -> None:
        """Append any bytes to the log."""
        self.bodies.append(body)
        self.chain.append(extend_chain(self.chain[-1], body))

    def batch(self, first: int = 1, last: int | None = None) -> SignedBatch:
        """Return a signed part of the log."""
        batch = ScanBatch(
            gate=self.id,
            incarnation=self.incarnation,
            first_seq=first,
            previous=self.chain[first - 1],
            records=self.bodies[first - 1 : last],
        )
        return sign_batch(batch, self.sign)

    async def hand_over(self, first: int = 1, last: int | None = None) -> Receipt:
        """Give the server a part of the log."""
        place = self.place
        return await take_batch(place.db, place.vault, self.caller, self.batch(first, last), place.clock.now())


def application(code: str, sign: Ed25519PrivateKey, seal: X25519PrivateKey) -> Application:
    """Return what a gate with these keys sends to enrol."""
    return Application(
        code=code,
        name=None,
        sign_key=sign.public_key().public_bytes_raw(),
        seal_key=seal.public_key().public_bytes_raw(),
        software="test 1",
    )
