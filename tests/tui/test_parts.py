"""The parts a screen is made of: letters, viewfinder, badge, terminal detection, theme."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from textual.color import Color

from gate.catalogue.texts import LANGUAGES, Tone, load_catalogue
from gate.outcome import LOGIN_PAGE, GateStatus
from gate.tui.badge import Part, describe_link
from gate.tui.cards import Wording, describe_outcome
from gate.tui.display import detect_display
from gate.tui.letters import draw_word
from gate.tui.theme import DOOR
from gate.tui.widgets.viewfinder import paint_row, shade_row
from shared.admission.verdict import Reason, refuse
from tests.tui.scripted import NOW, OFFLINE, ONLINE, STALE, USED, fixed_display, make_outcome, seen_at

ENGLISH = Wording(catalogue=load_catalogue("en"), display=fixed_display())
TONES_ON_SCREEN = ("good", "attention", "bad", "neutral")


def badge(status: GateStatus) -> dict[str, Tone]:
    """Return the badge's parts and their tones."""
    return {part.text: part.tone for part in describe_link(status, NOW, ENGLISH)}


@given(
    word=st.sampled_from(sorted({word for name in LANGUAGES for word in load_catalogue(name).texts.words.values()})),
    symbol=st.sampled_from(["", "✓", "!", "✗"]),
    width=st.integers(min_value=0, max_value=250),
    height=st.integers(min_value=0, max_value=90),
    unicode=st.booleans(),
)
def test_big_word_never_leaves_its_room(word: str, symbol: str, width: int, height: int, *, unicode: bool) -> None:
    rows = draw_word(word, symbol, width, height, unicode=unicode)
    assert len(rows) <= height
    assert all(len(row) <= width for row in rows)
    assert unicode or all(set(row) <= {"#", " "} for row in rows)


def test_big_word_is_seven_rows_high_on_the_smallest_terminal() -> None:
    words = {word for name in LANGUAGES for word in load_catalogue(name).texts.words.values()}
    assert all(len(draw_word(word, "✗", 46, 9, unicode=True)) >= 7 for word in words)


def test_big_word_grows_with_its_room() -> None:
    small, large = (draw_word("STOP", "✗", width, height, unicode=True) for width, height in ((46, 9), (92, 26)))
    assert len(large) >= 2 * len(small) - 1
    assert len(large[0]) >= 2 * len(small[0]) - 2


def test_letters_are_drawn_as_designed() -> None:
    rows = draw_word("LI", "", 9, 7, unicode=False)
    assert rows == ["#     ###", *["#      # "] * 5, "##### ###"]


