"""What the gate believes of its own clock: how far it is off, and how sure that is."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil

from msgspec import Struct

from gate.selfcheck import ClockSelfCheck
from shared.clock import Clock, unix_ms
from shared.codes.reader import SLOTS_AHEAD, SLOTS_BEHIND
from shared.sync.hlc import MAX_AHEAD_MS

_DRIFT = 5e-5
"""Fifty millionths: what a lane computer's crystal may lose while nobody corrects it."""

_BY_CODES_UNSURE_MS = 15_000
_BLIND_UNSURE_MS = 60_000


class ClockSample(Struct, frozen=True, kw_only=True):
    """A measurement over the link: this clock minus the server's, right to within ``unsure_ms``.

    ``wall_ms`` and ``at_s`` are the gate's own wall time and monotonic second when it was taken.
    """

    offset_ms: float
    unsure_ms: float
    wall_ms: int
    at_s: float


class ClockBelief:
    """The best of the link's measurements, or what genuine codes say where there is none."""

    def __init__(self, codes: ClockSelfCheck, clock: Clock) -> None:
        self._codes = codes
        self._clock = clock
        self._sample: ClockSample | None = None

    def note(self, sample: ClockSample) -> None:
        """Take a measurement if it is better than the aged one at hand."""
        if self._sample is None or sample.unsure_ms <= self._aged_ms(self._sample):
            self._sample = sample

    def note_code(self, ticket: bytes, skew_s: int) -> None:
        """Count a genuine code's own idea of the time."""
        self._codes.note(ticket, skew_s)

    def offset_s(self) -> float | None:
        """Return this gate's clock minus the true time in seconds, None when nothing is known."""
        if self._sample is None:
            return self._codes.offset_s()
        return self.ahead_ms() / 1000

    def correct(self, now: datetime) -> datetime:
        """Return a moment of this gate's clock as the server would tell it, as far as it was measured over the link.

        What codes say corrects nothing: whoever shows enough old pictures could otherwise set the clock to their time.
        """
        return now - timedelta(milliseconds=self.ahead_ms())

    def ahead_ms(self) -> float:
        """Return by how many milliseconds this gate's clock is ahead, as far as it was measured over the link; else 0."""
        return 0.0 if self._sample is None else self._sample.offset_ms + self._stepped_ms(self._sample)

    def excuses(self, skew_s: int, slot_s: int) -> bool:
        """Say whether a code that is off by ``skew_s`` would be fresh if this clock were as other codes say it should be."""
        offset_s = None if self._sample is not None else self._codes.offset_s()
        return offset_s is not None and -SLOTS_BEHIND * slot_s <= skew_s + offset_s <= SLOTS_AHEAD * slot_s

    def unsure_ms(self, *, fresh: bool = True) -> int:
        """Return within how many milliseconds this gate's wall time is right; never less than is known.

        ``fresh`` says that a live code was good by this clock just now. Without one, a clock nobody measured is only taken to
        be as right as its stamps must be.
        """
        offset_s = self.offset_s()
        if offset_s is None:
            return _BLIND_UNSURE_MS if fresh else MAX_AHEAD_MS
        if self._sample is None:
            return ceil(abs(offset_s) * 1000) + _BY_CODES_UNSURE_MS
        return ceil(abs(offset_s) * 1000 + self._aged_ms(self._sample))

    def _aged_ms(self, sample: ClockSample) -> float:
        return sample.unsure_ms + max(0.0, self._clock.monotonic() - sample.at_s) * 1000 * _DRIFT

    def _stepped_ms(self, sample: ClockSample) -> float:
        """Return by how much the wall time was set since the measurement: the monotonic counter does not follow."""
        passed_ms = (self._clock.monotonic() - sample.at_s) * 1000
        return unix_ms(self._clock.now()) - sample.wall_ms - passed_ms
