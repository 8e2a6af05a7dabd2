"""A tone for each kind of answer, from a player that works; else the bell."""

from __future__ import annotations

import io
import sys
import wave
from pathlib import Path

import pytest

from gate.catalogue.texts import Tone
from gate.tui.sound import Speaker, find_player, make_wave

HEARD = (Tone.GOOD, Tone.ATTENTION, Tone.BAD)


def keeping(path: Path) -> tuple[str, ...]:
    """Return a player that keeps what it is given."""
    return (sys.executable, "-c", f"import sys; open({str(path)!r}, 'wb').write(sys.stdin.buffer.read())")


@pytest.mark.parametrize("tone", HEARD)
def test_tone_is_a_short_wave(tone: Tone) -> None:
    with wave.open(io.BytesIO(make_wave(tone))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert 0.05 < file.getnframes() / file.getframerate() < 0.5


def test_tones_are_heard_apart() -> None:
    assert len({make_wave(tone) for tone in HEARD}) == len(HEARD)


async def test_player_gets_the_tone_and_the_bell_is_silent(tmp_path: Path) -> None:
    rings: list[bool] = []
    speaker = Speaker(keeping(tmp_path / "heard"), lambda: rings.append(True))
    await speaker.play(Tone.BAD)
    assert (tmp_path / "heard").read_bytes() == make_wave(Tone.BAD)
    assert rings == []


@pytest.mark.parametrize("player", [("/no/such/player",), (sys.executable, "-c", "raise SystemExit(3)")])
async def test_player_that_fails_is_replaced_by_the_bell(player: tuple[str, ...]) -> None:
    rings: list[bool] = []
    speaker = Speaker(player, lambda: rings.append(True))
    await speaker.play(Tone.BAD)
    assert not speaker.has_player
    speaker.ring(Tone.ATTENTION)
    assert len(rings) == 2


def test_bell_rings_for_refusals_only() -> None:
    rings: list[bool] = []
    speaker = Speaker(None, lambda: rings.append(True))
    for tone in Tone:
        speaker.ring(tone)
    assert len(rings) == 2


def test_player_is_the_first_that_is_there_and_none_over_ssh() -> None:
    there = {"aplay": "/usr/bin/aplay", "play": "/usr/bin/play"}
    assert find_player({}, there.get) == ("aplay", "-q", "-")
    assert find_player({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, there.get) is None
    assert find_player({}, lambda _: None) is None