def test_viewfinder_draws_upper_pixel_as_ink_and_lower_as_paper() -> None:
    upper = np.array([[255, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    lower = np.array([[0, 255, 0], [0, 255, 0], [0, 0, 0]], np.uint8)
    segments = paint_row(upper, lower)
    assert [segment.text for segment in segments] == ["▀▀", "▀"]
    assert [str(segment.style) for segment in segments] == [
        "rgb(248,0,0) on rgb(0,248,0)",
        "rgb(0,0,248) on rgb(0,0,0)",
    ]


def test_viewfinder_without_colour_goes_from_dark_to_bright() -> None:
    grey = np.repeat(np.array([[0], [70], [140], [255]], np.uint8), 3, axis=1)
    assert shade_row(grey, grey, " .x#")[0].text == " .x#"


def test_badge_is_calm_when_all_is_well() -> None:
    assert badge(ONLINE) == {
        "● ONLINE": Tone.GOOD,
        "data 2 s": Tone.NEUTRAL,
        "all sent": Tone.NEUTRAL,
        "keys to Wed 06:00": Tone.NEUTRAL,
        "clock ok": Tone.NEUTRAL,
    }


@pytest.mark.parametrize(
    ("status", "part", "tone"),
    [
        (OFFLINE, "○ OFFLINE!", Tone.ATTENTION),
        (replace(OFFLINE, linked=True), "◐ OFFLINE!", Tone.ATTENTION),
        (OFFLINE, "data 12 min!", Tone.ATTENTION),
        (OFFLINE, "218 to send", Tone.NEUTRAL),
        (OFFLINE, "clock ?", Tone.NEUTRAL),
        (replace(ONLINE, data_age_s=None), "data never!", Tone.ATTENTION),
        (replace(ONLINE, data_age_s=200_000.0), "data 2 d!", Tone.ATTENTION),
        (replace(ONLINE, data_age_s=7200.0), "data 2 h!", Tone.ATTENTION),
        (replace(ONLINE, backlog=12_345), "12 345 to send!", Tone.ATTENTION),
        (replace(ONLINE, keys_until=None), "no keys!", Tone.BAD),
        (replace(ONLINE, keys_until=NOW), "keys over!", Tone.BAD),
        (replace(ONLINE, keys_until=NOW + timedelta(hours=11)), "keys to Sun 06:45!", Tone.ATTENTION),
        (replace(ONLINE, keys_until=NOW + timedelta(days=9)), "keys 9 days", Tone.NEUTRAL),
        (replace(ONLINE, clock_offset_s=-19.9), "clock ok", Tone.NEUTRAL),
        (replace(ONLINE, clock_offset_s=42.0), "clock +42 s!", Tone.ATTENTION),
        (replace(ONLINE, clock_offset_s=-61.0), "clock -1 min!", Tone.BAD),
    ],
)
def test_badge_marks_what_is_amiss(status: GateStatus, part: str, tone: Tone) -> None:
    assert badge(status)[part] is tone


def test_badge_part_with_a_tone_has_a_mark_that_needs_no_colour() -> None:
    parts: tuple[Part, ...] = describe_link(replace(OFFLINE, keys_until=None, clock_offset_s=99.0), NOW, ENGLISH)
    assert all(part.text.endswith("!") == (part.tone in {Tone.ATTENTION, Tone.BAD}) for part in parts)


def test_earlier_day_is_named_and_unknown_gate_left_out() -> None:
    earlier = make_outcome(refuse(Reason.ALREADY_USED, prior=seen_at(NOW - timedelta(days=1))))
    assert describe_outcome(earlier, ENGLISH).facts == ("already in: Fri 19:45:12",)
    assert describe_outcome(replace(USED, prior_gate="\u200b"), ENGLISH).facts == ("already in: 19:42:07",)


def test_details_are_left_out_when_not_known() -> None:
    assert describe_outcome(STALE, ENGLISH).facts == ("135 seconds too old",)
    assert describe_outcome(replace(STALE, skew_s=None), ENGLISH).facts == ()


@pytest.mark.parametrize(("wait_s", "minutes"), [(1, "1"), (60, "1"), (61, "2"), (3600, "60")])
def test_waiting_time_is_told_in_whole_minutes(wait_s: int, minutes: str) -> None:
    card = describe_outcome(make_outcome(refuse(Reason.COOLDOWN, wait_s=wait_s)), ENGLISH)
    assert card.facts == (f"again in {minutes} min",)


@pytest.mark.parametrize(
    ("environ", "colour", "unicode"),
    [
        ({"TERM": "xterm-256color", "LANG": "de_DE.UTF-8"}, True, True),
        ({"TERM": "tmux-256color"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ({"TERM": "vt100", "LANG": "C.UTF-8"}, False, False),
        ({"TERM": "linux", "LANG": "C.UTF-8"}, True, False),
        ({"TERM": "xterm", "LANG": "C"}, True, False),
        ({"TERM": "xterm", "LC_ALL": "en_GB.utf8", "LANG": "C"}, True, True),
    ],
)
def test_terminal_is_recognised(environ: dict[str, str], *, colour: bool, unicode: bool) -> None:
    display = detect_display(environ)
    assert (display.colour, display.unicode) == (colour, unicode)


@pytest.mark.parametrize("tone", TONES_ON_SCREEN)
def test_verdict_colours_have_high_contrast(tone: str) -> None:
    paper, ink = Color.parse(DOOR.variables[tone]), Color.parse(DOOR.variables[f"on-{tone}"])
    assert contrast(paper, ink) >= 7


def test_good_and_bad_differ_in_brightness_not_only_in_hue() -> None:
    assert contrast(Color.parse(DOOR.variables["good"]), Color.parse(DOOR.variables["bad"])) >= 3


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of WCAG 2.2, 1 to 21."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: Color) -> float:
    """Return the relative luminance of WCAG 2.2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_badge_names_a_networks_login_page_while_it_keeps_the_gate_from_its_server() -> None:
    assert any("login page of the network" in text for text in badge(replace(OFFLINE, hindrance=LOGIN_PAGE)))
    assert not any("login page" in text for text in badge(replace(OFFLINE, hindrance="server_away")))
    assert not any("login page" in text for text in badge(ONLINE))
