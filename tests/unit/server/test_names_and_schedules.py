"""Which names are kept, and which times fit together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from server.domain.names import NameUnusable, read_name, refuse_name
from server.domain.schedule import Schedule, refuse_schedule
from shared.admission.policy import Policy, Window

DOORS = datetime(2026, 6, 20, 17, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GOOD = Schedule(
    policy=Policy(version=1, window=Window(doors=DOORS, starts=DOORS + HOUR, ends=DOORS + 5 * HOUR)),
    sale_starts=DOORS - 100 * HOUR,
    sale_ends=DOORS + 5 * HOUR,
    reveal_at=DOORS - 6 * HOUR,
    first_code=DOORS - 24 * HOUR,
)


@pytest.mark.parametrize("name", ["Ada", "د. ليلى", "👩‍👩‍👧", "Zoë-Marie O'Neill", "x" * 500, "\u200fabc"])
def test_names_people_have_are_kept(name: str) -> None:
    assert refuse_name(name, 500) is None


@pytest.mark.parametrize(
    "name", ["", "x" * 501, "a\x00b", "a\tb", "a\r\nb", "a\u2028b", "\u202eabc", "\u2066abc", "\ud800"]
)
def test_names_that_break_lines_or_screens_are_refused(name: str) -> None:
    assert refuse_name(name, 500) is not None


def test_name_is_kept_composed_and_without_spaces_around() -> None:
    assert read_name("  Zoe\u0308 ", 10, "name") == "Zoë"
    with pytest.raises(NameUnusable, match="The holder's name is empty"):
        read_name("  ", 10, "holder's name")


def test_sensible_schedule_is_accepted() -> None:
    assert refuse_schedule(GOOD) is None


@pytest.mark.parametrize(
    "change",
    [
        {"sale_starts": DOORS + 5 * HOUR},
        {"sale_ends": GOOD.sale_starts},
        {"reveal_at": GOOD.first_code - HOUR},
        {"reveal_at": DOORS + 5 * HOUR},
        {"reveal_at": DOORS - 6 * HOUR + timedelta(seconds=1)},
        {"sale_ends": datetime(9999, 1, 1, tzinfo=UTC)},
        {"others": (datetime(1, 1, 1, tzinfo=UTC),)},
    ],
)
def test_times_that_contradict_each_other_are_refused(change: dict[str, object]) -> None:
    assert refuse_schedule(replace(GOOD, **change)) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"window": Window(doors=DOORS, starts=DOORS - HOUR, ends=DOORS + HOUR)},
        {"window": Window(doors=DOORS, starts=DOORS, ends=DOORS)},
        {"window": Window(doors=DOORS, starts=DOORS, ends=DOORS + timedelta(days=61))},
        {"re_entries": 1},
        {"re_entries": None},
        {"capacity": 0},
    ],
)
def test_entry_rules_that_cannot_work_are_refused(change: dict[str, object]) -> None:
    assert refuse_schedule(replace(GOOD, policy=replace(GOOD.policy, **change))) is not None


def test_re_entry_with_exits_is_accepted() -> None:
    policy = replace(GOOD.policy, re_entries=None, exits=True)
    assert refuse_schedule(replace(GOOD, policy=policy)) is None
