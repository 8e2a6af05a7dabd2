"""What the rest of the gate is told after each scan and about its own condition; screens and printers know only this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.orders import StaffNotice
from gate.ports import RecordKind
from gate.staff import Staff
from shared.admission.policy import GateRole, Policy
from shared.admission.verdict import Direction, Reason, Verdict
from shared.codes.keys import Holder
from shared.ids import CommandId, GateId, ScanId
from shared.sync.scan import Mode

LOGIN_PAGE = "not_our_server"
"""The hindrance that means that something else than the server answers at its address."""


class Took(Struct, frozen=True, kw_only=True):
    """Where a verdict's time went, in milliseconds; ``total`` is from the frame's arrival to the durable record."""

    decode: float
    verify: float
    rule: float
    commit: float
    total: float


class Outcome(Struct, frozen=True, kw_only=True):
    """One decided and durably recorded scan.

    ``scan`` and ``gate_seq`` are None for a double read, which repeats an answer and is not recorded again. ``code_id`` is
    the scanned text's short hash in hexadecimal. ``holder`` is there when the code opened its sealed data. ``override`` is
    the reason a supervisor gave, and ``supervisor`` what that person is called, where one decided. ``fault`` is the code of what
    kept the scan from being written down; nobody passes then.
    """

    scan: ScanId | None
    gate_seq: int | None
    at: datetime
    verdict: Verdict
    code_id: str
    mode: Mode
    took: Took
    holder: Holder | None = None
    prior_gate: str | None = None
    skew_s: int | None = None
    override: str | None = None
    supervisor: str | None = None
    fault: str | None = None

    @property
    def admitted(self) -> bool:
        """Whether somebody passes."""
        return self.verdict.admitted

    @property
    def kind(self) -> RecordKind:
        """What it is: an answered scan, an admission taken back, or what else a supervisor did."""
        if self.verdict.reason is Reason.UNDONE:
            return RecordKind.UNDO
        return RecordKind.STAFF if self.verdict.reason is Reason.STAFF_ACTION else RecordKind.SCAN


class Counts(Struct, frozen=True, kw_only=True):
    """What this gate did since it was enrolled; ``per_minute`` is the mean over the last five minutes."""

    admitted: int = 0
    exited: int = 0
    refused: int = 0
    per_minute: float = 0.0


class GateStatus(Struct, frozen=True, kw_only=True):
    """The gate's condition, for the badge that is always on screen.

    ``data_age_s`` is the time since the server last confirmed that this gate knows everything; ``backlog`` counts records
    not yet acknowledged; ``keys_until`` is when the last known epoch ends; ``clock_offset_s`` is this gate's clock minus
    the server's. ``way`` is how it is linked (``broker``, ``websocket``), ``hindrance`` the code of what keeps it from
    linking: ``not_our_server`` means that a login page of the network answers in the server's place. ``held`` says why the
    organiser has no codes looked at here, ``notices`` what the staff should read. ``revoked``: it may admit nobody for good.
    """

    gate_name: str
    event_name: str
    mode: Mode
    linked: bool
    data_age_s: float | None
    backlog: int
    keys_until: datetime | None
    clock_offset_s: float | None
    camera_alive: bool
    camera_fps: float
    tickets: int
    counts: Counts
    inside: int = 0
    way: str | None = None
    hindrance: str | None = None
    held: str | None = None
    notices: tuple[StaffNotice, ...] = ()
    revoked: bool = False


class AreaHere(Struct, frozen=True, kw_only=True):
    """An area this gate leads to, with a limit: which gates lead there, how many people are in it and how many may be."""

    gates: tuple[str, ...]
    inside: int
    capacity: int


class GateInfo(Struct, frozen=True, kw_only=True):
    """What the gate is and knows, for the pages that are looked at now and then.

    ``policy`` is None before the first; ``behind`` is how many people this gate let in and has not let out;
    ``unsure_ms`` is within how much its clock is right; ``areas`` are those with a limit that this gate leads to.
    """

    gate: GateId
    server: str
    software: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    policy: Policy | None
    inside: int
    behind: int
    feed_seq: int
    logged: int
    acked: int
    bundle_version: int
    unsure_ms: int
    areas: tuple[AreaHere, ...] = ()
    role: GateRole = GateRole.LANE


class GateView(Protocol):
    """What a screen may ask of a running gate and tell it."""

    @property
    def staff(self) -> Staff:
        """What people may do here besides scanning."""
        ...

    def info(self) -> GateInfo:
        """Return what the gate is and knows; cheap enough to call once a second."""
        ...

    def watch_codes(self, take: Callable[[str], None] | None) -> None:
        """Give the codes that sources read to somebody who only looks at them; None lets them be decided again."""
        ...

    def outcomes(self) -> AsyncIterator[Outcome]:
        """Yield every outcome from now on; ends when the gate stops."""
        ...

    def status(self) -> GateStatus:
        """Return the present condition; cheap enough to call several times a second."""
        ...

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """Return the newest camera picture as height x width x 3 (RGB), or None when there is none."""
        ...

    async def submit(self, text: str) -> None:
        """Decide on a code that was typed or read by a hand scanner."""
        ...

    async def confirm_notice(self, notice: CommandId) -> None:
        """Note that somebody has read a notice, or raise a TicketTokenError."""
        ...
