"""What is said of a ticket that is only looked at: sentences and history, never the word that lets somebody in."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from gate.catalogue.texts import Tone
from gate.staff import Passage, Peeked
from gate.tui.cards import Wording
from shared.admission.verdict import Direction

_WORDS = 60
_MOST_PASSAGES = 8


class LookCard(Struct, frozen=True, kw_only=True):
    """The page's lines: what would be answered, whose ticket it is, and where it has been, newest first."""

    tone: Tone
    verdict: str
    facts: tuple[str, ...]
    passages: tuple[str, ...]


def describe_peek(peeked: Peeked, now: datetime, wording: Wording) -> LookCard:
    """Return the card of a ticket that was looked at."""
    catalogue, labels = wording.catalogue, wording.catalogue.texts.staff
    reason = peeked.verdict.reason
    would = labels.peek_would if peeked.verdict.admitted else labels.peek_would_not
    mark = wording.mark(Tone.NEUTRAL if peeked.verdict.admitted else catalogue.tone(reason))
    return LookCard(
        tone=Tone.NEUTRAL if peeked.verdict.admitted else catalogue.tone(reason),
        verdict=wording.write(f"{mark} {would}: {catalogue.text(reason).text}"),
        facts=tuple(wording.write(fact) for fact in _facts(peeked, wording) if fact),
        passages=_passages(peeked, now, wording) if peeked.handle_hash is not None else (),
    )


def _facts(peeked: Peeked, wording: Wording) -> list[str]:
    labels, holder = wording.catalogue.texts.staff, peeked.holder
    whose = [wording.plain(part, _WORDS) for part in (holder.name, holder.seat, holder.product)] if holder else []
    if peeked.handle_hash is None:
        return []
    state = wording.catalogue.texts.states[peeked.state] if peeked.state is not None else labels.peek_not_known
    hold = f", {labels.peek_on_hold}" if peeked.locked else ""
    return [
        " · ".join(part for part in whose if part),
        labels.peek_state.format(state=state + hold),
        labels.peek_number.format(number=peeked.number) if peeked.number else "",
    ]


def _passages(peeked: Peeked, now: datetime, wording: Wording) -> tuple[str, ...]:
    if not peeked.passages:
        return (wording.write(wording.catalogue.texts.staff.peek_never),)
    return tuple(_describe_passage(one, now, wording) for one in peeked.passages[:_MOST_PASSAGES])


def _describe_passage(passage: Passage, now: datetime, wording: Wording) -> str:
    texts = wording.catalogue.texts
    way = texts.pages.way_out if passage.direction is Direction.EXIT else texts.pages.way_in
    line = texts.staff.peek_passage.format(
        time=wording.time(passage.at, today=now), way=way, gate=wording.plain(passage.gate or "", _WORDS)
    ).rstrip()
    return wording.write(f"{line} {texts.staff.peek_by_supervisor}" if passage.supervised else line)
