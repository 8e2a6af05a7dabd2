"""Conflicts depend on the facts, not on the order in which the server hears of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.services.classify import LOCK_SOURCE, UNLOCK_SOURCE, Seen, TicketCase, find_conflicts, find_presence
from server.services.rows import TicketRow, TicketTypeRow
from server.services.rows_gates import StepRow
from shared.admission.policy import Policy, Window
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.ids import EventId, GateId, ScanId, TenantId, TicketId, TicketTypeId
from shared.sync.ledger import ConflictClass
from shared.tickets.lifecycle import State

START = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)
TENANT, EVENT = TenantId(UUID(int=1)), EventId(UUID(int=2))
TICKET, KIND = TicketId(UUID(int=3)), TicketTypeId(UUID(int=4))
NORTH, SOUTH = GateId(UUID(int=10)), GateId(UUID(int=11))

ROW = TicketRow(
    tenant=TENANT,
    id=TICKET,
    event=EVENT,
    ticket_type=KIND,
    order=None,
    owner=None,
    holder_name="",
    seat="",
    state=State.ACTIVE,
    generation=0,
    version=2,
    locked=None,
    valid_from=None,
    valid_until=None,
)
TYPE = TicketTypeRow(
    tenant=TENANT,
    id=KIND,
    event=EVENT,
    product=1,
    name="Floor",
    price_cents=0,
    currency="EUR",
    zones=1,
    entries=0,
    code_policy=0,
    max_per_order=10,
    total=1,
    available=0,
    reserved=0,
    sold=1,
)
POLICY = Policy(version=1, window=Window(doors=START, starts=START, ends=START + timedelta(hours=5)))


def seen(number: int, gate: GateId, at_s: int, **changes: object) -> Seen:
    """Return a proven entry; ``changes`` alter the admission, ``generation`` and ``counts`` the rest."""
    at_ms = unix_ms(START) + at_s * 1000
    generation = changes.pop("generation", 0)
    counts = changes.pop("counts", True)
    assert isinstance(generation, int)
    assert isinstance(counts, bool)
    admission = Admission(
        scan=ScanId(UUID(int=100 + number)),
        gate=gate,
        gate_seq=number + 1,
        hlc=at_ms << 16,
        at_ms=at_ms,
        unsure_ms=10,
        direction=Direction.ENTRY,
        proven=True,
    )
    return Seen(
        admission=replace(admission, **changes), generation=generation, counts=counts, proof=None, supervisor=None
    )


def step(to: State, at_s: int, generation: int = 0, source: str = "test") -> StepRow:
    return StepRow(
        ticket=TICKET,
        from_state=State.ACTIVE,
        to_state=to,
        generation=generation,
        source=source,
        at=START + timedelta(seconds=at_s),
    )


def case(*scans: Seen, steps: tuple[StepRow, ...] = (), **policy: object) -> TicketCase:
    return TicketCase(ticket=ROW, ticket_type=TYPE, policy=replace(POLICY, **policy), seen=scans, steps=steps)


def kinds(found: TicketCase) -> list[ConflictClass]:
    return [one.kind for one in find_conflicts(found)]


def test_one_entry_of_a_good_ticket_is_no_conflict() -> None:
    assert find_conflicts(case(seen(0, NORTH, 0), steps=(step(State.ACTIVE, -100),))) == []


def test_history_after_the_scan_does_not_matter() -> None:
    later = (step(State.REVOKED, 50), step(State.TRANSFERRED, 60, generation=1))
    assert find_conflicts(case(seen(0, NORTH, 0), steps=later)) == []


def test_copied_revoked_ticket_is_a_clone_first_and_stale_where_it_stands_alone() -> None:
    revoked = (step(State.REVOKED, -60),)
    found = case(seen(0, NORTH, 0), seen(1, SOUTH, 20), steps=revoked)
    assert kinds(found) == [ConflictClass.STALE_STATE, ConflictClass.CLONE]
    assert all(one.evidence.stale is not None for one in find_conflicts(found))


def test_old_owners_code_beside_the_new_ones_is_stale_not_a_clone() -> None:
    passed_on = (step(State.TRANSFERRED, -60, generation=1),)
    found = case(seen(0, NORTH, 0, generation=1), seen(1, SOUTH, 20, generation=0), steps=passed_on)
    assert kinds(found) == [ConflictClass.STALE_STATE]


def test_old_and_new_owner_at_one_gate_are_two_people_however_soon_one_follows_the_other() -> None:
    passed_on = (step(State.TRANSFERRED, 2, generation=1),)
    found = case(seen(0, NORTH, 0, override=True), seen(1, NORTH, 3, generation=1), steps=passed_on)
    assert kinds(found) == [ConflictClass.RACE]
    assert find_presence(found).inside == 2


def test_overridden_stale_ticket_is_the_supervisors_decision() -> None:
    found = case(seen(0, NORTH, 0, override=True), steps=(step(State.REVOKED, -60),))
    assert kinds(found) == [ConflictClass.OVERRIDDEN]


def test_leaving_with_a_revoked_ticket_is_no_conflict() -> None:
    out = seen(1, SOUTH, 100, direction=Direction.EXIT)
    assert kinds(case(seen(0, NORTH, 0), out, steps=(step(State.REVOKED, 50),), exits=True)) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((step(State.ACTIVE, -60, source=LOCK_SOURCE),), [ConflictClass.STALE_STATE]),
        ((step(State.ACTIVE, -60, source=LOCK_SOURCE), step(State.ACTIVE, -30, source=UNLOCK_SOURCE)), []),
        ((step(State.ACTIVE, 10, source=LOCK_SOURCE),), []),
    ],
)
def test_lock_counts_while_it_lasts(steps: tuple[StepRow, ...], expected: list[ConflictClass]) -> None:
    assert kinds(case(seen(0, NORTH, 0), steps=steps)) == expected


def test_what_counts_nowhere_else_leaves_the_holder_where_they_are() -> None:
    forged = case(seen(0, NORTH, 0, proven=False, counts=False))
    assert find_presence(forged).inside == 0
    assert find_presence(case(seen(0, NORTH, 0))).inside == 1


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from([NORTH, SOUTH]),
        st.integers(min_value=0, max_value=600),
        st.sampled_from([Direction.ENTRY, Direction.ENTRY, Direction.EXIT]),
        st.booleans(),
        st.integers(min_value=0, max_value=1),
    ),
    min_size=1,
    max_size=6,
)


@given(ENTRIES, st.randoms(use_true_random=False), st.booleans())
def test_any_order_of_hearing_gives_the_same_findings(
    entries: list[tuple[GateId, int, Direction, bool, int]], chance: object, exits: bool
) -> None:
    scans = [
        seen(number, gate, at_s, direction=direction, proven=proven, counts=proven, generation=generation)
        for number, (gate, at_s, direction, proven, generation) in enumerate(entries)
    ]
    steps = (step(State.TRANSFERRED, 200, generation=1), step(State.REVOKED, 400, generation=1))
    shuffled = list(scans)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis' own Random
    one, other = case(*scans, steps=steps, exits=exits), case(*shuffled, steps=steps, exits=exits)
    assert find_conflicts(one) == find_conflicts(other)
    assert find_presence(one) == find_presence(other)
