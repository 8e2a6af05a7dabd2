"""A machine's battery as Linux tells it; what is no battery of the machine, or says nothing, does not count."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.gauge import Gauge, read_battery

BATTERY = {"type": "Battery", "capacity": "81"}
CASES: dict[str, tuple[list[dict[str, str]], int | None]] = {
    "none": ([], None),
    "mains alone": ([{"type": "Mains", "online": "1"}], None),
    "one battery": ([{"type": "Mains"}, BATTERY], 81),
    "the emptier of two": ([BATTERY, {"type": "Battery", "capacity": "7"}], 7),
    "a mouse": ([{"type": "Battery", "scope": "Device", "capacity": "3"}], None),
    "nonsense": ([{"type": "Battery", "capacity": "much"}], None),
    "fuller than full": ([{"type": "Battery", "capacity": "104"}], 100),
    "no level": ([{"type": "Battery"}], None),
}


@pytest.mark.parametrize("case", CASES)
def test_battery_is_read(tmp_path: Path, case: str) -> None:
    supplies, wanted = CASES[case]
    for number, files in enumerate(supplies):
        supply = tmp_path / f"S{number}"
        supply.mkdir()
        for name, text in files.items():
            (supply / name).write_text(text + "\n")
    assert read_battery(tmp_path) == wanted


def test_machine_without_such_a_folder_has_no_battery(tmp_path: Path) -> None:
    assert read_battery(tmp_path / "nowhere") is None


async def test_gauge_without_a_gate_says_nothing() -> None:
    assert await Gauge().read() is None
