"""The camera's threads: one takes pictures, one reads codes from them and reports each showing once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import cv2
import numpy as np
from msgspec import Struct

from gate.scanner.debounce import HOLD_S, Debounce
from gate.scanner.decoder import Decoder
from gate.scanner.frames import Frame, FrameSource, Image
from gate.scanner.meter import Meter
from gate.scanner.slot import FrameSlot
from shared.clock import Clock
from shared.problems import Internal

STOP_WITHIN_S = 2.0
_SILENT_AFTER_S = 1.5


class Reading(Struct, frozen=True, kw_only=True):
    """A code shown to the camera: its text, the picture it was read from, and monotonic seconds of both ends."""

    text: str
    frame_index: int
    taken_s: float
    decoded_s: float
    decode_ms: float


class LaneEvents(Struct, frozen=True, kw_only=True):
    """Whom a lane tells; all three are called from the reading thread and must return quickly.

    `on_fault` and `on_end` are each called at most once, and nothing is called after them. `on_end` means that the
    source has nothing more to give and all of it was read; a lane that is stopped does not call it.
    """

    on_reading: Callable[[Reading], None]
    on_fault: Callable[[Exception], None]
    on_end: Callable[[], None]


class LaneStatus(Struct, frozen=True, kw_only=True):
    """How a lane is doing: pictures read and passed over, pictures per second, median milliseconds a picture."""

    frames: int
    dropped: int
    fps: float
    decode_ms: float
    camera_alive: bool


class Lane:
    """Reads one source from start to stop; made anew for another run."""

    def __init__(
        self, source: FrameSource, decoder: Decoder, clock: Clock, events: LaneEvents, hold_s: float = HOLD_S
    ) -> None:
        self._source = source
        self._decoder = decoder
        self._clock = clock
        self._events = events
        self._debounce = Debounce(hold_s)
        self._slot = FrameSlot(newest_only=source.live)
        self._meter = Meter()
        self._fault: Exception | None = None
        self._stopping = threading.Event()
        # Daemons: a driver stuck in a dead camera must not keep the program from ending.
        self._taker = threading.Thread(target=self._take_pictures, name="lane-take", daemon=True)
        self._reader = threading.Thread(target=self._read_pictures, name="lane-read", daemon=True)

    def start(self) -> None:
        """Start both threads; the source is opened by its thread, so a missing camera comes through `on_fault`."""
        if self._taker.ident is not None:
            raise Internal("a lane was started twice: make a new one for each run")
        self._reader.start()
        self._taker.start()

    def stop(self) -> bool:
        """Stop and wait up to two seconds; return False when a driver still holds on to a thread."""
        self._stopping.set()
        self._source.interrupt()
        self._slot.close()
        deadline_s = self._clock.monotonic() + STOP_WITHIN_S
        mine = [thread for thread in (self._taker, self._reader) if thread is not threading.current_thread()]
        for thread in mine:
            if thread.ident is not None:
                thread.join(max(0.0, deadline_s - self._clock.monotonic()))
        return not any(thread.is_alive() for thread in mine)

    def status(self) -> LaneStatus:
        """Return how the lane is doing now."""
        alive = self._is_camera_alive()
        return LaneStatus(
            frames=self._meter.decoded,
            dropped=self._slot.replaced,
            fps=self._meter.fps() if alive else 0.0,
            decode_ms=self._meter.decode_ms(),
            camera_alive=alive,
        )

    def thumbnail(self, width: int, height: int) -> Image | None:
        """Return the last picture shrunk to fit, (rows, columns, 3) in red, green, blue; None before the first."""
        image = self._meter.image
        if image is None or width < 1 or height < 1:
            return None
        scale = min(width / image.shape[1], height / image.shape[0])
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, _TO_RGB[image.ndim]), dtype=np.uint8)

    def _is_camera_alive(self) -> bool:
        silent_s = self._meter.silent_for_s(self._clock.monotonic())
        if silent_s is None or not self._taker.is_alive():
            return False
        return not self._source.live or silent_s < _SILENT_AFTER_S

    def _take_pictures(self) -> None:
        try:
            self._take_until_end()
        except Exception as exc:  # noqa: BLE001 - the end of a thread: whatever went wrong is handed on, not lost
            self._fault = exc
        finally:
            self._slot.finish()

    def _take_until_end(self) -> None:
        try:
            self._source.open()
            while (frame := self._source.read()) is not None:
                self._meter.note_arrival(frame)
                if not self._slot.put(frame):
                    return
        finally:
            self._source.close()

    def _read_pictures(self) -> None:
        try:
            while (frame := self._slot.take()) is not None:
                self._read_picture(frame)
        except Exception as exc:  # noqa: BLE001 - the end of a thread: whatever went wrong is handed on, not lost
            self._fault = exc
            self._source.interrupt()
            self._slot.close()
        self._report_outcome()

    def _read_picture(self, frame: Frame) -> None:
        began_s = self._clock.monotonic()
        texts = self._decoder.decode(frame.image)
        decoded_s = self._clock.monotonic()
        took_ms = (decoded_s - began_s) * 1000
        self._meter.note_decode(took_ms)
        for text in texts:
            if self._debounce.is_new(text, frame.shown_s):
                reading = Reading(
                    text=text,
                    frame_index=frame.index,
                    taken_s=frame.taken_s,
                    decoded_s=decoded_s,
                    decode_ms=took_ms,
                )
                self._events.on_reading(reading)

    def _report_outcome(self) -> None:
        if self._fault is not None:
            self._events.on_fault(self._fault)
        elif not self._stopping.is_set():
            self._events.on_end()


_TO_RGB = {2: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB}
