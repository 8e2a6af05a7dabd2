"""What is on the screen in words, made of an outcome or a status by pure functions, before any widget sees it."""

from __future__ import annotations

from datetime import datetime
from math import ceil, inf

from msgspec import Struct

from gate.catalogue.texts import Catalogue, FaultText, Tone, Word, fill
from gate.outcome import GateStatus, Outcome
from gate.ports import RecordKind
from gate.tui.display import Display
from gate.tui.plain import make_ascii, make_plain
from shared.admission.override import UndoReason
from shared.admission.verdict import Reason
from shared.clock import from_unix_ms

_NAME_COLUMNS = 44
_PLACE_COLUMNS = 24
_CAUSE_COLUMNS = 600


class Wording(Struct, frozen=True, kw_only=True):
    """A language and the display it is written on."""

    catalogue: Catalogue
    display: Display

    def write(self, text: str) -> str:
        """Return a text in the characters the terminal has."""
        return text if self.display.unicode else make_ascii(text)

    def plain(self, text: str, columns: int) -> str:
        """Return a stranger's text made safe, in the characters the terminal has."""
        return self.write(make_plain(text, columns))

    def mark(self, tone: Tone) -> str:
        """Return a tone's symbol."""
        return self.catalogue.mark(tone, unicode=self.display.unicode)

    def time(self, moment: datetime, *, today: datetime) -> str:
        """Return a moment in the venue's time, with its weekday unless it is today."""
        local = moment.astimezone(self.display.zone)
        text = f"{local:%H:%M:%S}"
        same_day = local.date() == today.astimezone(self.display.zone).date()
        return text if same_day else f"{self.catalogue.texts.labels.weekdays[local.weekday()]} {text}"


class Card(Struct, frozen=True, kw_only=True):
    """What the big panel says. ``symbol`` is drawn large, ``headline`` repeats symbol and word for screens read as text."""

    tone: Tone
    symbol: str
    word: str
    headline: str
    facts: tuple[str, ...] = ()
    name: str = ""
    ticket: str = ""
    action: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """One line of the list of scans."""

    tone: Tone
    time: str
    mark: str
    label: str
    code_id: str


class Tally(Struct, frozen=True, kw_only=True):
    """One counter."""

    label: str
    value: str


def is_quiet(outcome: Outcome) -> bool:
    """Say whether it is only listed: what a turnstile did must not cover the answer to the next guest."""
    return outcome.override == UndoReason.NOBODY_TURNED


def is_repeat(outcome: Outcome) -> bool:
    """Say whether an outcome only repeats an answer: the guest still holds the phone up.

    A gate that could not write a scan down has no number for it either; that one must be seen.
    """
    reason = outcome.verdict.reason
    return reason is Reason.DOUBLE_READ or (outcome.scan is None and reason is not Reason.INTERNAL_ERROR)


def hold_s(outcome: Outcome, display: Display) -> float:
    """Return how long an answer stays by itself: a gate out of order stays so until a scan can be written down again."""
    if outcome.fault is not None:
        return inf
    return display.admitted_s if outcome.verdict.admitted else display.refused_s


def describe_fault(told: FaultText, wording: Wording, cause: str = "") -> Card:
    """Return the card of a gate out of order; ``cause`` is the problem's own sentence, for whoever repairs it."""
    word = wording.catalogue.texts.words[Word.CLOSED]
    return Card(
        tone=Tone.BAD,
        symbol=wording.catalogue.mark(Tone.BAD, unicode=True),
        word=word,
        headline=wording.write(f"{wording.mark(Tone.BAD)} {word}: {told.text}"),
        facts=(wording.plain(cause, _CAUSE_COLUMNS),) if cause else (),
        action=wording.write(f"{wording.catalogue.texts.labels.next} {told.action}"),
    )


def describe_outcome(outcome: Outcome, wording: Wording) -> Card:
    """Return the card of a verdict."""
    broken = wording.catalogue.fault(outcome.fault)
    if broken is not None:
        return describe_fault(broken, wording)
    catalogue, reason = wording.catalogue, outcome.verdict.reason
    tone, word, text = catalogue.tone(reason), catalogue.word(reason), catalogue.text(reason)
    holder = outcome.holder
    seat_and_kind = [wording.plain(part, _PLACE_COLUMNS) for part in (holder.seat, holder.product)] if holder else []
    return Card(
        tone=tone,
        symbol=catalogue.mark(tone, unicode=True),
        word=word,
        headline=wording.write(f"{wording.mark(tone)} {word}: {text.text}"),
        facts=tuple(wording.write(fact) for fact in _facts(outcome, wording) if fact),
        name=wording.plain(holder.name, _NAME_COLUMNS) if holder else "",
        ticket=wording.write(" · ").join(part for part in seat_and_kind if part),
        action=wording.write(f"{catalogue.texts.labels.next} {text.action}"),
    )


