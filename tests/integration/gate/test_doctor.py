"""Before the doors open: the doctor has a code read, measures the disk, and says what will be missing during the night."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.broker import save_access
from gate.checkup import Checkup, Finding, Questions
from gate.film.script import Film, Person
from gate.film.writer import render_film
from gate.scanner.frames import Image
from gate.scanner.trial import DecoderBroken, try_decoder
from gate.settings import GateSettings
from shared.clock import ManualClock, SystemClock
from shared.settings import Secret
from shared.sync.access import BrokerAccess
from tests.integration.gate.test_cli import gate
from tests.integration.gate.venue import prepare_gate


class BlindDecoder:
    """Reads nothing."""

    def decode(self, image: Image) -> list[str]:
        """Return nothing, whatever the picture."""
        return [] if image.size else ["nothing to look at"]


async def ask(data: Path, asked: Questions | None = None, *, later: timedelta = timedelta()) -> dict[str, Finding]:
    """Return what the doctor finds, by check, so much later than now."""
    clock = ManualClock(datetime.now(UTC) + later) if later else SystemClock()
    settings = GateSettings(allow_http=True)
    return {one.check: one for one in await Checkup(data, clock, asked or Questions(), settings).run()}


def film(folder: Path, text: str) -> Path:
    """Film somebody who holds a code up to the camera."""
    path = folder / "code.avi"
    render_film(Film(people=(Person(text=text, frames=16),), width=640, height=480), path)
    return path


async def test_decoder_and_camera_read_a_code_and_the_disk_is_measured(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await asyncio.to_thread(prepare_gate, data, 3)
    camera = await asyncio.to_thread(film, tmp_path, "ANY CODE WILL DO")
    found = await ask(data, Questions(source=str(camera), test_code=True))
    assert (found["source"].grade, "reads a code in" in found["source"].message) == ("ok", True)
    assert "a test code is read in" in found["decoders"].message
    assert "a record is durable in" in found["disk"].message
    assert found["broker"].message == "none: this gate keeps to the WebSocket"
    assert not (data / ".doctor").exists()


async def test_camera_that_reads_nothing_fails_the_readiness_check(tmp_path: Path) -> None:
    data, folder = tmp_path / "data", tmp_path / "camera"
    await asyncio.to_thread(prepare_gate, data, 3)
    folder.mkdir()
    found = await ask(data, Questions(source="none", test_code=True))
    assert (found["source"].grade, "reads nothing" in found["source"].message) == ("failed", True)
    (folder / "broken.png").write_bytes(b"no picture")
    found = await ask(data, Questions(source=str(folder), test_code=True))
    assert (found["source"].grade, "not a picture" in found["source"].message) == ("failed", True)


async def test_old_lists_and_keys_that_end_during_the_weekend_are_warned_of(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await asyncio.to_thread(prepare_gate, data, 3)
    now = await ask(data)
    later = await ask(data, later=timedelta(hours=30))
    assert (now["tickets"].grade, now["key horizon"].grade) == ("warning", "warning")
    assert "before the doors open" in now["tickets"].message
    assert later["key horizon"].grade == "failed"


async def test_broker_that_is_away_is_a_warning_since_there_is_another_way(
    tmp_path: Path, unused_tcp_port: int
) -> None:
    data = tmp_path / "data"
    await asyncio.to_thread(prepare_gate, data, 3)
    address = f"amqp://127.0.0.1:{unused_tcp_port}/tickets"
    access = BrokerAccess(address=address, account="gate", password=Secret("secret"), authority=None)
    await asyncio.to_thread(save_access, data, access)
    found = (await ask(data))["broker"]
    assert (found.grade, "WebSocket meanwhile" in found.message, "secret" in found.message) == ("warning", True, False)


def test_decoder_that_reads_nothing_is_found_out() -> None:
    assert try_decoder(SystemClock()) > 0
    with pytest.raises(DecoderBroken, match="install this program again"):
        try_decoder(SystemClock(), BlindDecoder())


def test_test_code_without_a_camera_is_refused(tmp_path: Path) -> None:
    done = gate("doctor", "--data", tmp_path, "--test-code")
    assert (done.status, "--source" in done.err) == (2, True)
