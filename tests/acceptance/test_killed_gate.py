"""A gate killed fifty times while it plays films of people: whoever saw green is in its log once, and on the server once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from msgspec import Struct

from gate.inspection import open_data, verify_log
from server.demo.box_office import BoxOffice
from server.demo.cable import Cable, laid_cable
from shared.clock import SystemClock
from shared.ids import ScanId
from shared.sync.scan import ScanRecord, decode_record
from tests.acceptance.filmed_gate import Agent, Line, Queue, Scene, shoot, start_gate
from tests.acceptance.house import House, fresh_place, open_house
from tests.acceptance.programs import call, gate_command

pytestmark = pytest.mark.alone

KILLS = 50
LINKED_EVERY, FIRST_CUT_OFF = 5, 25
A_FILM = 3
PEOPLE = 60
LONGEST_DELAY_S = 0.12


@pytest.fixture
def house() -> Iterator[House]:
    """Give a server of this test's own."""
    with fresh_place() as place, open_house(place / "server") as opened:
        yield opened


class Night(Struct, frozen=True, kw_only=True, eq=False):
    """A gate and its people, and every line the gate ever wrote."""

    data: Path
    films: Path
    queue: Queue
    chance: random.Random
    answered: list[Line]
    tickets: dict[str, str]
    """Whose each code is."""

    def prepare(self, number: int) -> Scene:
        """Film the next people; blocks."""
        scene = shoot(self.queue.call(A_FILM), self.films / f"{number}.avi", number)
        self.tickets.update({code: phone.ticket for code, phone in scene.people.items()})
        return scene

    async def start_at_once(self, scene: Scene) -> Agent:
        """Start the gate on a film, which is over before it can be in touch with the server."""
        agent = await start_gate(self.data, str(scene.film), "--pace", "none")
        await agent.next_line()
        return agent

    async def start_linked(self, scene: Scene) -> Agent:
        """Start the gate on an empty folder, and play the film at its own pace once server and gate are in touch."""
        folder = scene.film.with_suffix("")
        folder.mkdir()
        agent = await start_gate(self.data, str(folder), "--follow")
        await agent.until_online()
        scene.film.rename(folder / scene.film.name)
        return agent

    async def kill_during(self, scene: Scene, number: int) -> None:
        """Play a film and kill the gate at some instant between its start and the film's end."""
        linked = number < FIRST_CUT_OFF and number % LINKED_EVERY == 0
        agent = await (self.start_linked(scene) if linked else self.start_at_once(scene))
        await agent.until_scans(self.chance.randint(0, len(scene.people)))
        # With no answer awaited yet, the instant lies anywhere between opening the files and the first commits.
        reach = LONGEST_DELAY_S if agent.scans else 8 * LONGEST_DELAY_S
        await agent.kill_after(self.chance.uniform(0, reach))
        self.answered.extend(agent.scans)
        self.queue.send_back(scene, agent.scans)


# Fifty starts of a program that loads OpenCV take a second each, and twice that on a machine with other things to do.
@pytest.mark.timeout(400)
async def test_fifty_kills_during_films_lose_nothing_that_was_green(house: House) -> None:
    films = house.data.parent / "films"
    films.mkdir()
    async with aiohttp.ClientSession() as session, laid_cable(house.port) as cable:
        office = BoxOffice(house.base_url, session)
        night = Night(
            data=house.data.parent / "gate",
            films=films,
            queue=Queue(await house.buy_phones(office, PEOPLE)),
            chance=random.Random(20261122),  # noqa: S311 - which instants are tried, not a secret
            answered=[],
            tickets={},
        )
        await enrol(house, office, night.data, cable)
        await play(night, cable)
        await cable.plug_in()
        await hand_over(night.data)
        records = await read_log(night.data)
        check_log(night, records)
        await check_server(house, office, records)


async def play(night: Night, cable: Cable) -> None:
    """Kill the gate again and again, from the middle on with the cable cut; the next film is made meanwhile."""
    scene = await asyncio.to_thread(night.prepare, 0)
    for number in range(1, KILLS + 1):
        if number == FIRST_CUT_OFF:
            await cable.cut()
        filming = asyncio.ensure_future(asyncio.to_thread(night.prepare, number))
        await night.kill_during(scene, number)
        scene = await filming
        if night.queue.length < A_FILM:
            # Everybody is in: they come once more, to be told so.
            night.queue.send_back(scene, [])


async def enrol(house: House, office: BoxOffice, data: Path, cable: Cable) -> None:
    """Make a gate whose way to the server is the cable, and let it load the event."""
    code = await office.enrolment_code(house.organiser(), house.event.event, "North")
    command = gate_command("enrol", "--server", f"http://127.0.0.1:{cable.port}", "--data", str(data), code)
    said = await asyncio.to_thread(call, command)
    assert said.status == 0, said.errors
    await hand_over(data)


async def hand_over(data: Path) -> None:
    """Run the gate with the server in reach until it knows everything and has handed over all it has."""
    agent = await start_gate(data, "none")
    await agent.until_synced()
    await agent.kill_after(0)


async def read_log(data: Path) -> list[ScanRecord]:
    """Return every record, after checking numbers and hashes."""
    async with open_data(data, SystemClock()) as opened:
        count = await verify_log(opened.log)
        assert opened.log.acked == count
        return [decode_record(record.body) for record in await opened.log.read_between(0, count)]


def check_log(night: Night, records: list[ScanRecord]) -> None:
    """Whoever saw green is in the log under the number that was told, and nobody came in twice."""
    logged = {record.scan: record for record in records}
    assert len(logged) == len(records)
    green = [line for line in night.answered if line.admitted]
    assert len(green) > KILLS / 2, "too few people came through for this to prove anything"
    for line in green:
        assert line.scan is not None
        record = logged[ScanId(line.scan)]
        assert (record.admitted, record.gate_seq) == (True, line.gate_seq)
        # The same ticket, not always the same code: whoever lost the answer to a kill comes back with a newer one.
        assert night.tickets[record.code_hash.hex()] == night.tickets[line.code]
    admitted = [night.tickets[record.code_hash.hex()] for record in records if record.admitted]
    assert len(admitted) == len(set(admitted))
    assert {record.mode.value for record in records} == {"online", "offline"}
    assert all(later.hlc > earlier.hlc for earlier, later in pairwise(records))


async def check_server(house: House, office: BoxOffice, records: list[ScanRecord]) -> None:
    """The server has each of the gate's scans once, with the same answer, and no conflict."""
    scans = await house.read_all(office, "scans")
    stored = {(UUID(str(scan["scanId"])), scan["gateSeq"], scan["admitted"], scan["reason"]) for scan in scans}
    assert len(stored) == len(scans)
    assert stored == {(record.scan, record.gate_seq, record.admitted, record.reason.value) for record in records}
    figures = await house.figures(office)
    admitted = sum(record.admitted for record in records)
    assert (figures["scans"], figures["entries"], figures["ticketsUsed"]) == (len(records), admitted, admitted)
    assert figures["conflictsByClass"] == {}
