"""Finding a gate that may still act."""

from __future__ import annotations

from server.services.ports import Unit
from server.services.problems_gates import GateRevoked, GateUnknown
from server.services.rows_gates import GateRow
from shared.ids import GateId


async def find_gate(tx: Unit, gate_id: GateId) -> GateRow:
    """Return a gate in service.

    Raises:
        GateUnknown: the tenant has no such gate.
        GateRevoked: it was taken out of service.
    """
    gate = await tx.gates.get(gate_id)
    if gate is None:
        raise GateUnknown("There is no such gate.")
    check_in_service(gate)
    return gate


def check_in_service(gate: GateRow) -> None:
    """Return if the gate was not taken out of service.

    Raises:
        GateRevoked: it was.
    """
    if gate.revoked_at is not None:
        raise GateRevoked("This gate was taken out of service by the organiser.")
