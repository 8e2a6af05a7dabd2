"""What is nearly full is said before it is full, for the house, a gate and an area, and nobody may be where the limit is nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.domain.gate_health import Condition
from server.services.live_figures import warn
from server.services.live_views import GateNow, House
from server.services.rows import EventState
from shared.admission.policy import AreaLimit, GateLimit, Policy, Window
from shared.admission.verdict import Direction
from shared.ids import GateId

NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)
NORTH, SOUTH = GateId(UUID(int=1)), GateId(UUID(int=2))
POLICY = Policy(version=1, window=Window(doors=NOW, starts=NOW, ends=NOW + timedelta(hours=5)))


def gate(gate_id: GateId, name: str, entries: int, exits: int = 0) -> GateNow:
    """Return a gate through which so many passed."""
    return GateNow(
        id=gate_id,
        name=name,
        direction=Direction.ENTRY,
        condition=Condition.FINE,
        troubles=[],
        seen_at=NOW,
        mode=None,
        backlog=0,
        behind=0,
        clock_off_ms=0,
        keys_current=True,
        keys_until=None,
        camera=True,
        held=None,
        software="",
        scans_per_minute=0.0,
        entries=entries,
        exits=exits,
        refused=0,
        last_scan_at=None,
    )


def house(inside: int, capacity: int | None) -> House:
    """Return a house with so many inside."""
    return House(
        name="Hall",
        status=EventState.OPEN,
        doors_at=NOW,
        starts_at=NOW,
        ends_at=NOW,
        expected=0,
        arrived=0,
        remaining=0,
        inside=inside,
        entries=inside,
        exits=0,
        refused=0,
        capacity=capacity,
    )


@pytest.mark.parametrize(
    ("inside", "capacity", "code"),
    [(89, 100, None), (90, 100, "house_nearly_full"), (100, 100, "house_full"), (0, 0, "house_full"), (9, None, None)],
)
def test_house_is_told_of_before_it_is_full(inside: int, capacity: int | None, code: str | None) -> None:
    found = [one.code for one in warn(POLICY, house(inside, capacity), [])]
    assert found == ([] if code is None else [code])


def test_gates_and_areas_are_told_of_by_the_people_behind_them() -> None:
    area = AreaLimit(gates=(NORTH, SOUTH), capacity=100)
    closed = GateLimit(gate=SOUTH, capacity=0)
    policy = replace(POLICY, area_limits=(area,), gate_limits=(closed,))
    gates = [gate(NORTH, "North", entries=70, exits=5), gate(SOUTH, "South", entries=27)]
    told = [(one.code, one.subject, one.figure, one.limit) for one in warn(policy, house(0, None), gates)]
    assert told == [("gate_full", "South", 27, 0), ("area_nearly_full", "North, South", 92, 100)]
    nobody = replace(policy, gate_limits=(), area_limits=(replace(area, capacity=0),))
    assert [one.code for one in warn(nobody, house(0, None), [gate(NORTH, "North", entries=0)])] == ["area_full"]
