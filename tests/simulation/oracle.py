"""Judges an evening by what really happened; it shares no rule with the program, and gives it no room but its own stated doubt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from shared.admission.presence import fold
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.ids import ScanId
from shared.sync.feed import TicketEntry, TombstoneEntry
from shared.sync.ledger import ConflictClass
from shared.sync.scan import GENESIS, extend_chain
from shared.tickets.lifecycle import State
from tests.simulation.evidence import Evidence, GateEvidence
from tests.simulation.expectation import Case, Kinds, Rules, count_doubles, expect
from tests.simulation.hall import EVENING
from tests.simulation.truth import Answered, Truth

BEGAN_MS = unix_ms(EVENING)
_ACCUSING = {ConflictClass.RACE, ConflictClass.CLONE}
"""What is said of an entry only because somebody else was inside with the same ticket."""


def judge(evidence: Evidence, truth: Truth, rules: Rules | None = None, *, one_past: bool = True) -> list[str]:
    """Return everything that is not as it must be; nothing when all is well.

    Without ``one_past`` the server was set back to a backup: what gates had been told before cannot be looked up any more.
    """
    if not evidence.settled:
        behind = [f"{n}: {gate.cursor}, {gate.acked}" for n, gate in enumerate(evidence.gates)]
        return [f"no rest after healing; feed {evidence.head}, gates (position, acknowledged) {behind}"]
    return [
        *_judge_logs(evidence, truth),
        *_judge_tickets(evidence, truth),
        *_judge_counts(evidence, truth),
        *(_judge_ignorance(evidence, truth) if one_past else ()),
        *_judge_clocks(evidence, truth),
        *_judge_conflicts(evidence, truth, rules or Rules()),
    ]


def _judge_logs(evidence: Evidence, truth: Truth) -> Iterator[str]:
    """No scan lost, none twice, the chain whole, everything acknowledged."""
    told = Counter((one.gate, one.gate_seq, one.scan.bytes) for one in truth.scans)
    yield from (f"gate {gate} numbered two scans {seq}" for (gate, seq, _), times in told.items() if times > 1)
    logged = {(number, one.gate_seq): one.body for number, gate in enumerate(evidence.gates) for one in gate.logged}
    heard = {(gate, seq) for gate, seq, _ in told}
    yield from (f"scan {name} was answered and is not in the gate's log" for name in heard - set(logged))
    yield from (f"the log holds a scan nobody made: {name}" for name in set(logged) - heard)
    numbers = {gate.id: number for number, gate in enumerate(evidence.gates)}
    kept = {(numbers[row.gate.bytes], row.gate_seq): row.body for row in evidence.scans}
    yield from (f"scan {name} is lost: the server has not got it" for name in sorted(set(logged) - set(kept)))
    yield from (f"the server has a scan no gate made: {name}" for name in sorted(set(kept) - set(logged)))
    yield from (f"scan {name} was changed on its way" for name, body in kept.items() if logged.get(name, body) != body)
    if len(kept) != len(evidence.scans):
        yield "the server has a scan twice"
    proven = {row.scan for row in evidence.scans if row.proven}
    counted = {one.scan for one in truth.scans if one.counts}
    yield from (f"{_name(truth, scan)} does not count as seen at the server" for scan in counted - proven)
    for number, gate in enumerate(evidence.gates):
        yield from _judge_chain(number, gate)


def _judge_chain(number: int, gate: GateEvidence) -> Iterator[str]:
    chain = GENESIS
    for one in gate.logged:
        chain = extend_chain(chain, one.body)
    if (gate.taken.acked, gate.taken.chain) != (len(gate.logged), chain):
        yield f"gate {number} logged {len(gate.logged)} records, the server took {gate.taken.acked}"
    if gate.acked != len(gate.logged):
        yield f"gate {number} believes {gate.acked} of {len(gate.logged)} records to be with the server"


def _judge_tickets(evidence: Evidence, truth: Truth) -> Iterator[str]:
    """Every gate and the server say the same of every ticket, and it is what was done to it."""
    for number, row in enumerate(evidence.tickets):
        newest = truth.generation(number)
        if (row.generation, row.locked is not None) != (newest, truth.is_locked(number)):
            yield f"ticket {number} has generation {row.generation}, locked {row.locked}; {newest} was made"
        inside = _bodies(one for one in truth.admitted(number) if one.proven) > 0
        yield from _judge_state(number, row.state, inside=inside, revoked=truth.is_revoked(number))
        said = (row.state, row.version, row.generation, row.locked is not None)
        for at, gate in enumerate(evidence.gates):
            seen = gate.sightings[number, newest]
            known = seen.ticket
            if known is None or seen.superseded:
                yield f"gate {at} does not know ticket {number}"
            elif (known.state, known.version, known.generation, known.locked) != said:
                yield f"gate {at} takes ticket {number} for {known.state} v{known.version}, the server {said}"
            dead = (gate.sightings[number, old].superseded for old in range(newest))
            if not all(dead):
                yield f"gate {at} would still take a dead code of ticket {number}"


def _judge_state(number: int, state: State, *, inside: bool, revoked: bool) -> Iterator[str]:
    right = {State.REVOKED} if revoked else {State.CHECKED_IN} if inside else {State.ACTIVE, State.TRANSFERRED}
    if state not in right:
        yield f"ticket {number} is {state}, although inside={inside} revoked={revoked}"


def _judge_counts(evidence: Evidence, truth: Truth) -> Iterator[str]:
    """Every admission is known to every gate once, and everybody counts the same people."""
    admitted = truth.standing()
    for at, gate in enumerate(evidence.gates):
        for name in evidence.handles:
            true = sorted(one.scan for one in truth.scans if one.counts and (one.ticket, one.generation) == name)
            known = sorted(one.scan for one in gate.sightings[name].admissions)
            if true != known:
                yield f"gate {at} knows {len(known)} admissions of ticket {name}, there were {len(true)}"
        for number in range(len(evidence.tickets)):
            seen = [one for name in evidence.handles if name[0] == number for one in gate.sightings[name].admissions]
            inside, bodies = fold(seen).inside, _bodies(one for one in truth.admitted(number) if one.proven)
            if inside != bodies:
                yield f"gate {at} believes {inside} inside with ticket {number}, there are {bodies}"
        bodies = _bodies(one for one in admitted if one.proven or one.gate == at)
        if gate.inside != bodies:
            yield f"gate {at} counts {gate.inside} inside, there are {bodies}"
    entries = sum(one.direction is Direction.ENTRY for one in admitted)
    if (evidence.entries, evidence.leavings) != (entries, len(admitted) - entries):
        yield f"the server counts {evidence.entries} in and {evidence.leavings} out, of {entries} and {len(admitted) - entries}"


def _judge_ignorance(evidence: Evidence, truth: Truth) -> Iterator[str]:
    """Whoever let somebody in wrongly had not been told: neither that the ticket was void nor that it was used."""
    records, told = evidence.records(), evidence.told_at()
    for one in truth.scans:
        record = records[one.scan]
        if not one.admitted or one.direction is Direction.EXIT:
            continue
        bar = _barred_at(evidence, truth, one)
        if bar is not None and bar <= record.feed_seq:
            yield f"gate {one.gate} had been told that ticket {one.ticket} was void ({bar}) and let it in at {record.feed_seq}"
        if evidence.exits or one.override:
            continue
        for other in truth.admitted(one.ticket):
            if other.at_ms >= one.at_ms or other.generation != one.generation:
                continue
            if other.gate == one.gate or told.get(other.scan, evidence.head + 1) <= record.feed_seq:
                yield f"gate {one.gate} had been told that ticket {one.ticket} was used and let it in"


def _barred_at(evidence: Evidence, truth: Truth, one: Answered) -> int | None:
    """Return from which feed position on nobody may let this generation in any more."""
    handle = evidence.handles[one.ticket, one.generation]
    for entry in evidence.feed:
        if isinstance(entry, TombstoneEntry) and entry.handle_hash == handle:
            return entry.seq
        if isinstance(entry, TicketEntry) and entry.handle_hash == handle and entry.state is State.REVOKED:
            return entry.seq
    return None


def _judge_conflicts(evidence: Evidence, truth: Truth, rules: Rules) -> Iterator[str]:
    """Every admission too many is a conflict of the right class, and nothing else is one."""
    found = {row.scan: row.kind for row in evidence.conflicts}
    if len(found) != len(evidence.conflicts):
        yield "a scan has two conflicts"
    expected: dict[ScanId, Kinds] = {}
    for number in range(len(evidence.tickets)):
        changes = [one for one in truth.changes if one.ticket == number]
        cases = _cases(evidence, truth, number)
        expected.update(expect(cases, changes, rules))
        accused = sum(found.get(case.truth.scan) in _ACCUSING for case in cases)
        if accused > count_doubles(cases):
            yield f"ticket {number} has {accused} doubles, there were {count_doubles(cases)}"
        entries = sum(case.truth.direction is Direction.ENTRY for case in cases)
        called = sum(case.truth.scan in found for case in cases)
        if called < entries - 1 - (len(cases) - entries):
            yield f"of {entries} entries and {len(cases) - entries} exits only {called} are called anything"
    yield from (f"{_name(truth, scan)} is called a conflict and was none" for scan in found if scan not in expected)
    for scan, kinds in expected.items():
        if found.get(scan) not in kinds:
            right = sorted("none" if kind is None else kind.value for kind in kinds)
            yield f"{_name(truth, scan)} is called {found.get(scan)}; right would be {' or '.join(right)}"


def _judge_clocks(evidence: Evidence, truth: Truth) -> Iterator[str]:
    """No gate is surer of its clock than it may be."""
    records = evidence.records()
    for one in truth.scans:
        off_ms = abs(records[one.scan].at_ms - BEGAN_MS - one.at_ms)
        if one.admitted and off_ms > records[one.scan].unsure_ms:
            yield f"gate {one.gate} was off by {off_ms} ms and owned to {records[one.scan].unsure_ms}"


def _cases(evidence: Evidence, truth: Truth, ticket: int) -> list[Case]:
    """Return a ticket's admissions in their true order."""
    records = evidence.records()
    return [Case(truth=one, record=records[one.scan]) for one in truth.admitted(ticket)]


def _name(truth: Truth, scan: ScanId) -> str:
    one = next((one for one in truth.scans if one.scan == scan), None)
    if one is None:
        return f"scan {scan}"
    return f"ticket {one.ticket} generation {one.generation} at gate {one.gate} after {one.at_ms} ms"


def _bodies(admitted: Iterable[Answered]) -> int:
    return sum(1 if one.direction is Direction.ENTRY else -1 for one in admitted)
