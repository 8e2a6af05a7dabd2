"""What the scan path works with at a moment: keys, policy, and how the gate stands to the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from shared.admission.policy import Policy
from shared.codes.reader import CodeReader
from shared.ids import EventId, GateId
from shared.sync.scan import Mode


class Briefing(Struct, frozen=True, kw_only=True, eq=False):
    """Replaced as a whole whenever keys, policy or gates change.

    ``keys_until`` is when the last known epoch ends, None without any key; ``revoked`` means that this gate may admit
    nobody any more.
    """

    event: EventId
    event_name: str
    reader: CodeReader
    policy: Policy
    gates: Mapping[GateId, str]
    keys_until: datetime | None
    revoked: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """How the gate stands at the moment of a scan.

    ``inside`` is how many people are known to be inside, ``behind`` how many of them this gate let in and has not let out,
    ``bodies`` entries minus exits of each gate;
    ``data_age_s`` is how long ago the server confirmed that nothing is missing, None before the first time.
    """

    mode: Mode
    feed_seq: int
    inside: int
    remote_hlc: int
    behind: int = 0
    bodies: Mapping[GateId, int] | None = None
    data_age_s: float | None = None


class Surroundings(Protocol):
    """Whoever knows the present briefing and standing."""

    @property
    def briefing(self) -> Briefing:
        """Return keys, policy and gates."""
        ...

    def standing(self) -> Standing:
        """Return mode, feed position, people inside and the latest stamp heard of."""
        ...
