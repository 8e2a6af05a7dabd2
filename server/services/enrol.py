"""How a gate comes to be and ceases: one-time codes, enrolment, revocation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct
from msgspec.structs import replace

from server.domain.access import GateCaller
from server.domain.enrolment import LIFETIME, SECRET_SIZE, EnrolmentCode, read_code, write_code
from server.domain.server_gate import is_server_gate
from server.services.broker_access import BrokerOffer, offer_account
from server.services.gate_access import find_gate
from server.services.gate_hosts import Host, Moment, replace_host, take_out_of_service
from server.services.keys import KeyVault, public_half
from server.services.ports import Database, Unit
from server.services.problems import EventUnknown
from server.services.problems_gates import (
    BrokerNotOffered,
    EnrolmentCodeExpired,
    EnrolmentCodeUnknown,
    EnrolmentCodeUsed,
    GateOutOfService,
    GateUnknown,
)
from server.services.rows import EventRow
from server.services.rows_gates import EnrolmentRow, GateRow
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId, RandomBytes, TenantId, uuid7
from shared.problems import CodeMalformed
from shared.sync.feed import GateEntry


class GateWish(Struct, frozen=True, kw_only=True):
    """What an organiser wants a gate to be; zones 0 and no products mean all of them."""

    event: EventId
    name: str
    direction: Direction = Direction.ENTRY
    zones: int = 0
    products: tuple[int, ...] = ()
    role: GateRole = GateRole.LANE


class IssuedCode(Struct, frozen=True, kw_only=True):
    """A code, shown once."""

    code: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Keep the code out of logs."""
        return f"IssuedCode(expires_at={self.expires_at})"


class Application(Struct, frozen=True, kw_only=True):
    """What a gate brings: the code, its public keys (raw, 32 bytes each), and a name if it wants its own."""

    code: str
    name: str | None
    sign_key: bytes
    seal_key: bytes
    software: str

    def __repr__(self) -> str:
        """Keep the code out of logs."""
        return f"Application(software={self.software})"


class Enrolled(Struct, frozen=True, kw_only=True):
    """A new gate, its event, and the key by which it knows its tenant."""

    gate: GateRow
    event: EventRow
    config_key: bytes
    access: bytes | None = None
    """Its account at the broker, sealed to it; None where gates have none."""


