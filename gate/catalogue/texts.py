"""The catalogue of texts: tones and words per reason, and each language's sentences, read from the TOML files beside it."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import TypeVar

import msgspec
from msgspec import Struct

from gate.catalogue.labels import EnrolLabels, Labels, PageLabels, StaffLabels
from gate.staff import Obstacle
from shared.admission.override import OverrideReason, StaffAction, UndoReason
from shared.admission.verdict import Reason
from shared.problems import DataDamaged, SettingsInvalid
from shared.tickets.lifecycle import State

T = TypeVar("T")


class Tone(StrEnum):
    """How a verdict looks and sounds."""

    GOOD = "good"
    ATTENTION = "attention"
    BAD = "bad"
    NEUTRAL = "neutral"


class Word(StrEnum):
    """What the big word says, whatever the language."""

    GO = "go"
    OUT = "out"
    LOOK = "look"
    STOP = "stop"
    WAIT = "wait"
    ID = "id"
    CALL = "call"
    READY = "ready"
    BACK = "back"
    CLOSED = "closed"


class KeyId(StrEnum):
    """What a key does; the id under which it can be put on another key."""

    CODE = "code"
    PEEK = "peek"
    STAFF = "staff"
    INFO = "info"
    HISTORY = "history"
    NETWORK = "network"
    LANE = "lane"
    CLEAR = "clear"
    SETTINGS = "settings"
    MUTE = "mute"
    LANGUAGE = "language"
    HELP = "help"
    QUIT = "quit"


class Fault(StrEnum):
    """What can be wrong with the gate's own files, by the code of the problem."""

    FULL = "disk_full"
    NOT_WRITABLE = "store_not_writable"
    FAILING = "store_failing"
    DAMAGED = "store_damaged"


class Mark(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tone's symbol, and what stands for it on a terminal that knows only ASCII."""

    symbol: str
    ascii: str


class Sign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a reason looks like in every language."""

    tone: Tone
    word: Word


class Signs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of the catalogue that has no language."""

    marks: dict[Tone, Mark]
    reasons: dict[Reason, Sign]


class ReasonText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reason in one language.

    ``label`` fits a list (12 characters); ``text`` says what is the matter and ``action`` what the staff do now; both are
    complete sentences without placeholders. ``detail`` has placeholders and is shown only when all of them are known.
    """

    label: str
    text: str
    action: str
    detail: str = ""


class FaultText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What puts the gate out of order, in one language: what is the matter and what to do now, in complete sentences."""

    text: str
    action: str


class KeyText(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key's short name for the bar at the bottom and its explanation for the help."""

    name: str
    help: str


class Texts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One language, as its file has it."""

    name: str
    words: dict[Word, str]
    labels: Labels
    staff: StaffLabels
    pages: PageLabels
    enrol: EnrolLabels
    keys: dict[KeyId, KeyText]
    overrides: dict[OverrideReason, str]
    undos: dict[UndoReason, str]
    actions: dict[StaffAction, str]
    obstacles: dict[Obstacle, str]
    states: dict[State, str]
    faults: dict[Fault, FaultText]
    reasons: dict[Reason, ReasonText]


class Catalogue(Struct, frozen=True, kw_only=True):
    """All that can be said in one language."""

    language: str
    signs: Signs
    texts: Texts

    def tone(self, reason: Reason) -> Tone:
        """Return how a reason looks."""
        return self.signs.reasons[reason].tone

    def word(self, reason: Reason) -> str:
        """Return a reason's big word."""
        return self.texts.words[self.signs.reasons[reason].word]

    def text(self, reason: Reason) -> ReasonText:
        """Return what is said of a reason."""
        return self.texts.reasons[reason]

    def fault(self, code: str | None) -> FaultText | None:
        """Return what is said of a problem with the gate's files, None of any other."""
        return self.texts.faults[Fault(code)] if code in set(Fault) else None

    def mark(self, tone: Tone, *, unicode: bool) -> str:
        """Return a tone's symbol, one column wide."""
        mark = self.signs.marks[tone]
        return mark.symbol if unicode else mark.ascii


LANGUAGES = ("en", "de")
"""The languages there are, in the order in which the language key goes through them."""


@cache
def load_catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language; its files are read once.

    Raises:
        SettingsInvalid: there is no such language.
        DataDamaged: a file of the catalogue is not what this program was built with.
    """
    if language not in LANGUAGES:
        raise SettingsInvalid(f"There is no language '{language}': choose one of {', '.join(LANGUAGES)}.")
    return Catalogue(language=language, signs=_read("signs.toml", Signs), texts=_read(f"{language}.toml", Texts))


def next_language(language: str) -> str:
    """Return the language after this one, round and round."""
    return LANGUAGES[(LANGUAGES.index(language) + 1) % len(LANGUAGES)]


def placeholders(template: str) -> frozenset[str]:
    """Return the names in braces of a template."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def fill(template: str, **values: str | None) -> str:
    """Return a template with its values, or nothing at all if one of those it needs is unknown."""
    if any(values.get(name) is None for name in placeholders(template)):
        return ""
    return template.format(**values)


def _read(name: str, kind: type[T]) -> T:
    try:
        text = files("gate.catalogue").joinpath(name).read_text(encoding="utf-8")
        return msgspec.toml.decode(text, type=kind)
    except (OSError, msgspec.DecodeError) as exc:
        raise DataDamaged(f"The gate's texts in {name} cannot be read: install this program again.") from exc
