"""A reader that types what it reads is told from a person by nothing but the time between keys."""

from __future__ import annotations

from itertools import count

import pytest

from gate.wedge import Freed, Wedge, WedgeTimes

TIMES = WedgeTimes(gap_s=0.05, pause_s=0.5)
FAST_S = 0.004
NAMES = {"\r": "enter", "\n": "ctrl+j", "\t": "tab"}


class Keyboard:
    """Presses keys at times of a test's choosing and keeps what became clear."""

    def __init__(self) -> None:
        self.wedge: Wedge[str] = Wedge(TIMES)
        self.now_s = 100.0
        self.freed: list[Freed[str]] = []

    def press(self, keys: str, gap_s: float = FAST_S) -> None:
        """Press keys; a star is one that writes nothing."""
        for key in keys:
            self.now_s += gap_s
            name = {**NAMES, "*": "f1"}.get(key, key)
            text = None if key == "*" else key
            self.freed += self.wedge.press(key, name, text, self.now_s)

    def wait(self, seconds: float) -> None:
        """Let time pass and have a look."""
        self.now_s += seconds
        self.freed += self.wedge.look(self.now_s)

    @property
    def codes(self) -> list[str]:
        """What was read."""
        return [one.code for one in self.freed if one.code is not None]

    @property
    def pressed(self) -> str:
        """The keys that are a person's, in order."""
        return "".join("".join(one.keys) for one in self.freed if not one.fast)

    @property
    def torn(self) -> int:
        """How many codes broke off."""
        return sum(1 for one in self.freed if one.fast and one.code is None)


@pytest.mark.parametrize("end", ["\r", "\n", "\t", "\r\n", "\n\r"])
def test_fast_keys_with_an_end_are_a_code_and_no_key(end: str) -> None:
    keyboard = Keyboard()
    keyboard.press("TPSINC 7$" + end)
    keyboard.wait(5)
    assert keyboard.codes == ["TPSINC 7$"]
    assert keyboard.pressed == ""
    assert keyboard.wedge.due_s is None


def test_key_alone_is_a_persons_after_a_moment_and_not_before() -> None:
    keyboard = Keyboard()
    keyboard.press("t")
    keyboard.wait(TIMES.gap_s - 0.01)
    assert keyboard.pressed == ""
    keyboard.wait(0.02)
    assert keyboard.pressed == "t"


def test_keys_of_a_person_keep_their_order_with_those_that_write_nothing() -> None:
    keyboard = Keyboard()
    keyboard.press("st", gap_s=0.2)
    keyboard.press("*2\r", gap_s=0.12)
    keyboard.press("\r", gap_s=1)
    assert keyboard.pressed == "st*2\r\r"
    assert keyboard.codes == []


def test_two_fingers_at_once_are_no_reader() -> None:
    keyboard = Keyboard()
    keyboard.press("qy")
    keyboard.wait(1)
    assert (keyboard.pressed, keyboard.torn) == ("qy", 0)


def test_code_that_breaks_off_presses_nothing() -> None:
    keyboard = Keyboard()
    keyboard.press("qyqyTTP")
    keyboard.wait(TIMES.pause_s + 0.01)
    assert (keyboard.pressed, keyboard.torn, keyboard.codes) == ("", 1, [])


def test_reader_that_pauses_within_a_code_is_waited_for() -> None:
    keyboard = Keyboard()
    keyboard.press("K7QW")
    keyboard.wait(0.4)
    keyboard.press("3M2X\r")
    assert keyboard.codes == ["K7QW3M2X"]


def test_key_held_down_is_no_code() -> None:
    keyboard = Keyboard()
    keyboard.press("m" * 30, gap_s=0.033)
    keyboard.press("\r", gap_s=0.033)
    assert keyboard.codes == []


def test_keyboard_with_caps_lock_on_reads_the_same() -> None:
    keyboard = Keyboard()
    keyboard.press("tt 01-k7$\r")
    assert keyboard.codes == ["TT 01-K7$"]
    keyboard.press("https://Foreign\r", gap_s=0.04)
    assert keyboard.codes[1] == "https://Foreign"


def test_person_after_a_code_and_a_code_after_a_person() -> None:
    keyboard = Keyboard()
    keyboard.press("p", gap_s=1)
    keyboard.wait(1)
    keyboard.press("ABCD\r")
    keyboard.press("\r", gap_s=1)
    keyboard.press("EFGH\r", gap_s=0.01)
    assert keyboard.codes == ["ABCD", "EFGH"]
    assert keyboard.pressed == "p\r"


def test_endless_typing_is_cut_off() -> None:
    keyboard = Keyboard()
    for number in count():
        keyboard.press("ab"[number % 2])
        if keyboard.torn:
            break
    assert number + 1 == 4096
