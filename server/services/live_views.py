"""What is shown of an event while its doors are open, part by part; every part is whole in itself."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.domain.gate_health import Condition, Trouble
from server.services.rows import EventState
from shared.admission.verdict import Direction
from shared.ids import ConflictId, GateId, TicketId
from shared.sync.ledger import ConflictClass, Severity
from shared.sync.scan import Mode

MOST_GATES = 60
"""Gates that are told live; lists of more are read in pages."""


class House(Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole event. ``expected`` tickets may come, ``arrived`` of them did, ``remaining`` did not yet.

    ``inside`` counts people: entries minus exits. ``capacity`` is None where nobody set one.
    """

    name: str
    status: EventState
    doors_at: datetime
    starts_at: datetime
    ends_at: datetime
    expected: int
    arrived: int
    remaining: int
    inside: int
    entries: int
    exits: int
    refused: int
    capacity: int | None


class ForecastView(Struct, frozen=True, kw_only=True, rename="camel"):
    """When the crowd is thickest, how thick, when 95 % of all who will come are in, and how many that will be."""

    peak_at: datetime
    peak_per_minute: float
    ends_at: datetime
    total: int
    is_over: bool


class Arrivals(Struct, frozen=True, kw_only=True, rename="camel"):
    """Entries by minute, the first one's beginning at ``begins_at``, the present one last; a day at most."""

    begins_at: datetime | None
    per_minute: list[int]
    last_five: float
    """The mean of the last five whole minutes."""
    forecast: ForecastView | None


class Crowd(Struct, frozen=True, kw_only=True, rename="camel"):
    """The tickets of one type, or of all types that may enter one zone; ``key`` is the type's id or the zone's bit."""

    key: str
    name: str
    expected: int
    arrived: int
    inside: int


class Crowds(Struct, frozen=True, kw_only=True, rename="camel"):
    """The house by ticket type and by zone."""

    types: list[Crowd]
    zones: list[Crowd]


class Refusal(Struct, frozen=True, kw_only=True, rename="camel"):
    """How often people were refused for one reason."""

    reason: str
    count: int


class GateNow(Struct, frozen=True, kw_only=True, rename="camel"):
    """A gate as it stands: how it is doing, what it said last, and what passed through it.

    ``behind`` counts changes it has not heard of, ``clockOffMs`` is its clock minus the server's, ``held`` why it is to let nobody
    in. What it does not say is None.
    """

    id: GateId
    name: str
    direction: Direction
    condition: Condition
    troubles: list[Trouble]
    seen_at: datetime | None
    mode: Mode | None
    backlog: int | None
    behind: int | None
    clock_off_ms: int | None
    keys_current: bool | None
    keys_until: datetime | None
    camera: bool | None
    held: str | None
    software: str
    scans_per_minute: float | None
    entries: int
    exits: int
    refused: int
    last_scan_at: datetime | None


class Gates(Struct, frozen=True, kw_only=True, rename="camel"):
    """The gates: how many, how many of each condition, and those that need a look first, 60 at most."""

    total: int
    by_condition: dict[str, int]
    shown: list[GateNow]


class OpenConflict(Struct, frozen=True, kw_only=True, rename="camel"):
    """A conflict nobody has settled."""

    id: ConflictId
    ticket_id: TicketId
    kind: ConflictClass
    severity: Severity
    gate: str
    at: datetime


class Conflicts(Struct, frozen=True, kw_only=True, rename="camel"):
    """What nobody has settled: how many, how many of each severity, and the newest ones."""

    open: int
    by_severity: dict[str, int]
    newest: list[OpenConflict]


class Caution(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something somebody should see to: ``code`` says what, ``subject`` names the gate, ``figure`` and ``limit`` the numbers."""

    code: str
    subject: str
    figure: int
    limit: int


class Figures(Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything of one moment, in the order in which it is told."""

    house: House
    arrivals: Arrivals
    crowds: Crowds
    refusals: list[Refusal]
    gates: Gates
    conflicts: Conflicts
    warnings: list[Caution]
