"""Who may find a ticket by its number is for the gate's role to say, which its organiser gives it."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from shared.admission.override import OverrideReason
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.clock import ManualClock
from shared.codes.number import write_number
from shared.sync.command import Configure
from shared.sync.scan import Override
from tests.integration.gate.door import open_door
from tests.integration.gate.test_supervise import NOW, signed_in, venue

AGREED = OverrideReason.ORGANISER_AGREED


async def test_gates_role_says_who_finds_tickets_by_number(tmp_path: Path) -> None:
    door = await open_door(tmp_path, venue(), 5, ManualClock(NOW))
    number = write_number(door.venue.ticket(3).entry.handle_hash)
    order = Configure(name="Desk", direction=Direction.ENTRY, zones=0, products=(), role=GateRole.HELP_DESK)
    door.parts.post.reassign(order)
    found = await door.staff.peek(number)
    assert found.handle_hash is not None
    assert (await door.records())[-1].override == Override(supervisor="-", reason="searched")
    assert not (await door.staff.admit_found(found.handle_hash, AGREED)).done
    door.parts.post.reassign(replace(order, role=GateRole.UNATTENDED))
    await signed_in(door)
    before = len(await door.records())
    assert (await door.staff.peek(number)).handle_hash is None
    assert not (await door.staff.admit_found(found.handle_hash, AGREED)).done
    assert len(await door.records()) == before
    await door.close()
