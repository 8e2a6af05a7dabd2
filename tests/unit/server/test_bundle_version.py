"""A bundle's version grows whenever its content does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.services.bundles import HORIZON, due_version
from server.services.keys import epoch_at
from server.services.rows import EventRow, EventState
from shared.admission.policy import Policy, Window
from shared.ids import EventId, TenantId, VenueId

START = datetime(2026, 6, 20, tzinfo=UTC)
EVENT = EventRow(
    tenant=TenantId(UUID(int=1)),
    id=EventId(UUID(int=2)),
    venue_id=VenueId(UUID(int=3)),
    name="Concert",
    state=EventState.OPEN,
    policy=Policy(version=1, window=Window(doors=START, starts=START, ends=START + timedelta(hours=5))),
    sale_starts=START,
    sale_ends=START + timedelta(hours=1),
    max_per_user=20,
    slot_s=15,
    epoch_zero=START,
    epoch_s=3600,
    reveal_at=START,
    bundle_version=1,
)
MINUTES = st.integers(min_value=0, max_value=100_000).map(lambda count: START + timedelta(minutes=count))


@given(MINUTES, MINUTES)
def test_version_follows_the_last_epoch_inside(one: datetime, other: datetime) -> None:
    early, late = sorted((one, other))
    grew = epoch_at(EVENT, late + HORIZON) > epoch_at(EVENT, early + HORIZON)
    assert (due_version(EVENT, late) > due_version(EVENT, early)) == grew


@given(MINUTES, MINUTES)
def test_raised_number_beats_any_horizon(one: datetime, other: datetime) -> None:
    raised = replace(EVENT, bundle_version=2)
    assert due_version(raised, one) > due_version(EVENT, other)
