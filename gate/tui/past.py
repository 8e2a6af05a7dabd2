"""What the history says of one record: its line in the list, and all of it once the line is marked."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from gate.catalogue.texts import Tone
from gate.staff import Ending, Past, Remedy
from gate.tui.cards import Wording, group
from gate.tui.plain import make_ascii, make_plain
from shared.admission.override import StaffAction
from shared.admission.verdict import Reason

_LABEL_COLUMNS = 12
_CODE_COLUMNS = 8
_ACTIONS = {str(action): action for action in StaffAction}


class PastLine(Struct, frozen=True, kw_only=True):
    """One line of the history: when, what was answered, for which code, and how it ended."""

    tone: Tone
    time: str
    answer: str
    ending: str


def describe_past(past: Past, now: datetime, wording: Wording) -> PastLine:
    """Return a record's line."""
    catalogue, tone = wording.catalogue, wording.catalogue.tone(past.reason)
    label = wording.write(catalogue.text(past.reason).label).ljust(_LABEL_COLUMNS)
    code = make_ascii(make_plain(past.code_id, 16))[:_CODE_COLUMNS] if past.reason is not Reason.STAFF_ACTION else ""
    action = _name_action(past, wording)
    return PastLine(
        tone=tone,
        time=wording.time(past.at, today=now),
        answer=f"{wording.mark(tone)} {label} {code}".rstrip(),
        ending=wording.write(action or _end(past, now, wording)),
    )


def describe_record(past: Past, now: datetime, wording: Wording) -> tuple[str, ...]:
    """Return all that is known of a record, sentence by sentence."""
    texts = wording.catalogue.texts
    told = texts.staff.history_record.format(
        number=group(past.gate_seq), time=wording.time(past.at, today=now), code=past.code_id
    )
    why, ended = _name_reason(past.why, wording), _end(past, now, wording)
    if ended and past.ended_why:
        ended = f"{ended}: {_name_reason(past.ended_why, wording)}"
    said = _name_action(past, wording) or wording.catalogue.text(past.reason).text
    mark = wording.mark(wording.catalogue.tone(past.reason))
    facts = (told, f"{mark} {said}" + (f" ({why})" if why else ""), ended)
    return tuple(wording.write(fact) for fact in facts if fact)


def describe_remedy(remedy: Remedy | None, wording: Wording) -> str:
    """Return what Enter does about a record; nothing where nothing can be done."""
    labels = wording.catalogue.texts.staff
    told = {None: "", Remedy.OVERRIDE: labels.may_override, Remedy.UNDO: labels.may_undo}
    return wording.write(told[remedy])


def _end(past: Past, now: datetime, wording: Wording) -> str:
    labels = wording.catalogue.texts.staff
    template = {
        Ending.STANDS: "",
        Ending.TAKEN_BACK: labels.ended_taken_back,
        Ending.LET_IN_LATER: labels.ended_let_in,
        Ending.LET_IN_BY_SUPERVISOR: labels.ended_overridden,
    }[past.ending]
    return template.format(time=wording.time(past.ended_at, today=now)) if past.ended_at is not None else ""


def _name_reason(word: str | None, wording: Wording) -> str:
    """Return a supervisor's reason in words; what a later version of this program wrote, as it stands."""
    texts = wording.catalogue.texts
    known = {str(reason): text for table in (texts.overrides, texts.undos) for reason, text in table.items()}
    return "" if word is None or word in _ACTIONS else known.get(word, word)


def _name_action(past: Past, wording: Wording) -> str:
    action = _ACTIONS.get(past.why or "") if past.reason is Reason.STAFF_ACTION else None
    return "" if action is None else wording.catalogue.texts.actions[action]
