"""A gate that says what a test tells it to say, and the sample scans and conditions tests and pictures are made of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from gate.outcome import AreaHere, Counts, GateInfo, GateStatus, Outcome, Took
from gate.tui.display import Display
from shared.admission.policy import Policy, Stale, Window
from shared.admission.verdict import Direction, PriorUse, Reason, Verdict, admit, refuse
from shared.clock import ManualClock, unix_ms
from shared.codes.keys import Holder
from shared.ids import CommandId, GateId, ScanId
from shared.problems import TicketTokenError
from shared.sync.scan import Mode
from tests.tui.scripted_staff import ScriptedStaff

NOW = datetime(2026, 6, 20, 17, 45, 12, tzinfo=UTC)
VENUE = timezone(timedelta(hours=2), "CEST")
NEVER_S = 3600.0

ONLINE = GateStatus(
    gate_name="North 1",
    event_name="Harbour Lights 2026",
    mode=Mode.ONLINE,
    linked=True,
    data_age_s=2.4,
    backlog=0,
    keys_until=datetime(2026, 6, 24, 4, 0, tzinfo=UTC),
    clock_offset_s=0.3,
    camera_alive=True,
    camera_fps=14.8,
    tickets=41_250,
    counts=Counts(admitted=1204, exited=12, refused=31, per_minute=7.4),
    inside=4870,
)
OFFLINE = replace(ONLINE, mode=Mode.OFFLINE, linked=False, data_age_s=763.0, backlog=218, clock_offset_s=None)

GUEST = Holder(name="Marlene Östergård-Nakamura", seat="Block C, row 12, seat 7", product="Weekend, 2 days")
NORTH_2 = UUID(int=2)


def make_outcome(verdict: Verdict, at: datetime = NOW, number: int = 1) -> Outcome:
    """Return a recorded scan with this verdict."""
    return Outcome(
        scan=ScanId(UUID(int=number)),
        gate_seq=number,
        at=at,
        verdict=verdict,
        code_id=f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}",
        mode=Mode.ONLINE,
        took=Took(decode=6.1, verify=0.4, rule=0.1, commit=2.2, total=9.0),
    )


def seen_at(time: datetime = NOW - timedelta(minutes=3, seconds=5)) -> PriorUse:
    """Return an earlier admission at another gate."""
    return PriorUse(at_ms=unix_ms(time), gate=NORTH_2)


ADMITTED = replace(make_outcome(admit()), holder=GUEST)
USED = replace(
    make_outcome(refuse(Reason.ALREADY_USED_ELSEWHERE, prior=seen_at()), number=2), holder=GUEST, prior_gate="North 2"
)
STALE = replace(make_outcome(refuse(Reason.CODE_STALE), number=3), skew_s=-135)
DOUBLE = replace(make_outcome(refuse(Reason.DOUBLE_READ, prior=seen_at())), scan=None, gate_seq=None)


def fixed_display(clock: ManualClock | None = None) -> Display:
    """Return a display on which nothing moves by itself: the clock stands and no timer fires."""
    return Display(
        status_every_s=NEVER_S,
        picture_every_s=NEVER_S,
        zone=VENUE,
        clock=clock or ManualClock(NOW),
        colour=True,
        unicode=True,
        wedge=None,
    )


def paint_phone(width: int, height: int) -> NDArray[np.uint8]:
    """Return a made-up camera picture: a hand's breadth of night, and a phone with a code on it in the middle."""
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    # Few shades and large modules: a golden file holds every pixel.
    light = np.where(np.hypot(across + 0.5, down + 0.7) < 0.9, 72, 32)
    picture = np.stack([light * 0.75, light * 0.75, light], axis=-1)
    phone = (np.abs(across) < 0.34) & (np.abs(down) < 0.85)
    picture[phone] = (224, 232, 240)
    code = (np.abs(across) < 0.22) & (np.abs(down + 0.05) < 0.48)
    modules = np.random.default_rng(7).random((height // 2 + 1, width // 2 + 1)) < 0.5
    picture[code & modules.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]] = (16, 16, 24)
    return picture.astype(np.uint8)


INFO = GateInfo(
    gate=GateId(UUID(int=1)),
    server="https://tickets.example.org",
    software="tickettoken-gate/0.1.0",
    direction=Direction.ENTRY,
    zones=0b11,
    products=(),
    policy=Policy(
        version=4,
        window=Window(
            doors=NOW - timedelta(minutes=45), starts=NOW + timedelta(hours=1), ends=NOW + timedelta(hours=6)
        ),
        re_entries=2,
        exits=True,
        cooldown_s=600,
        capacity=6000,
        stale_after_s=7200,
        when_stale=Stale.SUPERVISOR,
    ),
    inside=4870,
    behind=1192,
    feed_seq=48_311,
    logged=1247,
    acked=1247,
    bundle_version=65_541,
    unsure_ms=340,
    areas=(AreaHere(gates=("North 1", "North 2"), inside=2310, capacity=2500),),
)


class ScriptedView:
    """A gate made of what it was given; every outcome told to it reaches whoever listens, in order."""

    def __init__(self, status: GateStatus = ONLINE, decide: Callable[[str], Outcome] | None = None) -> None:
        self.present = status
        self.staff = ScriptedStaff(self.tell)
        self.onlooker: Callable[[str], None] | None = None
        self.submitted: list[str] = []
        self.problem: TicketTokenError | None = None
        self._decide = decide
        self._queue: asyncio.Queue[Outcome | TicketTokenError | None] = asyncio.Queue()

    def tell(self, outcome: Outcome) -> None:
        """Let the gate decide this next."""
        self._queue.put_nowait(outcome)

    def stop(self, problem: TicketTokenError | None = None) -> None:
        """Let the gate end, with or without a reason."""
        self._queue.put_nowait(problem)

    async def outcomes(self) -> AsyncIterator[Outcome]:
        """Yield what was told."""
        while True:
            told = await self._queue.get()
            if isinstance(told, TicketTokenError):
                raise told
            if told is None:
                return
            yield told

    def status(self) -> GateStatus:
        """Return what was given."""
        return self.present

    def info(self) -> GateInfo:
        """Return what is made up, with as much to send as the status says."""
        return replace(INFO, acked=INFO.logged - self.present.backlog)

    def watch_codes(self, take: Callable[[str], None] | None) -> None:
        """Remember who only looks."""
        self.onlooker = take

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """Return the made-up picture while the camera is alive."""
        if not self.present.camera_alive or width < 2 or height < 2:
            return None
        return paint_phone(width, height)

    async def confirm_notice(self, notice: CommandId) -> None:
        """Have a notice read."""
        left = tuple(one for one in self.present.notices if one.command != notice)
        self.present = replace(self.present, notices=left)

    async def submit(self, text: str) -> None:
        """Take a typed code; decide on it, or fail the way a gate does."""
        self.submitted.append(text)
        if self.onlooker is not None:
            self.onlooker(text)
            return
        if self.problem is not None:
            raise self.problem
        if self._decide is not None:
            self.tell(self._decide(text))
