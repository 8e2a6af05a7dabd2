"""Writes admission.json: the table of admission cases with every field spelt out, for implementations in any language."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import to_builtins

from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.ids import GateId, ScanId
from tests.unit.shared.samples import DOORS, NORTH, SOUTH, facts, passage, place, policy
from tests.vectors.admission_cases import ROWS, Row

TARGET = Path(__file__).with_name("admission.json")
GATES: dict[str, GateId] = {"north": NORTH, "south": SOUTH}


def make_vectors() -> dict[str, Any]:
    """Return the whole file's content."""
    return {
        "about": "decide(facts, fold(admissions), policy, place, now) -> verdict",
        "cases": [spell_out(row) for row in ROWS],
    }


def spell_out(row: Row) -> dict[str, Any]:
    """Return a case with all defaults filled in."""
    name, expected, said = row
    given = dict(said.get("facts", {}))
    for field in ("valid_from", "valid_until"):
        if field in given:
            given[field] = moment(given[field])
    where = dict(said.get("place", {}))
    where["gate"] = GATES[where.get("gate", "north")]
    rules = dict(said.get("policy", {}))
    rules["gate_limits"] = [{**limit, "gate": GATES[limit["gate"]]} for limit in rules.get("gate_limits", [])]
    rules["area_limits"] = [
        {**area, "gates": [GATES[gate] for gate in area["gates"]]} for area in rules.get("area_limits", [])
    ]
    if "bodies" in where:
        where["bodies"] = {GATES[gate]: bodies for gate, bodies in where["bodies"].items()}
    return {
        "name": name,
        "facts": to_builtins(facts(**given)),
        "admissions": to_builtins([admission(one, number) for number, one in enumerate(said.get("passages", []), 1)]),
        "policy": to_builtins(policy(**rules)),
        "place": to_builtins(place(**where)),
        "now": to_builtins(moment(said.get("minutes", 60))),
        "verdict": {"admitted": expected.startswith("+"), "reason": expected.removeprefix("+")},
    }


def moment(minutes: float) -> datetime:
    """Return a time counted from doors."""
    return DOORS + timedelta(milliseconds=round(minutes * 60_000))


def admission(said: tuple[str, str, float], number: int) -> Admission:
    """Return a passage counted from doors; an undo takes the one before it back."""
    direction, gate, minutes = said
    if direction == "undo":
        before = ScanId(UUID(int=number - 1))
        return passage(number, gate=GATES[gate], at_ms=unix_ms(moment(minutes)), undoes=before, override=True)
    way = Direction.ENTRY if direction == "in" else Direction.EXIT
    return passage(number, gate=GATES[gate], direction=way, at_ms=unix_ms(moment(minutes)))


def main() -> None:
    """Write the file."""
    TARGET.write_text(json.dumps(make_vectors(), indent=1, default=str) + "\n")
    sys.stdout.write(f"{TARGET}: {len(ROWS)} cases\n")


if __name__ == "__main__":
    main()
