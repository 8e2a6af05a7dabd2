"""What the gate's knowledge asks of the copy on its disk and of its link."""

from __future__ import annotations

from typing import Protocol

from gate.ports import KnownGate, WorldState
from gate.tally import CountedWorld
from shared.admission.policy import Policy
from shared.admission.presence import Admission
from shared.codes.bundle import SealedBundle
from shared.sync.scan import Mode


class KnownWorld(CountedWorld, Protocol):
    """The copy of the event, as this module reads it."""

    async def state(self) -> WorldState:
        """Return how far the copy has got."""
        ...

    async def bundle(self) -> SealedBundle | None:
        """Return the sealed key bundle, or None before the first."""
        ...

    async def keep_bundle(self, version: int, bundle: SealedBundle) -> None:
        """Keep a sealed key bundle unless a later version is there."""
        ...

    async def policy(self) -> Policy | None:
        """Return the policy the feed told last, or None before the first."""
        ...

    async def gates(self) -> list[KnownGate]:
        """Return the gates of the event."""
        ...

    async def count_tickets(self) -> int:
        """Return the number of tickets in the copy."""
        ...

    def take_news(self) -> list[Admission]:
        """Return the admissions applied since the last call that this copy did not hold before."""
        ...

    async def highest_hlc(self) -> int:
        """Return the latest stamp of any gate, 0 before the first."""
        ...


class Quality(Protocol):
    """How the gate stands to the server."""

    @property
    def mode(self) -> Mode:
        """Online or offline."""
        ...
