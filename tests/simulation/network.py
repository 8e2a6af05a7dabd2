"""A network that loses, delays, repeats and reorders what it carries, and is cut in parts, as one seed says."""

from __future__ import annotations

from collections.abc import Callable, Collection
from random import Random

from tests.simulation.timeline import Happening, Timeline

_USUAL_MS = 20


Cables = Callable[[Collection[int]], None]
"""What is done to the cables of some gates."""


def leave(_: Collection[int]) -> None:
    """Do nothing to them."""


class Network:
    """Carries messages between gates and the server; ``stormy`` switches the faults on."""

    def __init__(self, timeline: Timeline, rng: Random) -> None:
        self._timeline = timeline
        self._rng = rng
        self.cut: set[int] = set()
        self.stormy = False
        self.lost = 0
        self.repeated = 0
        self._on_part: Cables = leave
        self._on_mend: Cables = leave

    def watch(self, on_part: Cables, on_mend: Cables) -> None:
        """Have somebody cut and mend the real cables of those gates to which nothing is carried, or is again."""
        self._on_part, self._on_mend = on_part, on_mend

    def part(self, gates: Collection[int]) -> None:
        """Carry nothing from and to some gates."""
        self.cut.update(gates)
        self._on_part(gates)

    def mend(self, gates: Collection[int]) -> None:
        """Carry again."""
        self.cut.difference_update(gates)
        self._on_mend(gates)

    def carry(self, gate: int, deliver: Happening) -> None:
        """Bring a message from or to a gate, or lose it, or bring it twice, sooner or later."""
        if gate in self.cut:
            self.lost += 1
            return
        if not self.stormy:
            self._timeline.after(_USUAL_MS, deliver)
            return
        fate = self._rng.random()
        if fate < 0.02:
            self.lost += 1
            return
        self._bring(gate, deliver)
        if fate > 0.96:
            self.repeated += 1
            self._bring(gate, deliver)

    def _bring(self, gate: int, deliver: Happening) -> None:
        slow = self._rng.random() < 0.1
        delay_ms = self._rng.randrange(500, 8000) if slow else self._rng.randrange(5, 150)

        async def arrive() -> None:
            # What is under way when a cable is cut never comes.
            if gate not in self.cut:
                await deliver()

        self._timeline.after(delay_ms, arrive)


class Wire:
    """One connection between a gate and the server, as both ends know it."""

    def __init__(self, gate: int) -> None:
        self.gate = gate
        self.open = True
