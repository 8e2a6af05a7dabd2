"""The gate without a screen: one line of JSON for each scan and each change of condition."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from gate.outcome import Counts, GateStatus, Outcome, Took
from gate.turnstile import TurnstileNews
from shared.clock import from_unix_ms
from shared.problems import Unavailable


class PriorLine(Struct, frozen=True, kw_only=True):
    """The admission a refusal points at."""

    at: datetime
    gate: UUID
    name: str | None


class ScanLine(Struct, frozen=True, kw_only=True, tag_field="type", tag="scan"):
    """One scan; milliseconds in ``took_ms``, seconds elsewhere. Nothing in it says who the holder is.

    ``override`` is the reason for which a supervisor decided against the rule, or took an admission back.
    """

    at: datetime
    code: str
    admitted: bool
    reason: str
    gate_seq: int | None
    scan: UUID | None
    mode: str
    took_ms: Took
    prior: PriorLine | UnsetType = UNSET
    wait_s: int | UnsetType = UNSET
    skew_s: int | UnsetType = UNSET
    override: str | UnsetType = UNSET


class StatusLine(Struct, frozen=True, kw_only=True, tag_field="type", tag="status"):
    """The gate's condition when ``what`` happened.

    ``what`` is one of started, ready, link_up, link_down, mode, camera, drained, held, resumed, message, source_ended, stopped.
    ``held`` says why the organiser has no codes looked at here, ``message`` is the newest text the staff should read.
    """

    what: str
    at: datetime
    gate: str
    event: str
    mode: str
    linked: bool
    ready: bool
    data_age_s: float | None
    backlog: int
    keys_until: datetime | None
    clock_offset_s: float | None
    camera_alive: bool
    tickets: int
    counts: Counts
    way: str | None
    hindrance: str | None
    held: str | None
    message: str | None


class TurnstileLine(Struct, frozen=True, kw_only=True, tag_field="type", tag="turnstile"):
    """What became of an opening: ``what`` is one of opened, stuck, turned, unused (it opened and nobody went through).

    Two more say the same as unused: taken_back (and the admission was taken back), doubted (for the fourth time in a row or
    more, so that the admission stands).
    """

    what: str
    at: datetime
    gate_seq: int | None
    message: str


def make_scan_line(outcome: Outcome) -> ScanLine:
    """Return the line for an outcome."""
    verdict, prior = outcome.verdict, outcome.verdict.prior
    took = Took(**{name: round(value, 3) for name, value in msgspec.structs.asdict(outcome.took).items()})
    return ScanLine(
        at=outcome.at,
        code=outcome.code_id,
        admitted=verdict.admitted,
        reason=verdict.reason.value,
        gate_seq=outcome.gate_seq,
        scan=outcome.scan,
        mode=outcome.mode.value,
        took_ms=took,
        prior=UNSET
        if prior is None
        else PriorLine(at=from_unix_ms(prior.at_ms), gate=prior.gate, name=outcome.prior_gate),
        wait_s=UNSET if verdict.wait_s is None else verdict.wait_s,
        skew_s=UNSET if outcome.skew_s is None else outcome.skew_s,
        override=UNSET if outcome.override is None else outcome.override,
    )


def make_status_line(what: str, at: datetime, status: GateStatus, *, ready: bool) -> StatusLine:
    """Return the line for the gate's present condition."""
    offset_s, age_s = status.clock_offset_s, status.data_age_s
    return StatusLine(
        what=what,
        at=at,
        gate=status.gate_name,
        event=status.event_name,
        mode=status.mode.value,
        linked=status.linked,
        ready=ready,
        data_age_s=None if age_s is None else round(age_s, 1),
        backlog=status.backlog,
        keys_until=status.keys_until,
        clock_offset_s=None if offset_s is None else round(offset_s, 3),
        camera_alive=status.camera_alive,
        tickets=status.tickets,
        counts=status.counts,
        way=status.way,
        hindrance=status.hindrance,
        held=status.held,
        message=status.notices[-1].text if status.notices else None,
    )


def make_turnstile_line(news: TurnstileNews) -> TurnstileLine:
    """Return the line for what a turnstile did."""
    return TurnstileLine(what=news.what.value, at=news.at, gate_seq=news.gate_seq, message=news.message)


class LineWriter:
    """Writes lines to one or more streams, each line whole; waits for a reader that is slow."""

    def __init__(self, streams: Sequence[BinaryIO]) -> None:
        self._streams = streams
        self._writing = asyncio.Lock()

    async def write(self, line: ScanLine | StatusLine | TurnstileLine) -> None:
        """Write one line and flush it.

        Raises:
            Unavailable: nobody reads any more, or the disk is full.
        """
        data = msgspec.json.encode(line) + b"\n"
        async with self._writing:
            for stream in self._streams:
                await asyncio.to_thread(_write, stream, data)


def _write(stream: BinaryIO, data: bytes) -> None:
    try:
        stream.write(data)
        stream.flush()
    except OSError as exc:
        raise Unavailable(
            f"The line output cannot be written ({exc.strerror}): is its reader gone, or a disk full?"
        ) from exc
