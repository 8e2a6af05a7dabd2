"""How this gate is, for its heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gate.outcome import GateStatus
from shared.clock import unix_ms
from shared.sync.wire import Vitals

POWER = Path("/sys/class/power_supply")
_FULL = 100


class Gauge:
    """Reads the gate's condition and the machine's battery."""

    def __init__(self, power: Path = POWER) -> None:
        self._status: Callable[[], GateStatus] | None = None
        self._power = power

    def follow(self, status: Callable[[], GateStatus]) -> None:
        """Take the gate's condition from here on."""
        self._status = status

    async def read(self) -> Vitals | None:
        """Return how the gate is now; None while nobody can say."""
        if self._status is None:
            return None
        status = self._status()
        offset_s = status.clock_offset_s
        return Vitals(
            mode=status.mode,
            clock_offset_ms=None if offset_s is None else round(offset_s * 1000),
            keys_until_ms=None if status.keys_until is None else unix_ms(status.keys_until),
            battery=await asyncio.to_thread(read_battery, self._power),
            camera=status.camera_alive,
            held=status.held is not None,
        )


def read_battery(power: Path) -> int | None:
    """Return how full the emptiest battery of this machine is, in percent; None where there is none.

    Source: Linux, Documentation/ABI/testing/sysfs-class-power: ``type`` is Battery, ``capacity`` 0 to 100, ``scope`` Device for
    batteries of mice and the like.
    """
    try:
        supplies = sorted(power.iterdir())
    except OSError:
        return None
    found = [level for supply in supplies if (level := _read_level(supply)) is not None]
    return min(found, default=None)


def _read_level(supply: Path) -> int | None:
    if _read(supply / "type") != "Battery" or _read(supply / "scope") == "Device":
        return None
    text = _read(supply / "capacity")
    return min(int(text), _FULL) if text.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
