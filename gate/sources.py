"""What the gate reads codes from, opened only when it is wanted: the camera's libraries are slow to load."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Protocol

import numpy as np
import structlog
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from gate.admit import Shown
from gate.hand import HandSource
from shared.clock import Clock
from shared.problems import InputUnusable, TicketTokenError, Unavailable

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
STDIN = "stdin"
NO_SOURCE = "none"
_LOOK_EVERY_S = 0.1


class SourceStatus(Protocol):
    """How a source is doing."""

    @property
    def fps(self) -> float:
        """Pictures per second."""
        ...

    @property
    def camera_alive(self) -> bool:
        """Whether it gives anything."""
        ...


class Source(Protocol):
    """Anything that reads codes in threads of its own."""

    def start(self) -> None:
        """Start reading; what is wrong with it comes through the events."""
        ...

    def stop(self) -> bool:
        """Stop and wait up to two seconds; return False when a thread is still busy."""
        ...

    def status(self) -> SourceStatus:
        """Return how it is doing."""
        ...

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """Return the newest picture, small, or None."""
        ...


class SourceEvents(Struct, frozen=True, kw_only=True, eq=False):
    """Whom a source tells, from its own threads; the last two at most once, and nothing after them."""

    on_shown: Callable[[Shown], None]
    on_fault: Callable[[Exception], None]
    on_end: Callable[[], None]


class SourceChoice(Struct, frozen=True, kw_only=True):
    """What a person chose: ``text`` as given with --source; ``paced`` for films; ``follow`` for folders.

    ``controls`` is what a camera of this machine is set to, as given with --camera, ``area`` the part of the picture in
    which codes are looked for, as given with --area.
    """

    text: str
    paced: bool = True
    follow: bool = False
    controls: str = ""
    area: str = ""


class OpenedSource(Struct, frozen=True, kw_only=True, eq=False):
    """A source ready to start; a ``live`` one shows people who will not wait, so that old codes are worthless."""

    source: Source
    live: bool


def open_source(choice: SourceChoice, events: SourceEvents, clock: Clock) -> OpenedSource | None:
    """Return the chosen source, not yet started, or None when none is wanted.

    Raises:
        InputUnusable: the choice means nothing.
    """
    if choice.area and choice.text in {NO_SOURCE, STDIN}:
        raise InputUnusable("--area is a part of a picture: give a camera, a film or a folder as --source.")
    if choice.text == NO_SOURCE:
        return None
    if choice.text == STDIN:
        return OpenedSource(source=_open_lines(events, clock), live=False)
    return _open_camera(choice, events, clock)


def open_hand(events: SourceEvents, clock: Clock) -> HandSource:
    """Return the source of what is typed at the screen, which stands beside every other; it neither ends nor breaks."""
    return HandSource(events.on_shown, clock)


def _open_lines(events: SourceEvents, clock: Clock) -> Source:
    from gate.lines import LineEvents, LineSource  # noqa: PLC0415

    def show(text: str) -> None:
        events.on_shown(Shown(text=text, taken_s=clock.monotonic()))

    return LineSource(sys.stdin.fileno(), LineEvents(on_text=show, on_fault=events.on_fault, on_end=events.on_end))


def _open_camera(choice: SourceChoice, events: SourceEvents, clock: Clock) -> OpenedSource:
    from gate.scanner.area import WHOLE, AreaDecoder, AreaLane, parse_area  # noqa: PLC0415
    from gate.scanner.controls import parse_controls  # noqa: PLC0415
    from gate.scanner.decoder import ZxingDecoder  # noqa: PLC0415
    from gate.scanner.frames import SourceEvent  # noqa: PLC0415
    from gate.scanner.lane import Lane, LaneEvents, Reading  # noqa: PLC0415
    from gate.scanner.pace import ThreadPace  # noqa: PLC0415
    from gate.scanner.second import open_decoder  # noqa: PLC0415
    from gate.scanner.source import SourceKind, open_source, parse_source  # noqa: PLC0415

    spec = parse_source(choice.text)
    if choice.follow and spec.kind is not SourceKind.FOLDER:
        raise InputUnusable("--follow is for folders: give --source a folder of pictures or films.")
    controls, area = parse_controls(choice.controls), parse_area(choice.area)
    if choice.controls and spec.kind not in {SourceKind.CAMERA, SourceKind.DEVICE}:
        raise InputUnusable("--camera sets a camera of this machine: give its number or device as --source.")
    spec = replace(spec, paced=spec.paced and choice.paced, follow=spec.follow or choice.follow, controls=controls)

    def show(reading: Reading) -> None:
        events.on_shown(Shown(text=reading.text, taken_s=reading.taken_s, decode_ms=reading.decode_ms))

    def report(event: SourceEvent, message: str) -> None:
        _log.info("source.status", what=event.value, message=message)

    source = open_source(spec, ThreadPace(clock), report)
    told = LaneEvents(on_reading=show, on_fault=events.on_fault, on_end=events.on_end)
    decoder = open_decoder(ZxingDecoder(), clock)
    if area == WHOLE:
        return OpenedSource(source=Lane(source, decoder, clock, told), live=source.live)
    lane = Lane(source, AreaDecoder(decoder, area), clock, told)
    return OpenedSource(source=AreaLane(lane, area), live=source.live)


async def try_source(choice: SourceChoice, clock: Clock, within_s: float) -> None:
    """Start a source, and return once it gives something.

    Raises:
        InputUnusable, Unavailable: it cannot be opened, or gave nothing in time.
    """
    loop = asyncio.get_running_loop()
    fault: asyncio.Future[Exception | None] = loop.create_future()

    def settle(found: Exception | None) -> None:
        if not fault.done():
            fault.set_result(found)

    def tell(found: Exception | None = None) -> None:
        loop.call_soon_threadsafe(settle, found)

    events = SourceEvents(on_shown=lambda _: None, on_fault=tell, on_end=tell)
    opened = await asyncio.to_thread(open_source, choice, events, clock)
    if opened is None:
        return
    opened.source.start()
    try:
        async with asyncio.timeout(within_s):
            while not fault.done() and not opened.source.status().camera_alive:
                await asyncio.wait([fault], timeout=_LOOK_EVERY_S)
    except TimeoutError as exc:
        raise Unavailable(f"{choice.text} gave no picture in {within_s:.0f} s: check its cable and name.") from exc
    finally:
        await asyncio.to_thread(opened.source.stop)
    found = fault.result() if fault.done() else None
    if isinstance(found, TicketTokenError):
        raise found
    if found is not None:
        raise Unavailable(f"{choice.text} cannot be read ({type(found).__name__}: {found}).") from found