def describe_ready(status: GateStatus | None, wording: Wording) -> Card:
    """Return the card that waits for the next guest and says what to do, or what is in the way."""
    if status is not None and status.revoked:
        return _describe_revoked(wording)
    labels = wording.catalogue.texts.labels
    word = wording.catalogue.texts.words[Word.READY]
    text, sign, facts = labels.ready, Tone.NEUTRAL, ""
    if status is not None:
        facts = labels.tickets.format(count=group(status.tickets))
        if not status.tickets:
            text, sign, facts = labels.ready_no_tickets, Tone.ATTENTION, ""
        elif not status.camera_alive:
            text, sign = labels.ready_no_camera, Tone.ATTENTION
    # The panel stays dark whatever is in the way: bright colours belong to answers.
    return Card(
        tone=Tone.NEUTRAL,
        symbol="" if sign is Tone.NEUTRAL else wording.catalogue.mark(sign, unicode=True),
        word=word,
        headline=wording.write(f"{wording.mark(sign)} {word}: {text}"),
        facts=(facts,) if facts else (),
    )


def _describe_revoked(wording: Wording) -> Card:
    texts = wording.catalogue.texts
    word = texts.words[Word.CLOSED]
    return Card(
        tone=Tone.BAD,
        symbol=wording.catalogue.mark(Tone.BAD, unicode=True),
        word=word,
        headline=wording.write(f"{wording.mark(Tone.BAD)} {word}: {texts.labels.revoked}"),
        action=wording.write(f"{texts.labels.next} {texts.labels.revoked_action}"),
    )


def describe_repeat(outcome: Outcome, wording: Wording) -> str:
    """Return the small line that tells of a double read."""
    time = wording.time(outcome.at, today=outcome.at)
    sign = "↻ " if wording.display.unicode else "= "
    return sign + wording.write(wording.catalogue.texts.labels.again.format(time=time))


def describe_row(outcome: Outcome, wording: Wording) -> Row:
    """Return a scan's line in the list."""
    reason = outcome.verdict.reason
    tone = wording.catalogue.tone(reason)
    return Row(
        tone=tone,
        time=wording.time(outcome.at, today=outcome.at),
        mark=wording.mark(tone),
        label=wording.write(wording.catalogue.text(reason).label),
        code_id=make_ascii(make_plain(outcome.code_id, 16)),
    )


def describe_counts(status: GateStatus, wording: Wording) -> tuple[Tally, ...]:
    """Return the counters in the order in which they are read: this gate's, then those of the house."""
    labels, counts = wording.catalogue.texts.labels, status.counts
    rate = f"{counts.per_minute:.1f}".replace(".", labels.decimal)
    tallies = (
        (labels.admitted, group(counts.admitted)),
        (labels.exited, group(counts.exited)),
        (labels.refused, group(counts.refused)),
        (labels.per_minute, rate),
        (labels.inside, group(status.inside)),
    )
    return tuple(Tally(label=wording.write(label), value=value) for label, value in tallies)


def _facts(outcome: Outcome, wording: Wording) -> tuple[str, ...]:
    return _detail(outcome, wording), _prior(outcome, wording), _supervised(outcome, wording)


def _supervised(outcome: Outcome, wording: Wording) -> str:
    if outcome.override is None:
        return ""
    texts, undone = wording.catalogue.texts, outcome.kind is RecordKind.UNDO
    reasons: dict[str, str] = {str(one): text for one, text in (texts.undos if undone else texts.overrides).items()}
    nobody = texts.labels.turnstile if outcome.override == UndoReason.NOBODY_TURNED else "?"
    who = make_plain(outcome.supervisor or nobody, _PLACE_COLUMNS)
    template = texts.labels.taken_back if undone else texts.labels.supervised
    return template.format(who=who, why=reasons.get(outcome.override, outcome.override))


def _detail(outcome: Outcome, wording: Wording) -> str:
    skew_s, wait_s = outcome.skew_s, outcome.verdict.wait_s
    return fill(
        wording.catalogue.text(outcome.verdict.reason).detail,
        seconds=None if skew_s is None else group(abs(skew_s)),
        minutes=None if wait_s is None else str(max(1, ceil(wait_s / 60))),
    )


def _prior(outcome: Outcome, wording: Wording) -> str:
    prior = outcome.verdict.prior
    if prior is None:
        return ""
    labels = wording.catalogue.texts.labels
    time = wording.time(from_unix_ms(prior.at_ms), today=outcome.at)
    gate = make_plain(outcome.prior_gate or "", _PLACE_COLUMNS)
    return fill(labels.prior, time=time, gate=gate or None) or fill(labels.prior_unplaced, time=time)


def group(number: int) -> str:
    """Return a number with its thousands set apart."""
    return f"{number:,}".replace(",", " ")
