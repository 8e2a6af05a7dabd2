"""What the laws are tried on: passages, facts, policies, places, feed entries and records of every kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from msgspec import UNSET

from shared.admission.policy import Place, Policy, Unknown
from shared.admission.presence import Admission
from shared.admission.rule import Facts
from shared.admission.verdict import Direction, Reason
from shared.clock import unix_ms
from shared.codes.capsule import CodePolicy
from shared.codes.reader import Proof
from shared.ids import EventId, GateId, ScanId
from shared.sync.feed import AdmissionEntry, FeedEntry, GateEntry, PolicyEntry, TicketEntry, TombstoneEntry
from shared.sync.scan import Mode, Override, ScanRecord
from shared.tickets.lifecycle import State
from tests.unit.shared.samples import DOORS, NORTH, SOUTH, policy

law = settings(deadline=None, max_examples=120, print_blob=True)
costly_law = settings(deadline=None, max_examples=60, print_blob=True)

EAST = GateId(UUID(int=3))
gates = st.sampled_from([NORTH, SOUTH, EAST])
moments = st.integers(-7200, 12 * 3600).map(lambda seconds: DOORS + timedelta(seconds=seconds))
ordinals = st.integers(1, 2**63 - 1)
naturals = st.integers(0, 2**63 - 1)
millis = st.integers(0, 253_402_300_799_999)
hashes = st.binary(min_size=16, max_size=16)
uuids = st.uuids()
words = st.text(max_size=20)
# What stops a person is made seldom: a law over evenings on which nobody passes says little.
seldom = st.sampled_from([False, False, False, False, True])
evening_hours = st.integers(0, 6 * 3600).map(lambda seconds: DOORS + timedelta(seconds=seconds))
mostly_evening = st.sampled_from([True, True, True, False]).flatmap(lambda usual: evening_hours if usual else moments)
options = seldom.flatmap(lambda given: moments if given else st.none())
states = st.sampled_from([State.ACTIVE, State.TRANSFERRED, State.CHECKED_IN] * 6 + list(State))


@st.composite
def passages(draw: st.DrawFn, /, gate: st.SearchStrategy[GateId] = gates) -> Admission:
    """Return any passage of an evening; clocks differ by up to a minute from the order of the ledger."""
    number = draw(st.integers(1, 40))
    undone = draw(st.sampled_from([None, None, None, 1, 2, 3, 40]))
    at_ms = unix_ms(DOORS) + draw(st.integers(0, 7_200_000))
    return Admission(
        scan=ScanId(UUID(int=number)),
        gate=draw(gate),
        gate_seq=number,
        hlc=at_ms + draw(st.integers(0, 60_000)) << 16,
        at_ms=at_ms,
        unsure_ms=draw(st.sampled_from([0, 200, 30_000])),
        direction=draw(st.sampled_from(Direction)),
        proven=draw(st.booleans()),
        override=draw(st.booleans()),
        undoes=None if undone is None else ScanId(UUID(int=undone)),
    )


evenings = st.lists(passages(), max_size=8)


@st.composite
def facts_of_any_ticket(draw: st.DrawFn, /, **fixed: Any) -> Facts:
    """Return anything that may be known of a ticket."""
    fields: dict[str, Any] = {
        "known": draw(st.booleans()),
        "superseded": draw(seldom),
        "state": draw(states),
        "locked": draw(seldom),
        "product": draw(st.integers(0, 3)),
        "zones": draw(st.sampled_from([7, 7, 7, 0, 1, 2])),
        "valid_from": draw(options),
        "valid_until": draw(options),
        "entries": draw(st.integers(0, 3)),
        "code_policy": CodePolicy(draw(st.sampled_from([0, 0, 0, 1, 2, 4, 7]))),
        "static_code": draw(seldom),
    }
    return Facts(**(fields | fixed))


@st.composite
def policies(draw: st.DrawFn, /, **fixed: Any) -> Policy:
    """Return any policy of the evening."""
    fields: dict[str, Any] = {
        "re_entries": draw(st.none() | st.integers(0, 3)),
        "exits": draw(st.booleans()),
        "cooldown_s": draw(st.sampled_from([0, 1, 600])),
        "double_read_s": draw(st.sampled_from([0, 5])),
        "unknown": draw(st.sampled_from(Unknown)),
        "static_codes": draw(st.booleans()),
        "id_check": draw(seldom),
        "capacity": draw(st.sampled_from([None, None, 0, 2])),
    }
    return policy(**(fields | fixed))


@st.composite
def places(draw: st.DrawFn, /, **fixed: Any) -> Place:
    """Return any gate."""
    fields: dict[str, Any] = {
        "gate": draw(gates),
        "direction": draw(st.sampled_from(Direction)),
        "zones": draw(st.sampled_from([0, 0, 1, 4])),
        "products": draw(st.sampled_from([(), (), (0, 1, 2, 3), (1,)])),
        "online": draw(st.booleans()),
        "inside": draw(st.none() | st.integers(0, 3)),
    }
    return Place(**(fields | fixed))


ticket_entries = st.builds(
    TicketEntry,
    seq=ordinals,
    handle_hash=hashes,
    version=naturals,
    state=st.sampled_from(State),
    generation=st.integers(0, 0xFFFF),
    product=st.integers(0, 0xFFFF),
    zones=st.integers(0, 0xFFFF),
    locked=st.booleans(),
    entries=st.integers(0, 255),
    code_policy=st.integers(0, 255),
    valid_from_ms=st.none() | millis,
    valid_until_ms=st.none() | millis,
    sealed=st.binary(max_size=40),
)
feed_entries: st.SearchStrategy[FeedEntry] = st.one_of(
    ticket_entries,
    st.builds(TombstoneEntry, seq=ordinals, handle_hash=hashes, version=naturals),
    st.builds(AdmissionEntry, seq=ordinals, handle_hash=hashes, admission=passages()),
    st.builds(PolicyEntry, seq=ordinals, policy=policies()),
    st.builds(GateEntry, seq=ordinals, gate=uuids.map(GateId), name=words, revoked=st.booleans()),
)
proofs = st.builds(Proof, epoch=st.integers(0, 0xFFFF), slot=st.integers(0, 0xFFFF), value=hashes)
records = st.builds(
    ScanRecord,
    scan=uuids.map(ScanId),
    gate_seq=ordinals,
    hlc=naturals,
    at_ms=millis,
    unsure_ms=st.integers(0, 60_000),
    event=st.none() | uuids.map(EventId),
    handle_hash=st.none() | hashes,
    code_hash=st.binary(min_size=8, max_size=8),
    direction=st.sampled_from(Direction),
    admitted=st.booleans(),
    reason=st.sampled_from(Reason),
    mode=st.sampled_from(Mode),
    feed_seq=naturals,
    policy_version=naturals,
    proof=st.none() | proofs,
    operator=st.none() | words,
    override=st.none() | st.builds(Override, supervisor=words, reason=words),
    undoes=st.just(UNSET) | uuids.map(ScanId),
)
