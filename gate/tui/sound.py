"""A tone for each kind of answer: through a player where there is one, else the terminal's bell for refusals."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import structlog

from gate.catalogue.texts import Tone

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
PLAYERS = (("pw-play", "-"), ("aplay", "-q", "-"), ("play", "-q", "-t", "wav", "-"))
"""Programs that play what they read from standard input, the best first."""

_RATE = 22_050
_PLAY_WITHIN_S = 3.0
# Hertz and milliseconds; a refusal is lower and longer, so that it is heard apart in the noise of an entrance.
_MELODIES = {
    Tone.GOOD: ((1760, 90),),
    Tone.ATTENTION: ((880, 140), (0, 60), (880, 140)),
    Tone.BAD: ((220, 450),),
}


def find_player(environ: Mapping[str, str], find: Callable[[str], str | None]) -> tuple[str, ...] | None:
    """Return the command of a player; none over ssh, where it would sound at the wrong place."""
    if environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"):
        return None
    return next((player for player in PLAYERS if find(player[0]) is not None), None)


class Speaker:
    """Plays one tone at a time; a player that fails is not asked again."""

    def __init__(self, player: tuple[str, ...] | None, ring: Callable[[], None]) -> None:
        self._player = player
        self._ring = ring

    @property
    def has_player(self) -> bool:
        """Whether there is a program to ask."""
        return self._player is not None

    def ring(self, tone: Tone) -> None:
        """Ring the bell for a refusal."""
        if tone in _MELODIES and tone is not Tone.GOOD:
            self._ring()

    async def play(self, tone: Tone) -> None:
        """Sound a tone; where the player fails, refusals ring."""
        if tone not in _MELODIES or self._player is None:
            return
        if not await self._play_with(self._player, make_wave(tone)):
            self.ring(tone)

    async def _play_with(self, player: tuple[str, ...], sound: bytes) -> bool:
        try:
            process = await asyncio.create_subprocess_exec(
                *player,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except OSError as exc:
            return self._give_up(str(exc))
        try:
            async with asyncio.timeout(_PLAY_WITHIN_S):
                await process.communicate(sound)
        except TimeoutError:
            return self._give_up("it takes too long")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode == 0 or self._give_up(f"it ended with {process.returncode}")

    def _give_up(self, why: str) -> bool:
        _log.warning("sound.player_failed", player=(self._player or ("",))[0], why=why)
        self._player = None
        return False


@cache
def make_wave(tone: Tone) -> bytes:
    """Return a tone as a WAV file: mono, 16 bits, with soft edges."""
    parts = [_make_note(hertz, milliseconds) for hertz, milliseconds in _MELODIES[tone]]
    samples = (np.concatenate(parts) * 0.6 * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE)
        out.writeframes(samples.tobytes())
    return file.getvalue()


def _make_note(hertz: int, milliseconds: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    count = _RATE * milliseconds // 1000
    edge = np.minimum(1.0, np.minimum(np.arange(count), np.arange(count)[::-1]) / (_RATE * 0.008))
    return np.asarray(np.sin(2 * np.pi * hertz * np.arange(count) / _RATE) * edge)
