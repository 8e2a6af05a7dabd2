"""A gate and a real server on this machine: loading, handing over, cuts, and what answers in the server's place."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gate.outcome import Outcome
from gate.store.log import open_log
from gate.sync.problems import DeviceRevoked, LogRestored
from shared.admission.verdict import Reason
from shared.clock import SystemClock, unix_ms
from shared.ids import IncarnationId
from shared.problems import Unavailable
from shared.sync.feed import GateEntry
from shared.sync.scan import Mode
from shared.tickets.lifecycle import State
from tests.integration.gate.door_server import DoorServer, revoke_notice
from tests.integration.gate.harness import gate_running, run_to_its_end
from tests.integration.gate.venue import NORTH, SOUTH, Venue, enrol_by_hand, identity, passage, revised


async def enrolled(directory: Path, port: int, venue: Venue, tickets: int) -> DoorServer:
    """Return a server that knows the gate of this directory."""
    keys = await asyncio.to_thread(enrol_by_hand, directory, identity(f"http://127.0.0.1:{port}"))
    server = DoorServer(venue, keys)
    server.feed = venue.entries(tickets)
    return server


@pytest.fixture
def venue() -> Venue:
    """Give an evening around now."""
    return Venue(datetime.now(UTC))


@pytest.fixture
async def port(unused_tcp_port: int) -> int:
    """Give a port that a server can come back to."""
    return unused_tcp_port


def reasons(outcomes: list[Outcome]) -> list[Reason]:
    """Return why each outcome is what it is."""
    return [outcome.verdict.reason for outcome in outcomes]


async def test_new_gate_loads_event_admits_and_hands_over(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 30)
    async with server.serving(port), gate_running(tmp_path) as gate:
        status = await gate.until(lambda now: now.linked and now.tickets == 30)
        assert status.keys_until == venue.key().ends
        codes = venue.codes(range(1, 4), datetime.now(UTC))
        assert reasons(await gate.show(*codes, codes[0])) == [Reason.OK] * 3 + [Reason.DOUBLE_READ]
        await server.until(lambda: len(server.records) == 3)
        assert [record.gate_seq for record in server.records] == [1, 2, 3]
        assert all(record.admitted and record.proof is not None for record in server.records)
        await gate.until(lambda now: now.backlog == 0)
        assert gate.outcomes[0].holder is not None
        assert gate.outcomes[0].holder.name == "Guest 1"


async def test_gate_becomes_online_after_good_round_trips(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 5)
    async with server.serving(port), gate_running(tmp_path) as gate:
        # the first trips of a machine with other things to do may be slow: better ones take their place
        status = await gate.until(lambda now: now.mode is Mode.ONLINE and abs(now.clock_offset_s or 9.0) < 0.5)
        assert status.clock_offset_s is not None
        assert status.data_age_s is not None
        assert status.data_age_s < 20


async def test_scans_made_while_cut_off_arrive_once_after_reconnect(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 60)
    async with gate_running(tmp_path) as gate:
        async with server.serving(port):
            await gate.until(lambda now: now.linked and now.tickets == 60)
            await gate.show(*venue.codes(range(1, 11), datetime.now(UTC)))
            await server.until(lambda: len(server.records) == 10)
            await gate.until(lambda now: now.backlog == 0)
        await gate.until(lambda now: not now.linked and now.mode is Mode.OFFLINE)
        outcomes = await gate.show(*venue.codes(range(11, 51), datetime.now(UTC)))
        assert {outcome.mode for outcome in outcomes} == {Mode.OFFLINE}
        await gate.until(lambda now: now.backlog == 40)
        async with server.serving(port):
            await server.until(lambda: len(server.records) == 50)
            await gate.until(lambda now: now.backlog == 0)
    assert [record.gate_seq for record in server.records] == list(range(1, 51))


async def test_feed_changes_answers_at_once(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    one, two = venue.ticket(1), venue.ticket(2)
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 3)
        cancelled = revised(one.entry, seq=6, version=2, state=State.CANCELLED)
        elsewhere = passage(two, gate=SOUTH, at_ms=unix_ms(datetime.now(UTC)), seq=7)
        await server.publish(cancelled, elsewhere)
        await gate.until_applied(7)
        outcomes = await gate.show(*venue.codes(range(1, 3), datetime.now(UTC)))
    assert reasons(outcomes) == [Reason.CANCELLED, Reason.ALREADY_USED_ELSEWHERE]
    assert outcomes[1].prior_gate == "South 1"


async def test_missed_frame_is_fetched_by_range(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 3)
        # Committed without a word on the link, as when a frame is lost; the next one shows the gap.
        server.feed.extend(venue.ticket(number).entry for number in range(4, 2504))
        await server.publish(venue.ticket(2504).entry)
        status = await gate.until(lambda now: now.tickets == 2504)
        assert status.linked
    assert gate.agent.engine.cursor == 2506


async def test_far_behind_gate_loads_snapshot_and_goes_on_with_feed(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 300)
    server.feed_limit = 100
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 300)
        assert server.chunks_served == [0]
        await server.publish(venue.ticket(301).entry)
        await gate.until(lambda now: now.tickets == 301)


async def test_damaged_snapshot_chunk_is_refused_and_loaded_again(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 300)
    server.feed_limit = 100
    attempts = itertools.count()

    def damage_first(_number: int, data: bytes) -> bytes:
        return data if next(attempts) else b"\0" + data[1:]

    server.chunk_fault = damage_first
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.tickets == 300)
    assert server.chunks_served == [0, 0]


async def test_lower_bundle_version_is_refused(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    server.bundle_version = 5
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 3)
        assert gate.agent.knowledge.bundle_version == 5
        server.bundle_version = 4
        await server.send_bundle()
        server.bundle_version = 6
        await server.send_bundle()
        async with asyncio.timeout(20):
            while gate.agent.knowledge.bundle_version == 5:
                await gate.agent.watch.next(0.2)
        assert gate.agent.knowledge.bundle_version == 6


async def test_login_page_of_the_network_counts_as_offline(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 3)
        server.portal = True
        await server.cut()
        await gate.until(lambda now: not now.linked)
        assert reasons(await gate.show(venue.code(venue.ticket(1), datetime.now(UTC)))) == [Reason.OK]
        server.portal = False
        await gate.until(lambda now: now.linked and now.backlog == 0)


async def test_revoked_gate_admits_nobody_and_forgets_its_keys(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    async with server.serving(port):
        async with gate_running(tmp_path) as gate:
            await gate.until(lambda now: now.linked and now.tickets == 3)
            server.problem = (403, "device_revoked")
            await server.say(revoke_notice())
            await gate.until(lambda now: now.keys_until is None)
            outcomes = await gate.show(venue.code(venue.ticket(1), datetime.now(UTC)))
            assert reasons(outcomes) == [Reason.DEVICE_REVOKED]
        with pytest.raises(DeviceRevoked):
            await run_to_its_end(tmp_path)


async def test_feed_entry_about_this_gate_revokes_it(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 3)
        await server.publish(GateEntry(seq=6, gate=NORTH, name="North 2", revoked=True))
        await gate.until(lambda now: now.keys_until is None)
        assert reasons(await gate.show(venue.code(venue.ticket(1), datetime.now(UTC)))) == [Reason.DEVICE_REVOKED]


async def test_refusal_at_the_handshake_revokes_too(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 3)
        server.problem = (403, "device_revoked")
        await server.cut()
        await gate.until(lambda now: now.keys_until is None)
        assert reasons(await gate.show(venue.code(venue.ticket(1), datetime.now(UTC)))) == [Reason.DEVICE_REVOKED]


async def test_gate_without_tickets_and_server_says_so(tmp_path: Path, port: int, venue: Venue) -> None:
    await enrolled(tmp_path, port, venue, 3)
    with pytest.raises(Unavailable, match="no tickets or keys yet") as caught:
        await run_to_its_end(tmp_path, wait_s=0.2)
    assert caught.value.exit_code == 3


class ShiftedClock(SystemClock):
    """The machine's clock, set wrong."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        """Return the wrong time."""
        return super().now() + self._by


