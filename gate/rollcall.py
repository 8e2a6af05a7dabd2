"""Who is inside, as far as this gate knows: by ticket number, to be printed when the house must be emptied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Protocol

from msgspec import Struct

from shared.admission.presence import Admission, fold
from shared.clock import from_unix_ms
from shared.codes.number import write_number
from shared.ids import GateId
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

    async def all_admissions(self) -> list[tuple[bytes, Admission]]:
        """Return everybody's passages with the handle hash of the ticket."""
        ...


class Inside(Struct, frozen=True, kw_only=True):
    """A ticket with whose number people are inside; ``people`` is usually one."""

    number: str
    people: int
    since: datetime
    through: str


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


async def find_inside(log: LedgerLog, world: LedgerWorld, gate: GateId, names: dict[GateId, str]) -> tuple[Inside, ...]:
    """Return who is inside by the passages of all gates this one knows of, in the order of the numbers."""
    passed: defaultdict[bytes, list[Admission]] = defaultdict(list)
    for handle_hash, admission in await world.all_admissions():
        passed[handle_hash].append(admission)
    for record in await log.ledger():
        if record.handle_hash is not None:
            passed[record.handle_hash].append(as_admission(record, gate))
    rows = (_state_inside(handle_hash, admissions, names) for handle_hash, admissions in passed.items())
    return tuple(sorted((row for row in rows if row is not None), key=lambda row: row.number))


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


def draw_text(call: RollCall) -> str:
    """Return the list as plain text with a box to tick in each line."""
    lines = [*_head(call), "", f"{'number':<11}{'people':<8}{'in since (UTC)':<21}through"]
    lines += [
        f"{one.number:<11}{one.people:<8}{one.since:%Y-%m-%d %H:%M:%S}  {one.through}  [ ]" for one in call.inside
    ]
    return "\n".join([*lines, "", _WHAT]) + "\n"


def draw_html(call: RollCall) -> str:
    """Return the list as a page that needs nothing else and prints with its heading on every sheet."""
    title, *facts = map(escape, _head(call))
    rows = "\n".join(
        f"<tr><td>{one.number}</td><td>{one.people}</td><td>{one.since:%Y-%m-%d %H:%M:%S}</td>"
        f"<td>{escape(one.through)}</td><td></td></tr>"
        for one in call.inside
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head>\n'
        f"<body><h1>{title}</h1>\n<p>{'<br>'.join(facts)}</p>\n<table><thead><tr><th>Number</th><th>People</th>"
        f"<th>In since (UTC)</th><th>Through</th><th>Out</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n"
        f"<p>{_WHAT}</p></body></html>\n"
    )


def _head(call: RollCall) -> list[str]:
    told = f"{call.confirmed:%Y-%m-%d %H:%M:%S} UTC" if call.confirmed is not None else "never"
    return [
        f"Who is inside: {call.event}",
        f"People inside: {call.people}",
        f"Made: {call.made:%Y-%m-%d %H:%M:%S} UTC at {call.gate}",
        f"Other gates heard of until: {told}",
    ]
