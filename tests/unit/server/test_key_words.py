"""What the command line says of keys to people."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from msgspec.structs import replace

from server.cli_keys import describe_event, describe_rotation
from server.services.key_rotation import Rotated
from server.services.key_status import EventStatus
from shared.ids import EventId

EVENT = EventId(UUID(int=7))
UNTIL = datetime(2026, 6, 20, 19, 10, tzinfo=UTC)
STATUS = EventStatus(
    event_id=EVENT,
    name="Opening",
    epoch=1,
    stored_epochs=4,
    stored_until=UNTIL,
    series=1,
    replaced=3,
    gates=5,
    gates_behind=0,
)
SCHEDULED = Rotated(event_id=EVENT, first_epoch=2, replaced=3, accepted_until=None, paper_codes=True)


@pytest.mark.parametrize(
    ("gates", "behind", "said"),
    [(0, 0, None), (5, 0, "all 5 gates have the new keys"), (5, 2, "2 of 5 gates do not have the new keys yet")],
)
def test_gates_are_told_of_as_lagging_only_when_some_do(gates: int, behind: int, said: str | None) -> None:
    lines = describe_rotation(SCHEDULED, replace(STATUS, gates=gates, gates_behind=behind))
    about_gates = [line for line in lines if "gates" in line]
    assert about_gates == ([] if said is None else [line for line in lines if line.startswith(said)])
    assert len(about_gates) == (said is not None)


def test_an_emergency_says_until_when_and_that_paper_ends_too() -> None:
    scheduled = "\n".join(describe_rotation(SCHEDULED, STATUS))
    urgent = "\n".join(describe_rotation(replace(SCHEDULED, accepted_until=UNTIL), STATUS))
    assert "nobody has to do anything" in scheduled
    assert "printed" not in scheduled
    assert "until 19:10:00 UTC" in urgent
    assert "printed tickets end then as well" in urgent


def test_a_status_shouts_only_where_something_lags() -> None:
    assert "NOT UP TO DATE" not in describe_event(STATUS)
    assert "5 gates, 1 NOT UP TO DATE" in describe_event(replace(STATUS, gates_behind=1))
