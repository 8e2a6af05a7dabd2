"""Do an event's times and entry rules make sense together?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from shared.admission.policy import Policy

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2150, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=60)
_AT_HOME = timedelta(hours=6)
"""People fetch their codes where they have a network: in front of the doors thousands would ask at once, in vain."""


class Schedule(Struct, frozen=True, kw_only=True):
    """What has to fit together; codes exist from ``first_code`` on."""

    policy: Policy
    sale_starts: datetime
    sale_ends: datetime
    reveal_at: datetime
    first_code: datetime
    others: tuple[datetime, ...] = ()


def is_plausible(*moments: datetime) -> bool:
    """Tell whether all these are in the years 2000 to 2149, so that one can calculate with them."""
    return all(_EARLIEST <= one < _LATEST for one in moments)


def refuse_schedule(schedule: Schedule) -> str | None:
    """Return what does not fit, as a sentence; None if all does."""
    window = schedule.policy.window
    moments = (window.doors, window.starts, window.ends, schedule.sale_starts, schedule.sale_ends, schedule.reveal_at)
    if not is_plausible(*moments, *schedule.others):
        return "Every time is in the years 2000 to 2149."
    if not window.doors <= window.starts < window.ends or window.ends - window.doors > _LONGEST:
        return f"Doors open, then the event starts, then it ends, all within {_LONGEST.days} days."
    if not schedule.sale_starts < min(schedule.sale_ends, window.ends):
        return "The sale starts before it ends, and before the event is over."
    if not schedule.first_code <= schedule.reveal_at <= window.doors - _AT_HOME:
        return f"Codes are shown from a moment between {schedule.first_code.isoformat()} and six hours before the doors open."
    return _refuse_entry(schedule.policy)


def _refuse_entry(policy: Policy) -> str | None:
    if policy.re_entries != 0 and not policy.exits:
        return "Letting people in again needs exits to be scanned: set `exits`, or `reEntries` to 0."
    if policy.capacity == 0:
        return "A capacity of 0 lets nobody in: leave it out for no limit."
    return None
