"""`tickettoken-gate replay`: what the gate answers to a recording, for disputes; nothing is recorded."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from gate.rehearsal import Answered, open_rehearsal
from gate.scanner.decoder import ZxingDecoder
from gate.scanner.recording import Looked, Sighted, parse_recording, read_recording
from gate.scanner.second import open_decoder
from shared.admission.verdict import Reason
from shared.clock import SystemClock
from shared.problems import InputUnusable
from shared.settings import Secret

_TELL_EVERY = 100
_ADMIT, _REFUSE, _REPEAT = "ADMIT", "REFUSE", "REPEAT"


class ReplayLine(Struct, frozen=True, kw_only=True):
    """One showing: where in the recording, and what the gate answers."""

    shown_s: float
    picture: int
    answer: Answered


def replay_here(directory: Path, asked: argparse.Namespace, passphrase: Secret | None) -> int:
    """Print the answer to each code a recording shows.

    Raises:
        InputUnusable: no recording, or one that cannot be read.
        NotFound, Unavailable: the gate is not enrolled, or has no tickets and keys.
    """
    spec, clock = parse_recording(asked.source), SystemClock()
    pictures = read_recording(spec, open_decoder(ZxingDecoder(), clock))
    began = parse_moment(asked.at) if asked.at is not None else clock.now()
    progress = _show_progress if sys.stderr.isatty() and not asked.json else None
    lines = asyncio.run(_answer_all(directory, began, passphrase, _collect(pictures, progress)))
    if asked.json:
        told = {"source": spec.label, "from": began, "recorded": 0, "showings": lines}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        sys.stdout.write(_draw_table(lines))
    return 0


def parse_moment(text: str) -> datetime:
    """Return a moment written as ISO 8601; one without an offset is this machine's local time.

    Raises:
        InputUnusable: it is not written so.
    """
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise InputUnusable(f"{text!r} is no moment: write it as 2026-06-20T19:42:00 or 2026-06-20T17:42:00Z.") from exc


async def _answer_all(
    directory: Path, began: datetime, passphrase: Secret | None, shown: Iterator[Sighted]
) -> list[ReplayLine]:
    lines: list[ReplayLine] = []
    async with open_rehearsal(directory, began, passphrase) as rehearsal:
        # One step at a time in a thread: reading pictures takes long.
        while (sighted := await asyncio.to_thread(next, shown, None)) is not None:
            answer = await rehearsal.answer(sighted.text, sighted.shown_s)
            lines.append(ReplayLine(shown_s=round(sighted.shown_s, 3), picture=sighted.picture, answer=answer))
    return lines


def _collect(pictures: Iterator[Looked], tell: Callable[[int], None] | None) -> Iterator[Sighted]:
    for looked, picture in enumerate(pictures, 1):
        if tell is not None and looked % _TELL_EVERY == 0:
            tell(looked)
        yield from picture.sighted


def _show_progress(pictures: int) -> None:
    sys.stderr.write(f"\r{pictures} pictures")
    sys.stderr.flush()


def _draw_table(lines: list[ReplayLine]) -> str:
    rows = [("in film", "picture", "time (UTC)", "ticket", "verdict", "reason"), *map(_draw_row, lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    table = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]) for row in rows
    ]
    said = [_verdict(line.answer) for line in lines]
    counts = f"{said.count(_ADMIT)} admitted, {said.count(_REFUSE)} refused, {said.count(_REPEAT)} repeated"
    total = f"{len(lines)} showings: {counts}. Nothing was recorded."
    return "\n".join([*table, "", total]) + "\n"


def _verdict(answer: Answered) -> str:
    if answer.reason is Reason.DOUBLE_READ:
        return _REPEAT
    return _ADMIT if answer.admitted else _REFUSE


def _draw_row(line: ReplayLine) -> tuple[str, str, str, str, str, str]:
    answer, reason = line.answer, line.answer.reason.value
    if answer.prior_at is not None:
        reason += f" (before: {answer.prior_at:%H:%M:%S} at {answer.prior_gate or 'another gate'})"
    if answer.skew_s:
        reason += f" (code off by {answer.skew_s:+d} s)"
    minutes, seconds = divmod(line.shown_s, 60)
    return (
        f"{minutes:02.0f}:{seconds:05.2f}",
        str(line.picture),
        f"{answer.at:%Y-%m-%d %H:%M:%S}",
        answer.number or "-",
        _verdict(answer),
        reason,
    )