class Enrolment:
    """The use cases around gates and their codes."""

    def __init__(
        self, db: Database, vault: KeyVault, random_bytes: RandomBytes, offer: BrokerOffer | None = None
    ) -> None:
        self._db = db
        self._vault = vault
        self._random_bytes = random_bytes
        self._offer = offer

    async def issue_code(self, tenant: TenantId, wish: GateWish, now: datetime) -> IssuedCode:
        """Make a code that enrols one gate within fifteen minutes.

        Raises:
            EventUnknown: the tenant has no such event.
        """
        text = write_code(tenant, self._random_bytes(SECRET_SIZE))
        row = EnrolmentRow(
            code_hash=read_code(text).code_hash,
            event=wish.event,
            gate_name=wish.name,
            direction=wish.direction,
            zones=wish.zones,
            products=wish.products,
            role=wish.role,
            expires_at=now + LIFETIME,
        )
        async with self._db.tenant(tenant) as tx:
            await _find_event(tx, wish.event)
            await tx.gates.add_code(row)
        return IssuedCode(code=text, expires_at=row.expires_at)

    async def issue_replacement(self, tenant: TenantId, gate_id: GateId, now: datetime) -> IssuedCode:
        """Make a code with which another machine takes a gate's place within fifteen minutes.

        Raises:
            GateUnknown: the tenant has no such gate.
            GateOutOfService: it was revoked.
        """
        text = write_code(tenant, self._random_bytes(SECRET_SIZE))
        async with self._db.tenant(tenant) as tx:
            gate = await tx.gates.get(gate_id)
            if gate is None or is_server_gate(gate_id, gate.event):
                raise GateUnknown("There is no such gate.")
            if gate.revoked_at is not None:
                raise GateOutOfService("This gate was taken out of service: enrol a new one.")
            row = EnrolmentRow(
                code_hash=read_code(text).code_hash,
                event=gate.event,
                gate_name=gate.name,
                direction=gate.direction,
                zones=gate.zones,
                products=gate.products,
                role=gate.role,
                expires_at=now + LIFETIME,
                for_gate=gate_id,
            )
            await tx.gates.add_code(row)
        return IssuedCode(code=text, expires_at=row.expires_at)

    async def enrol(self, application: Application, now: datetime) -> Enrolled:
        """Turn a code into a gate, once; a gate that missed the answer may ask again with the same keys.

        Raises:
            EnrolmentCodeUnknown, EnrolmentCodeUsed, EnrolmentCodeExpired: the code does not count (any more).
            CodeMalformed: a public key is not one.
        """
        _check_keys(application)
        code = _read(application.code)
        gate_id = GateId(uuid7(now, self._random_bytes))
        async with self._db.tenant(code.tenant) as tx:
            taken = await tx.gates.take_code(code.code_hash, gate_id, now)
            if taken is None:
                gate = await _find_repeated(tx, code, application, now)
            elif taken.for_gate is not None:
                gate = await self._replace(tx, taken.for_gate, application, now)
            else:
                event = await _find_event(tx, taken.event)
                gate = replace(_make_gate(code.tenant, gate_id, taken, application, now), config=event.config)
                await tx.gates.add(gate)
                await tx.outbox.append(gate.event, [GateEntry(seq=0, gate=gate.id, name=gate.name)])
            event = await _find_event(tx, gate.event)
            config_key = public_half(await self._vault.config_key(tx, gate.config))
            access = None
            if self._offer is not None:
                access = await offer_account(tx, self._offer, gate, self._random_bytes)
        return Enrolled(gate=gate, event=event, config_key=config_key, access=access)

    async def _replace(self, tx: Unit, gate: GateId, application: Application, now: datetime) -> GateRow:
        host = Host(sign_key=application.sign_key, seal_key=application.seal_key, software=application.software)
        return await replace_host(tx, self._vault, gate, host, Moment(now=now, random_bytes=self._random_bytes))

    async def renew_access(self, caller: GateCaller) -> bytes:
        """Return a new account at the broker for a gate in service, sealed to it; an older password ends.

        Raises:
            BrokerNotOffered: gates have none here.
            GateUnknown, GateRevoked: the gate may not act.
        """
        if self._offer is None:
            raise BrokerNotOffered("This server's gates use no broker: keep to the WebSocket.")
        async with self._db.tenant(caller.tenant) as tx:
            gate = await find_gate(tx, caller.gate)
            return await offer_account(tx, self._offer, gate, self._random_bytes)

    async def revoke(self, tenant: TenantId, gate_id: GateId, now: datetime) -> GateRow:
        """Take a gate out of service for good and tell the others; safe to repeat.

        From the next epoch on, codes are made with keys this gate never had; those made before go on counting.

        Raises:
            GateUnknown: the tenant has no such gate.
        """
        async with self._db.tenant(tenant) as tx:
            return await take_out_of_service(tx, self._vault, gate_id, now)

    async def list_gates(self, tenant: TenantId, event: EventId) -> Sequence[GateRow]:
        """Return an event's gates.

        Raises:
            EventUnknown: the tenant has no such event.
        """
        async with self._db.tenant(tenant) as tx:
            await _find_event(tx, event)
            return await tx.gates.of_event(event)


async def _find_event(tx: Unit, event_id: EventId) -> EventRow:
    event = await tx.events.get(event_id)
    if event is None:
        raise EventUnknown("There is no such event.")
    return event


def _read(text: str) -> EnrolmentCode:
    try:
        return read_code(text)
    except CodeMalformed as exc:
        raise EnrolmentCodeUnknown(str(exc)) from exc


async def _find_repeated(tx: Unit, code: EnrolmentCode, application: Application, now: datetime) -> GateRow:
    """Return the gate in service that was made with this code and these keys, or raise why the code does not count."""
    known = await tx.gates.get_code(code.code_hash)
    if known is None:
        raise EnrolmentCodeUnknown("This enrolment code is not known: check it, or ask the organiser for a new one.")
    if known.expires_at <= now:
        raise EnrolmentCodeExpired("This enrolment code is too old: ask the organiser for a new one.")
    gate = None if known.gate is None else await tx.gates.get(known.gate)
    keys = (application.sign_key, application.seal_key)
    if gate is None or gate.revoked_at is not None or (gate.sign_public, gate.seal_public) != keys:
        raise EnrolmentCodeUsed("A gate was enrolled with this code already: ask the organiser for a new one.")
    return gate


def _check_keys(application: Application) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(application.sign_key)
        X25519PublicKey.from_public_bytes(application.seal_key)
    except ValueError as exc:
        raise CodeMalformed("A gate's public keys are 32 bytes each (Ed25519 and X25519).") from exc


def _make_gate(
    tenant: TenantId, gate_id: GateId, code: EnrolmentRow, application: Application, now: datetime
) -> GateRow:
    return GateRow(
        tenant=tenant,
        id=gate_id,
        event=code.event,
        name=application.name or code.gate_name,
        direction=code.direction,
        zones=code.zones,
        products=code.products,
        role=code.role,
        sign_public=application.sign_key,
        seal_public=application.seal_key,
        software=application.software,
        enrolled_at=now,
    )
