"""A network camera that drops its connection is found again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from gate.film.symbol import draw_symbol
from gate.scanner.frames import SourceEvent
from gate.scanner.pace import ThreadPace
from gate.scanner.source import open_source, parse_source
from shared.clock import SystemClock
from shared.problems import Unavailable
from tests.integration.scanner.conftest import PATIENCE_S, Bench

PICTURES = 20


class NetworkCamera(ThreadingHTTPServer):
    """Sends motion JPEG: each connection shows its own code, the last one then hangs without closing."""

    daemon_threads = True

    def __init__(self, texts: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), StreamHandler)
        self.texts = texts
        self.connections = 0
        self.may_hang_up = threading.Event()

    @property
    def url(self) -> str:
        """The address of the stream."""
        return f"http://127.0.0.1:{self.server_port}/live"


class StreamHandler(BaseHTTPRequestHandler):
    """One viewer of the camera."""

    server: NetworkCamera

    def do_GET(self) -> None:
        """Send one connection's pictures."""
        number = self.server.connections
        self.server.connections += 1
        last = number >= len(self.server.texts) - 1
        jpeg = draw_jpeg(self.server.texts[min(number, len(self.server.texts) - 1)])
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
        self.end_headers()
        head = b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        for _ in range(PICTURES):
            self.wfile.write(head + jpeg + b"\r\n")
        self.wfile.flush()
        if last:
            self.server.may_hang_up.wait(PATIENCE_S)

    def log_message(self, *args: object) -> None:
        """Keep the test's terminal quiet."""


def draw_jpeg(text: str) -> bytes:
    """Return a JPEG of a code in the middle of a 640x480 picture."""
    code = np.where(np.pad(draw_symbol(text, "M"), 4), 20, 235).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    picture = np.full((480, 640, 3), 120, dtype=np.uint8)
    picture[40 : 40 + code.shape[0], 100 : 100 + code.shape[1]] = code[:, :, None]
    return cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.fixture
def camera() -> Iterator[NetworkCamera]:
    """Give a camera that breaks off once."""
    with NetworkCamera(["BEFORE THE BREAK", "AFTER THE BREAK"]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.may_hang_up.set()
        server.shutdown()
        thread.join(PATIENCE_S)


def test_stream_that_breaks_off_is_found_again(bench: Bench, camera: NetworkCamera) -> None:
    bench.start(open_source(parse_source(camera.url), ThreadPace(SystemClock()), bench.note_status))
    bench.wait_for_readings(2)
    assert bench.texts == ["BEFORE THE BREAK", "AFTER THE BREAK"]
    assert bench.statuses[:3] == [SourceEvent.READY, SourceEvent.LOST, SourceEvent.BACK]


def test_lane_stops_within_two_seconds_while_a_stream_hangs(bench: Bench, camera: NetworkCamera) -> None:
    camera.texts = ["HANGING"]
    lane = bench.start(open_source(parse_source(camera.url), ThreadPace(SystemClock()), bench.note_status))
    bench.wait_for_readings(1)
    assert lane.stop()
    assert SourceEvent.LOST not in bench.statuses


def test_address_where_nobody_answers_is_a_typed_problem_without_the_password() -> None:
    spec = parse_source("http://guard:hunter2@127.0.0.1:9/live")
    source = open_source(spec, ThreadPace(SystemClock()), lambda _event, _message: None)
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:9/live") as caught:
        source.open()
    assert "hunter2" not in str(caught.value)
