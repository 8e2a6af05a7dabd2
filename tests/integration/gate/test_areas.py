"""An area behind several gates is full for all of them, and for no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from shared.admission.policy import AreaLimit
from shared.admission.verdict import Direction, Reason
from shared.clock import ManualClock, unix_ms
from shared.sync.feed import PolicyEntry
from tests.integration.gate.door import open_door
from tests.integration.gate.venue import NORTH, SOUTH, Venue, passage

NOW = datetime(2026, 6, 20, 19, 30, tzinfo=UTC)


async def test_area_behind_two_gates_is_full_for_both_until_somebody_leaves(tmp_path: Path) -> None:
    door = await open_door(tmp_path, Venue(NOW), 5, ManualClock(NOW))
    area = AreaLimit(gates=(NORTH, SOUTH), capacity=2)
    policy = structs.replace(door.venue.policy, version=2, exits=True, area_limits=(area,))
    entered = passage(door.venue.ticket(2), gate=SOUTH, at_ms=unix_ms(NOW) - 60_000, seq=9)
    await door.learn(PolicyEntry(seq=8, policy=policy), entered)
    first = await door.show_ticket(1)
    door.knowledge.note_scan(first.gate_seq or 0, first.at, admitted=True)
    assert (first.verdict.reason, door.knowledge.standing().bodies) == (Reason.OK, {NORTH: 1, SOUTH: 1})
    assert (await door.show_ticket(3)).verdict.reason is Reason.CAPACITY_FULL
    left = passage(door.venue.ticket(2), gate=SOUTH, at_ms=unix_ms(NOW), seq=10, number=2)
    await door.learn(structs.replace(left, admission=structs.replace(left.admission, direction=Direction.EXIT)))
    assert (await door.show_ticket(3)).verdict.reason is Reason.OK
    elsewhere = structs.replace(policy, version=3, area_limits=(AreaLimit(gates=(SOUTH,), capacity=0),))
    await door.learn(PolicyEntry(seq=11, policy=elsewhere))
    assert (await door.show_ticket(4)).verdict.reason is Reason.OK
    await door.close()
