"""The gate's condition in one line: mode, age of its data, backlog, key horizon and clock, each with a mark when it is bad."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from gate.catalogue.labels import Labels
from gate.catalogue.texts import Tone
from gate.outcome import LOGIN_PAGE, GateStatus
from gate.tui.cards import Wording, group
from shared.sync.scan import Mode

_OLD_DATA_S = 5 * 60
_MANY_UNSENT = 1000
_SHORT_KEYS = timedelta(hours=12)
_WEEK = timedelta(days=6)
_CLOCK_OFF_S = 20
_CLOCK_WRONG_S = 60


class Part(Struct, frozen=True, kw_only=True):
    """One statement of the badge. ``tone`` is neutral unless somebody should do something."""

    text: str
    tone: Tone = Tone.NEUTRAL


def describe_link(status: GateStatus, now: datetime, wording: Wording) -> tuple[Part, ...]:
    """Return the badge's parts from left to right; what is amiss carries an exclamation mark, not just a colour."""
    labels = wording.catalogue.texts.labels
    parts = (
        _mode(status, wording),
        _data_age(status, labels),
        _backlog(status, labels),
        _horizon(status, now, wording),
        _clock(status, labels),
    )
    return tuple(_mark(part, wording) for part in parts)


def _mark(part: Part, wording: Wording) -> Part:
    urgent = part.tone in {Tone.ATTENTION, Tone.BAD} and not part.text.endswith("!")
    return Part(text=wording.write(part.text + "!" if urgent else part.text), tone=part.tone)


def _mode(status: GateStatus, wording: Wording) -> Part:
    labels = wording.catalogue.texts.labels
    if status.mode is Mode.ONLINE:
        return Part(text=("● " if wording.display.unicode else "* ") + labels.online, tone=Tone.GOOD)
    # Linked and yet not online: the link is too slow to wait for.
    sign = ("◐ " if status.linked else "○ ") if wording.display.unicode else ("~ " if status.linked else "- ")
    wants_login = not status.linked and status.hindrance == LOGIN_PAGE
    return Part(text=sign + (labels.login_page if wants_login else labels.offline), tone=Tone.ATTENTION)


def _data_age(status: GateStatus, labels: Labels) -> Part:
    if status.data_age_s is None:
        return Part(text=labels.data_never, tone=Tone.ATTENTION)
    tone = Tone.ATTENTION if status.data_age_s > _OLD_DATA_S else Tone.NEUTRAL
    return Part(text=labels.data_age.format(age=describe_span(status.data_age_s, labels)), tone=tone)


def _backlog(status: GateStatus, labels: Labels) -> Part:
    if not status.backlog:
        return Part(text=labels.backlog_none)
    tone = Tone.ATTENTION if status.backlog >= _MANY_UNSENT else Tone.NEUTRAL
    return Part(text=labels.backlog.format(count=group(status.backlog)), tone=tone)


def _horizon(status: GateStatus, now: datetime, wording: Wording) -> Part:
    labels = wording.catalogue.texts.labels
    if status.keys_until is None:
        return Part(text=labels.keys_none, tone=Tone.BAD)
    left = status.keys_until - now
    if left <= timedelta(0):
        return Part(text=labels.keys_over, tone=Tone.BAD)
    if left > _WEEK:
        return Part(text=labels.keys_days.format(days=left.days))
    local = status.keys_until.astimezone(wording.display.zone)
    text = labels.keys_until.format(time=f"{labels.weekdays[local.weekday()]} {local:%H:%M}")
    return Part(text=text, tone=Tone.ATTENTION if left < _SHORT_KEYS else Tone.NEUTRAL)


def _clock(status: GateStatus, labels: Labels) -> Part:
    offset_s = status.clock_offset_s
    if offset_s is None:
        return Part(text=labels.clock_unknown)
    if abs(offset_s) < _CLOCK_OFF_S:
        return Part(text=labels.clock_fine)
    tone = Tone.BAD if abs(offset_s) >= _CLOCK_WRONG_S else Tone.ATTENTION
    sign = "+" if offset_s > 0 else "-"
    return Part(text=labels.clock_off.format(offset=sign + describe_span(abs(offset_s), labels)), tone=tone)


def describe_span(seconds: float, labels: Labels) -> str:
    """Return a span of time in its largest whole unit."""
    if seconds < 60:
        return f"{int(seconds)} {labels.second}"
    if seconds < 3600:
        return f"{int(seconds // 60)} {labels.minute}"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)} {labels.hour}"
    return f"{int(seconds // 86400)} {labels.day}"
