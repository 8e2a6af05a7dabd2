"""Every reason can be told in every language, says what to do, and promises only values the gate has."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from gate.catalogue.texts import LANGUAGES, Fault, KeyId, Tone, Word, fill, load_catalogue, next_language, placeholders
from gate.staff import Obstacle
from gate.tui.letters import has_glyphs
from shared.admission.override import OverrideReason, StaffAction, UndoReason
from shared.admission.verdict import ADMITTING, NO_SCAN, Reason
from shared.problems import SettingsInvalid
from shared.tickets.lifecycle import State

KNOWN_VALUES = {"seconds", "minutes"}
USED_BEFORE = {Reason.ALREADY_USED, Reason.ALREADY_USED_ELSEWHERE, Reason.MUST_EXIT_FIRST, Reason.LIMIT_REACHED}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    """Give each language in turn."""
    return str(request.param)


def test_every_reason_has_a_sign_and_no_other_has() -> None:
    assert set(load_catalogue("en").signs.reasons) == set(Reason)


def test_every_tone_has_symbols_one_column_wide_and_an_ascii_one() -> None:
    marks = load_catalogue("en").signs.marks
    assert set(marks) == set(Tone)
    assert all(cell_len(mark.symbol) == len(mark.symbol) == 1 for mark in marks.values())
    assert all(len(mark.ascii) == 1 and mark.ascii.isascii() for mark in marks.values())


def test_tones_differ_by_symbol_in_both_character_sets() -> None:
    marks = load_catalogue("en").signs.marks.values()
    assert len({mark.symbol for mark in marks}) == len({mark.ascii for mark in marks}) == len(Tone)


def test_every_reason_word_and_key_is_told_in_each_language(language: str) -> None:
    texts = load_catalogue(language).texts
    assert set(texts.reasons) == set(Reason)
    assert set(texts.words) == set(Word)
    assert set(texts.keys) == set(KeyId)
    assert set(texts.overrides) == set(OverrideReason)
    assert set(texts.undos) == set(UndoReason)
    assert set(texts.actions) == set(StaffAction)
    assert set(texts.obstacles) == set(Obstacle)
    assert set(texts.states) == set(State)
    assert set(texts.faults) == set(Fault)


def test_no_text_is_empty(language: str) -> None:
    texts = load_catalogue(language).texts
    told = [part for text in texts.reasons.values() for part in (text.label, text.text, text.action)]
    told += [*texts.words.values(), *(part for key in texts.keys.values() for part in (key.name, key.help))]
    for labels in (texts.labels, texts.staff, texts.pages, texts.enrol):
        told += [str(getattr(labels, name)) for name in labels.__struct_fields__]
    told += [
        *texts.overrides.values(),
        *texts.undos.values(),
        *texts.actions.values(),
        *texts.obstacles.values(),
        *texts.states.values(),
    ]
    told += [part for text in texts.faults.values() for part in (text.text, text.action)]
    assert len(told) > 3 * len(Reason)
    assert all(part == part.strip() and part for part in told)


def test_every_action_is_a_sentence_of_its_own(language: str) -> None:
    for reason, text in load_catalogue(language).texts.reasons.items():
        assert text.action.endswith((".", "?")), reason
        assert len(text.action.split()) >= 2, reason


def test_labels_fit_the_list(language: str) -> None:
    too_long = [text.label for text in load_catalogue(language).texts.reasons.values() if cell_len(text.label) > 12]
    assert not too_long


def test_every_word_can_be_drawn_large_and_is_short(language: str) -> None:
    words = load_catalogue(language).texts.words
    assert all(has_glyphs(word) and len(word) <= 6 for word in words.values())


def test_words_of_different_meaning_differ(language: str) -> None:
    words = load_catalogue(language).texts.words
    assert len(set(words.values())) == len(words)


def test_only_details_have_placeholders_and_only_known_ones(language: str) -> None:
    for reason, text in load_catalogue(language).texts.reasons.items():
        assert not placeholders(text.text + text.action + text.label), reason
        assert placeholders(text.detail) <= KNOWN_VALUES, reason


def test_placeholders_are_the_same_in_all_languages() -> None:
    english = load_catalogue("en").texts
    for language in LANGUAGES:
        texts = load_catalogue(language).texts
        for reason in Reason:
            assert placeholders(texts.reasons[reason].detail) == placeholders(english.reasons[reason].detail), reason
        for theirs, ours in (
            (texts.labels, english.labels),
            (texts.staff, english.staff),
            (texts.pages, english.pages),
        ):
            for name in ours.__struct_fields__:
                there, here = getattr(theirs, name), getattr(ours, name)
                assert isinstance(here, tuple) or placeholders(there) == placeholders(here), name
        for obstacle in Obstacle:
            assert placeholders(texts.obstacles[obstacle]) == placeholders(english.obstacles[obstacle]), obstacle


def test_earlier_use_is_told_with_time_and_gate(language: str) -> None:
    labels = load_catalogue(language).texts.labels
    assert placeholders(labels.prior) == {"time", "gate"}
    assert placeholders(labels.prior_unplaced) == {"time"}


def test_tones_follow_the_verdict() -> None:
    catalogue = load_catalogue("en")
    for reason in set(Reason) - {Reason.DOUBLE_READ} - NO_SCAN:
        expected = Tone.GOOD if reason in ADMITTING else Tone.ATTENTION if reason in USED_BEFORE else Tone.BAD
        assert catalogue.tone(reason) is expected, reason


def test_only_admissions_have_an_admitting_word() -> None:
    signs = load_catalogue("en").signs.reasons
    assert {reason for reason, sign in signs.items() if sign.word in {Word.GO, Word.OUT}} == ADMITTING


def test_a_value_that_is_not_known_leaves_the_whole_template_out() -> None:
    assert fill("{seconds} seconds", seconds=None) == ""
    assert fill("{seconds} seconds", seconds="12") == "12 seconds"


def test_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsInvalid, match="en, de"):
        load_catalogue("tlh")


def test_the_language_key_comes_back_to_where_it_began() -> None:
    seen = ["en"]
    for _ in LANGUAGES:
        seen.append(next_language(seen[-1]))
    assert seen[-1] == "en"
    assert set(seen) == set(LANGUAGES)
