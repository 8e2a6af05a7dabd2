"""Who is inside, as far as this gate knows: by ticket number, to be printed when the house must be emptied."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from gate.ports import Sighting
from shared.admission.presence import Admission, fold
from shared.clock import from_unix_ms
from shared.codes.number import write_number
from shared.ids import GateId
from shared.sync.feed import TicketEntry
from shared.sync.scan import ScanRecord, as_admission

HTML_FRAME = "<!-- {} -->"
TEXT_FRAME = "signed: {}"
_WHAT = "Names and seats are not on it: a gate can read them only while it sees the code."
_STYLE = (
    "body{font:12pt sans-serif;margin:2em}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #000;padding:.2em .5em;text-align:left}thead{display:table-header-group}"
    "tr{break-inside:avoid}td:last-child{width:4em}"
)


class LedgerLog(Protocol):
    """The gate's own log, as the list reads it."""

    async def ledger(self) -> list[ScanRecord]:
        """Return all records that say where somebody is, oldest first."""
        ...


class LedgerWorld(Protocol):
    """The copy of the event, as the list reads it."""

    async def find(self, handle_hash: bytes) -> Sighting:
        """Return what is known of a ticket."""
        ...

    async def all_admissions(self) -> list[tuple[bytes, Admission]]:
        """Return everybody's passages with the handle hash of the ticket."""
        ...


class Inside(Struct, frozen=True, kw_only=True):
    """A ticket with whose number people are inside; ``people`` is usually one.

    ``product`` is the number of the ticket's type and ``areas`` are those it opens, counted from 1; None and empty where the
    ticket itself is not known here.
    """

    number: str
    people: int
    since: datetime
    through: str
    product: int | None = None
    areas: tuple[int, ...] = ()

    @property
    def kind(self) -> str:
        """The type as the list writes it."""
        return "?" if self.product is None else str(self.product)


class RollCall(Struct, frozen=True, kw_only=True):
    """The list, what it is of, and how old the gate's knowledge of the other gates is."""

    event: str
    gate: str
    made: datetime
    confirmed: datetime | None
    inside: tuple[Inside, ...]

    @property
    def people(self) -> int:
        """How many people are inside."""
        return sum(one.people for one in self.inside)

    def count_by(self, name: Callable[[Inside], str]) -> str:
        """Return how many people are inside for each name, the largest first."""
        people: Counter[str] = Counter()
        for one in self.inside:
            people[name(one)] += one.people
        return ", ".join(f"{called}: {count}" for called, count in people.most_common()) or "nobody"


async def find_inside(log: LedgerLog, world: LedgerWorld, gate: GateId, names: dict[GateId, str]) -> tuple[Inside, ...]:
    """Return who is inside by the passages of all gates this one knows of, in the order of the numbers."""
    passed: defaultdict[bytes, list[Admission]] = defaultdict(list)
    for handle_hash, admission in await world.all_admissions():
        passed[handle_hash].append(admission)
    for record in await log.ledger():
        if record.handle_hash is not None:
            passed[record.handle_hash].append(as_admission(record, gate))
    found = []
    for handle_hash, admissions in passed.items():
        row = _state_inside(handle_hash, admissions, names)
        if row is not None:
            found.append(_add_ticket(row, (await world.find(handle_hash)).ticket))
    return tuple(sorted(found, key=lambda row: row.number))


def _state_inside(handle_hash: bytes, admissions: Iterable[Admission], names: dict[GateId, str]) -> Inside | None:
    presence = fold(admissions)
    if presence.inside == 0 or presence.last_entry is None:
        return None
    return Inside(
        number=write_number(handle_hash),
        people=presence.inside,
        since=from_unix_ms(presence.last_entry.at_ms),
        through=names.get(presence.last_entry.gate, "another gate"),
    )


def _add_ticket(row: Inside, ticket: TicketEntry | None) -> Inside:
    if ticket is None:
        return row
    areas = tuple(place + 1 for place in range(16) if ticket.zones >> place & 1)
    return replace(row, product=ticket.product, areas=areas)


def draw_text(call: RollCall) -> str:
    """Return the list as plain text with a box to tick in each line."""
    lines = [*_head(call), "", f"{'number':<11}{'people':<8}{'type':<6}{'areas':<10}{'in since (UTC)':<21}through"]
    lines += [
        f"{one.number:<11}{one.people:<8}{one.kind:<6}{_write_areas(one):<10}"
        f"{one.since:%Y-%m-%d %H:%M:%S}  {one.through}  [ ]"
        for one in call.inside
    ]
    return "\n".join([*lines, "", _WHAT]) + "\n"


def draw_html(call: RollCall) -> str:
    """Return the list as a page that needs nothing else and prints with its heading on every sheet."""
    title, *facts = map(escape, _head(call))
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in _cells(one))}<td></td></tr>" for one in call.inside
    )
    heading = "".join(
        f"<th>{name}</th>" for name in ("Number", "People", "Type", "Areas", "In since (UTC)", "Through", "Out")
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n<p>{'<br>'.join(facts)}</p>\n<table><thead><tr>{heading}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>\n<p>{_WHAT}</p></body></html>\n"
    )


def _cells(one: Inside) -> tuple[str, ...]:
    since = f"{one.since:%Y-%m-%d %H:%M:%S}"
    return one.number, str(one.people), one.kind, _write_areas(one), since, one.through


def _write_areas(one: Inside) -> str:
    return " ".join(map(str, one.areas)) or "-"


def _head(call: RollCall) -> list[str]:
    told = f"{call.confirmed:%Y-%m-%d %H:%M:%S} UTC" if call.confirmed is not None else "never"
    return [
        f"Who is inside: {call.event}",
        f"People inside: {call.people}",
        f"By type of ticket: {call.count_by(lambda one: one.kind)}",
        f"By way in: {call.count_by(lambda one: one.through)}",
        f"Made: {call.made:%Y-%m-%d %H:%M:%S} UTC at {call.gate}",
        f"Other gates heard of until: {told}",
    ]