async def test_gate_with_wrong_clock_connects_and_knows_by_how_much(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    clock = ShiftedClock(timedelta(minutes=-9))
    async with server.serving(port), gate_running(tmp_path, clock=clock) as gate:
        status = await gate.until(lambda now: now.linked and abs((now.clock_offset_s or 0.0) + 540) < 1)
        assert status.clock_offset_s == pytest.approx(-540, abs=1)


async def test_log_behind_the_servers_copy_stops_the_gate(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 3)
    async with server.serving(port):
        async with gate_running(tmp_path) as gate:
            await gate.until(lambda now: now.linked and now.tickets == 3)
            await gate.show(*venue.codes(range(1, 3), datetime.now(UTC)))
            await server.until(lambda: len(server.records) == 2)
        restored = tmp_path / "restored"
        await asyncio.to_thread(_copy_without_log, tmp_path, restored)
        log = await open_log(restored, IncarnationId(next(iter(server.logs))))
        await log.close()
        with pytest.raises(LogRestored, match="ends at record 0"):
            await run_to_its_end(restored)


async def test_server_restored_from_backup_gets_its_lost_scans_again(tmp_path: Path, port: int, venue: Venue) -> None:
    server = await enrolled(tmp_path, port, venue, 10)
    async with server.serving(port), gate_running(tmp_path) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 10)
        await gate.show(*venue.codes(range(1, 6), datetime.now(UTC)))
        await server.until(lambda: len(server.records) == 5)
        server.logs.clear()
        await server.cut()
        await server.until(lambda: len(server.records) == 5)
        assert [record.gate_seq for record in server.records] == [1, 2, 3, 4, 5]


def _copy_without_log(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        if path.is_file() and not path.name.startswith("log.db"):
            copy = target / path.name
            copy.write_bytes(path.read_bytes())
            copy.chmod(path.stat().st_mode & 0o777)
