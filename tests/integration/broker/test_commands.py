"""Commands reach real gates over either link, whenever they are there; each counts once and outlives restarts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.identity import IDENTITY_NAME, load_identity
from gate.keystore import KEYS_NAME
from gate.orders import load_orders
from gate.sync.enrol import EnrolmentOrder, enrol
from gate.sync.problems import GateWiped
from gate.sync.ways import Way
from gate.wiping import wipe_if_due
from server.services.enrol import GateWish
from server.services.gate_commands import Commander, CommandWish, GateChange, change_gate, give_command
from server.services.gate_views import GateDetail, show_gate
from server.services.rows_gates import SnapshotRow
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.clock import ManualClock, SystemClock, unix_ms
from shared.ids import CommandId, GateId, uuid7
from shared.sync.command import (
    Command,
    CommandKind,
    Hold,
    Order,
    Outcome,
    Resume,
    SignedCommand,
    Wipe,
    open_command,
    sign_command,
)
from shared.sync.wire import CommandsFrame, Welcome
from tests.conftest import Databases
from tests.integration.broker.agents import enrol_at, scan_junk, stored_seqs
from tests.integration.broker.stage import Exchange, until
from tests.integration.gate.harness import gate_running
from tests.integration.server.doors.house import House, open_house

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clock() -> ManualClock:
    """Give the server the gates' time: they go by the machine's clock."""
    return ManualClock(datetime.now(UTC))


class Organiser:
    """Somebody who commands one gate."""

    def __init__(self, house: House, gate: GateId) -> None:
        self._context = house.parts.context
        self._gate = gate
        self._by = Commander(tenant=house.stage.tenant, name="test")

    async def command(self, kind: CommandKind, text: str | None = None) -> CommandId:
        """Give a command."""
        async with self._context.db.tenant(self._by.tenant) as tx:
            wish = CommandWish(kind=kind, text=text)
            return (await give_command(self._context, tx, self._by, self._gate, wish)).id

    async def change(self, **change: object) -> None:
        """Have the gate be something else."""
        async with self._context.db.tenant(self._by.tenant) as tx:
            await change_gate(self._context, tx, self._by, self._gate, msgspec.convert(change, GateChange))

    async def show(self) -> GateDetail:
        """Return the gate as its organiser sees it."""
        return await show_gate(self._context, self._by.tenant, self._gate)

    async def until(self, holds: Callable[[GateDetail], bool]) -> GateDetail:
        """Wait until the gate is as a test wants it, as far as the server knows."""

        async def asked() -> bool:
            return holds(await self.show())

        await until(asked)
        return await self.show()

    async def until_settled(self, count: int) -> list[str]:
        """Wait until it is known what became of all commands; return that, in order."""
        shown = await self.until(lambda gate: len([one for one in gate.commands if one.settled_at]) == count)
        return [one.state for one in reversed(shown.commands)]


async def test_gate_that_was_away_does_what_it_was_told_over_the_broker_and_still_does_after_a_restart(
    exchange: Exchange, tmp_path: Path
) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    organiser = Organiser(exchange.house, post.gate)
    await organiser.change(name="North 2", direction=Direction.EXIT, role=GateRole.HELP_DESK)
    await organiser.command(CommandKind.MESSAGE, "Doors in 5 minutes")
    await organiser.command(CommandKind.HOLD, "Lift broken")
    async with post.running() as gate:
        status = await gate.until(lambda now: now.way == Way.BROKER and now.held is not None)
        assert (status.gate_name, status.held, [one.text for one in status.notices]) == (
            "North 2",
            "Lift broken",
            ["Doors in 5 minutes"],
        )
        assert await organiser.until_settled(3) == ["done"] * 3
        shown = await organiser.until(lambda now: now.held is True)
        assert (shown.mode is not None, shown.camera_alive, shown.stale) == (True, False, False)
        await gate.agent.view.submit("junk")
        await gate.agent.desk.settle()
        assert gate.outcomes == []
    assert {what for what, _ in gate.told} >= {"held", "message"}
    identity = await asyncio.to_thread(load_identity, post.directory)
    assert (identity.name, identity.direction, identity.role) == ("North 2", Direction.EXIT, GateRole.HELP_DESK)
    async with post.running() as gate:
        status = await gate.until(lambda now: now.linked)
        assert (status.held, status.gate_name, len(status.notices)) == ("Lift broken", "North 2", 1)
        await gate.agent.view.confirm_notice(status.notices[0].command)
        await organiser.command(CommandKind.RESUME)
        await gate.until(lambda now: now.held is None and not now.notices)
        await scan_junk(gate, 1, "again")
        await gate.until(lambda now: now.backlog == 0)
    assert await organiser.until_settled(4) == ["done"] * 4
    stage = exchange.house.stage
    async with stage.db.tenant(stage.tenant) as tx:
        [scan] = await tx.scans.list_of_event(stage.event, None, 10)
    assert scan.direction is Direction.EXIT


@pytest.fixture
async def lane(database: Databases, clock: ManualClock, tmp_path: Path) -> AsyncIterator[tuple[House, Path]]:
    """Give a server whose gates have the WebSocket alone, and the directory of a gate of it."""
    async with open_house(database, clock) as house:
        issued = await house.stage.enrolment.issue_code(
            house.stage.tenant, GateWish(event=house.stage.event, name="North"), clock.now()
        )
        order = EnrolmentOrder(server=house.base_url, code=issued.code, name=None, software="test 1")
        await enrol(tmp_path / "north", order, SystemClock())
        yield house, tmp_path / "north"


async def test_linked_gate_obeys_at_once_over_the_websocket_and_loads_everything_anew(
    lane: tuple[House, Path],
) -> None:
    house, directory = lane
    await house.stage.issue(2)
    gate_id = (await asyncio.to_thread(load_identity, directory)).gate
    organiser = Organiser(house, gate_id)
    async with gate_running(directory) as gate:
        await gate.until(lambda now: now.linked and now.tickets == 2)
        await organiser.command(CommandKind.HOLD, "Lift broken")
        await gate.until(lambda now: now.held is not None)
        await organiser.command(CommandKind.RESUME)
        await gate.until(lambda now: now.held is None)
        assert await newest_snapshot(house) is None
        await organiser.command(CommandKind.RESYNC)
        assert await organiser.until_settled(3) == ["done"] * 3
        await gate.until(lambda now: now.linked and now.tickets == 2 and gate.agent.engine.current)
    assert await newest_snapshot(house) is not None


async def test_gate_at_the_broker_hears_of_a_command_without_asking(exchange: Exchange) -> None:
    gate, beside = await exchange.house.stage.enrol(), await exchange.house.stage.enrol("South")
    line, other = await exchange.link(gate), await exchange.link(beside)
    for at in (line, other):
        await at.until(Welcome)
    async with exchange.house.stage.db.tenant(gate.row.tenant) as tx:
        key = (await exchange.house.stage.vault.config_key(tx)).public_key()
    # Neither gate says anything more; what one is told, the other one is not.
    for one, at in ((gate, line), (beside, other)):
        given = await Organiser(exchange.house, one.id).command(CommandKind.MESSAGE, "Doors in 5 minutes")
        [heard] = (await at.until(CommandsFrame)).commands
        assert open_command(heard, one.id, key).id == given
    for at in (line, other):
        await at.link.close()


async def newest_snapshot(house: House) -> SnapshotRow | None:
    """Return the newest snapshot of the event; somebody must have asked for it."""
    async with house.stage.db.tenant(house.stage.tenant) as tx:
        return await tx.feed.newest_snapshot(house.stage.event)


async def test_nothing_but_the_organisers_word_for_this_gate_counts_and_each_word_once(
    lane: tuple[House, Path],
) -> None:
    house, directory = lane
    stage = house.stage
    identity = await asyncio.to_thread(load_identity, directory)
    async with stage.db.tenant(stage.tenant) as tx:
        config = await stage.vault.config_key(tx)
    now_ms = unix_ms(datetime.now(UTC))

    def make(number: int, order: Order, expires_ms: int | None = None) -> Command:
        made = CommandId(uuid7(datetime.now(UTC), lambda size: bytes([number]) * size))
        return Command(id=made, number=number, order=order, expires_ms=expires_ms)

    def sign(command: Command) -> SignedCommand:
        return sign_command(command, identity.gate, config)

    async with gate_running(directory) as gate:
        await gate.until(lambda now: now.linked)
        obedience = gate.agent.obedience
        stranger, neighbour = Ed25519PrivateKey.generate(), GateId(uuid7(datetime.now(UTC), lambda size: b"n" * size))
        wipe = make(1, Wipe())
        forged = [sign_command(wipe, identity.gate, stranger), sign_command(wipe, neighbour, config)]
        forged.append(SignedCommand(body=sign(make(1, Resume())).body, signature=sign(wipe).signature))
        assert (await obedience.obey(forged, 0)).receipts == []
        assert (obedience.wiping, obedience.last) == (False, 0)
        hold = make(2, Hold(reason="Lift broken"))
        first = await obedience.obey([sign(hold)], 0)
        await obedience.obey([sign(make(3, Resume()))], 0)
        again = await obedience.obey([sign(hold)], 0)
        assert again == first
        assert obedience.held is None  # what came again was not done again
        stale = await obedience.obey([sign(make(4, Hold(reason="old"), now_ms - 3_600_000))], 0)
        twin = msgspec.structs.replace(make(9, Hold(reason="a number that came before")), number=3)
        other = await obedience.obey([sign(twin)], 0)
        assert [one.outcome for one in (*stale.receipts, *other.receipts)] == [Outcome.EXPIRED, Outcome.REFUSED]
        assert obedience.held is None
    kept = await asyncio.to_thread(load_orders, directory)
    assert (kept.last, kept.held) == (4, None)


async def test_wiped_gate_hands_its_log_over_first_and_leaves_nothing_behind(
    exchange: Exchange, tmp_path: Path
) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    organiser = Organiser(exchange.house, post.gate)
    async with post.running() as gate:
        await gate.until(lambda now: now.linked)
        await scan_junk(gate, 250, "before")
        await organiser.command(CommandKind.WIPE)
        with pytest.raises(GateWiped):
            await gate.ended()
        gate.task = asyncio.ensure_future(asyncio.sleep(0))
    assert await organiser.until_settled(1) == ["done"]
    assert (await organiser.show()).revoked_at is not None
    assert await stored_seqs(exchange, post.gate) == list(range(1, 251))
    assert (post.directory / KEYS_NAME).exists()
    assert await asyncio.to_thread(wipe_if_due, post.directory)
    assert [path.name for path in post.directory.iterdir()] == []


async def test_program_of_the_lane_wipes_itself_and_finishes_a_wipe_that_was_cut_off(
    exchange: Exchange, tmp_path: Path
) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    organiser = Organiser(exchange.house, post.gate)
    (post.directory / "holiday.jpg").write_bytes(b"not the gate's")
    await organiser.command(CommandKind.WIPE)
    status, errors = await run_program(post.directory)
    assert (status, "wiped" in errors) == (4, True), errors
    assert [path.name for path in post.directory.iterdir()] == ["holiday.jpg"]
    assert await organiser.until_settled(1) == ["done"]
    assert (await run_program(post.directory))[0] == 1  # it is nobody now


async def test_wipe_that_a_power_cut_ended_halfway_is_finished_at_the_next_start(
    exchange: Exchange, tmp_path: Path
) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    organiser = Organiser(exchange.house, post.gate)
    await organiser.command(CommandKind.WIPE)
    async with post.running() as gate:
        with pytest.raises(GateWiped):
            await gate.ended()
        gate.task = asyncio.ensure_future(asyncio.sleep(0))
    (post.directory / KEYS_NAME).unlink()
    assert (post.directory / IDENTITY_NAME).exists()
    status, errors = await run_program(post.directory)
    assert (status, "wipe" in errors) == (4, True), errors
    assert list(post.directory.iterdir()) == []


async def run_program(directory: Path) -> tuple[int | None, str]:
    """Run the gate's program until it ends by itself; return its status and what it said to people."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gate", "run", "--data", str(directory), "--headless", "--source", "none"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    async with asyncio.timeout(120):
        _, errors = await program.communicate()
    return program.returncode, errors.decode()
