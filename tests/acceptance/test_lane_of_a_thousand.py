"""A thousand guests filmed in front of a lane: the gate's program reads the films, and everybody gets the one right answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.film.script import Film, Person, write_script
from gate.inspection import open_data, verify_log
from shared.admission.verdict import Reason
from shared.clock import SystemClock
from tests.acceptance.lane_guests import FIRST_HALF, SECOND_HALF, Guest, House, in_pairs, require_a_mix
from tests.acceptance.programs import Said, call, gate_command

pytestmark = pytest.mark.alone

WIDTH, HEIGHT, FRAMES = 800, 480, 6
CAMERAS = 2
ROUNDS = 4
PATIENCE_S = 300.0
_AT_ONCE = ("--pace", "none", "--exit-at-end", "--drain-s", "0")
LATE_SHARE = 0.08
"""At most so many have to hold their ticket up a second time: a fifth of a second is short for glare and shaking hands."""


class Lane:
    """The gate of one directory, started anew for each film."""

    def __init__(self, directory: Path, films: Path) -> None:
        self._directory = directory
        self._films = films
        self._filmed = 0
        self.answers: dict[str, list[str]] = {}

    async def serve(self, guests: list[Guest]) -> list[Guest]:
        """Film these people and let the gate see them; return who got no answer."""
        before = Counter({code: len(answers) for code, answers in self.answers.items()})
        folder = await self._film(guests)
        command = gate_command("run", "--headless", "--data", str(self._directory), "--source", str(folder))
        said = await asyncio.to_thread(call, [*command, *_AT_ONCE], timeout_s=PATIENCE_S)
        assert said.status == 0, said.errors
        for line in map(json.loads, said.output.splitlines()):
            if line["type"] == "scan":
                assert line["admitted"] == (line["reason"] == "ok")
                self.answers.setdefault(line["code"], []).append(line["reason"])
        return [guest for guest in guests if len(self.answers.get(guest.code, [])) == before[guest.code]]

    async def _film(self, guests: list[Guest]) -> Path:
        """Film half of the people with each of two cameras, at the same time."""
        self._filmed += 1
        folder = self._films / str(self._filmed)
        folder.mkdir(parents=True)
        groups = list(in_pairs(guests))
        each = -(-len(groups) // CAMERAS)
        parts = [groups[start : start + each] for start in range(0, len(groups), each)]
        done = await asyncio.gather(*(self._shoot(folder, number, part) for number, part in enumerate(parts)))
        assert [said.status for said in done] == [0] * len(parts), done
        return folder

    async def _shoot(self, folder: Path, number: int, groups: list[tuple[Guest, ...]]) -> Said:
        people = tuple(_stand(group) for group in groups)
        script = self._films / f"{self._filmed}-{number}.json"
        seed = self._filmed * CAMERAS + number
        script.write_bytes(write_script(Film(people=people, width=WIDTH, height=HEIGHT, seed=seed)))
        command = gate_command("film", "--quiet", str(script), str(folder / f"{number}.avi"))
        return await asyncio.to_thread(call, command, timeout_s=PATIENCE_S)


def _stand(group: tuple[Guest, ...]) -> Person:
    first, *others = group
    beside = others[0].text if others else ""
    return Person(text=first.text, kind=first.kind, beside=beside, frames=FRAMES, pause_frames=0)


# Drawing five thousand pictures and reading them takes less than half a minute of two idle cores.
@pytest.mark.timeout(600)
async def test_each_of_a_thousand_guests_gets_the_right_answer(tmp_path: Path) -> None:
    house = House(datetime.now(UTC))
    halves = house.queue()
    guests = [guest for half in halves for guest in half]
    assert len(guests) == FIRST_HALF + SECOND_HALF
    require_a_mix(halves)
    await house.furnish(tmp_path / "gate")
    lane = Lane(tmp_path / "gate", tmp_path / "films")
    late = 0
    for half in halves:
        waiting = await lane.serve(half)
        late += len(waiting)
        for _ in range(ROUNDS):
            if waiting:
                waiting = await lane.serve(waiting)
        assert waiting == []
    expected: dict[str, list[str]] = {}
    for guest in guests:
        expected.setdefault(guest.code, []).append(guest.expected.value)
    assert lane.answers == expected
    assert late <= len(guests) * LATE_SHARE
    await _check_log(tmp_path / "gate", guests)


async def _check_log(directory: Path, guests: list[Guest]) -> None:
    """Everybody is in the gate's log, and as many came in as should have."""
    async with open_data(directory, SystemClock()) as data:
        records = await verify_log(data.log)
        admitted = await data.log.admitted_scans()
    assert records == len(guests)
    assert len(admitted) == sum(guest.expected is Reason.OK for guest in guests)
