"""Everything a recording shows, at the times of the recording and as fast as it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gate.scanner.debounce import HOLD_S, Debounce
from gate.scanner.decoder import Decoder
from gate.scanner.folder import VIDEO_SUFFIXES
from gate.scanner.frames import SourceEvent
from gate.scanner.pace import SteppedPace
from gate.scanner.source import SourceKind, SourceSpec, open_source, parse_source
from shared.clock import ManualClock
from shared.problems import InputUnusable
from shared.secrecy import Reticent


class Sighted(Reticent, frozen=True, kw_only=True):
    """A code shown in a recording: in which picture, counted from 0, and how many seconds after the beginning."""

    text: str
    picture: int
    shown_s: float


class Looked(Struct, frozen=True, kw_only=True):
    """One picture was looked at: its number, and what was shown anew in it."""

    picture: int
    sighted: tuple[Sighted, ...]


def parse_recording(text: str) -> SourceSpec:
    """Return what a person named: a film or a folder.

    Raises:
        InputUnusable: it is neither, or not there.
    """
    spec = parse_source(text)
    if spec.kind not in {SourceKind.VIDEO, SourceKind.FOLDER}:
        raise InputUnusable(f"{spec.label} is no recording: give a film, or a folder of pictures.")
    return replace(spec, paced=False, follow=False)


def read_recording(spec: SourceSpec, decoder: Decoder) -> Iterator[Looked]:
    """Yield every picture of a recording and what is shown in it; a code that stays in view is shown once.

    Pictures in a folder have no time line of their own: each counts as a showing.

    Raises:
        InputUnusable: a file is missing, cut short or no picture.
    """
    pace = SteppedPace(ManualClock(datetime.fromtimestamp(0, UTC)))
    source = open_source(spec, pace, _pass_over)
    debounce = Debounce(HOLD_S if _has_film(spec) else 0.0)
    source.open()
    try:
        while (frame := source.read()) is not None:
            texts = [text for text in decoder.decode(frame.image) if debounce.is_new(text, frame.shown_s)]
            seen = tuple(Sighted(text=text, picture=frame.index, shown_s=frame.shown_s) for text in texts)
            yield Looked(picture=frame.index, sighted=seen)
    finally:
        source.close()


def _has_film(spec: SourceSpec) -> bool:
    if spec.kind is SourceKind.VIDEO:
        return True
    folder = Path(spec.target)
    return folder.is_dir() and any(path.suffix.lower() in VIDEO_SUFFIXES for path in folder.iterdir())


def _pass_over(_event: SourceEvent, _message: str) -> None:
    """A recording that is not followed reports by its exceptions alone."""
