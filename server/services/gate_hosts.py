"""Which machine is a gate: another one takes its place, or none does any more."""

from __future__ import annotations

from datetime import datetime

import structlog
from msgspec import Struct
from msgspec.structs import replace

from server.domain.server_gate import is_server_gate
from server.services.key_rotation import renew_future
from server.services.keys import KeyVault
from server.services.ports import Unit
from server.services.problems_gates import GateOutOfService, GateUnknown
from server.services.rows_fleet import CommandRow
from server.services.rows_gates import GateRow
from shared.ids import CommandId, GateId, RandomBytes, uuid7
from shared.sync.command import CommandKind, Hold, pack_order
from shared.sync.feed import GateEntry

_BY_ITSELF = "enrolment"

log = structlog.get_logger()


class Host(Struct, frozen=True, kw_only=True):
    """A machine that is to be a gate: its public keys (raw, 32 bytes each) and what it runs."""

    sign_key: bytes
    seal_key: bytes
    software: str


class Moment(Struct, frozen=True, kw_only=True):
    """When something happens, and where unpredictable bytes come from then."""

    now: datetime
    random_bytes: RandomBytes


async def replace_host(tx: Unit, vault: KeyVault, gate_id: GateId, host: Host, at: Moment) -> GateRow:
    """Have another machine be a gate: same id, name and history, other keys, and a log of its own.

    The older machine's links end, its word counts no more, and from the next epoch on codes are made with keys it never had.
    What was ordered of it is settled as superseded; a hold goes on.

    Raises:
        GateUnknown: the tenant has no such gate.
        GateOutOfService: it was revoked.
    """
    now = at.now
    before = await tx.gates.get(gate_id)
    # the event first: whoever makes a bundle takes the two in this order
    event = None if before is None else await tx.events.lock(before.event)
    gate = await tx.gates.lock(gate_id)
    if gate is None or event is None:
        raise GateUnknown("There is no such gate.")
    if gate.revoked_at is not None:
        raise GateOutOfService("This gate was taken out of service: enrol a new one.")
    await renew_future(tx, vault, event, now)
    await tx.commands.supersede(gate_id, now)
    present = replace(
        gate,
        sign_public=host.sign_key,
        seal_public=host.seal_key,
        software=host.software,
        enrolled_at=now,
        config=event.config,
    )
    await tx.gates.replace_host(present)
    if gate.held_reason is not None:
        await _hold_again(tx, gate, gate.held_reason, CommandId(uuid7(now, at.random_bytes)), now)
    log.info("gate.host_replaced", gate=str(gate_id))
    return present


async def take_out_of_service(tx: Unit, vault: KeyVault, gate_id: GateId, now: datetime) -> GateRow:
    """Revoke a gate for good and tell the others; safe to repeat.

    Raises:
        GateUnknown: the tenant has no such gate.
    """
    gate = await tx.gates.get(gate_id)
    # the event first: whoever makes a bundle takes the two in this order
    event = None if gate is None else await tx.events.lock(gate.event)
    if gate is None or event is None or is_server_gate(gate_id, gate.event):
        raise GateUnknown("There is no such gate.")
    if await tx.gates.revoke(gate_id, now):
        await renew_future(tx, vault, event, now)
        await tx.commands.supersede(gate_id, now)
        await tx.outbox.append(gate.event, [GateEntry(seq=0, gate=gate.id, name=gate.name, revoked=True)])
    # as it is now, also if somebody else was quicker
    return await tx.gates.get(gate_id) or gate


async def _hold_again(tx: Unit, gate: GateRow, reason: str, command: CommandId, now: datetime) -> None:
    await tx.commands.add(
        CommandRow(
            gate=gate.id,
            number=await tx.commands.next_number(gate.id),
            id=command,
            kind=CommandKind.HOLD,
            body=pack_order(Hold(reason=reason)),
            created_by=_BY_ITSELF,
            created_at=now,
        )
    )
