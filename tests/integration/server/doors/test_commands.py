"""`tickettoken gates` and `conflicts` do what the served calls do."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog

from server.services.problems import EventUnknown
from server.services.problems_gates import ConflictSettled, ConflictUnknown, GateUnknown
from server.services.quarantine import keep_apart
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage
from tests.integration.server.organiser.test_commands import Console


@pytest.fixture
def console(database: Databases, capsys: pytest.CaptureFixture[str]) -> Iterator[Console]:
    """Give a terminal, and the next test its logs back: a command sets them up for its own process."""
    yield Console(database, capsys)
    structlog.reset_defaults()


async def test_gates_are_listed_shown_and_revoked(stage: Stage, console: Console) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North\x1b[2J"), await stage.enrol("South")
    listed = await console.run("gates", "list", stage.event)
    assert {line.split()[0] for line in listed.splitlines()} == {str(north.id), str(south.id)}
    assert "\x1b" not in listed
    assert listed.count("in service") == 2
    revoked = await console.json("gates", "revoke", north.id)
    assert revoked["revokedAt"] is not None
    await north.scan(ticket)
    await keep_apart(stage.context, north.caller, north.batch())
    shown = await console.run("gates", "show", north.id)
    assert "REVOKED" in shown
    assert "device_revoked  1 scans, 1 let in" in shown
    assert (await console.json("gates", "show", north.id))["quarantined"] == 1
    with pytest.raises(GateUnknown):
        await console.run("gates", "revoke", uuid4())
    with pytest.raises(EventUnknown):
        await console.run("gates", "list", uuid4())


async def test_conflicts_are_listed_shown_and_settled(stage: Stage, console: Console) -> None:
    assert await console.run("conflicts", "list", stage.event) == "no conflicts that wait for a decision\n"
    [ticket] = await stage.issue(1)
    for name in ("North", "South"):
        gate = await stage.enrol(name)
        await gate.scan(ticket)
        await gate.hand_over()
    [line] = (await console.run("conflicts", "list", stage.event)).splitlines()
    conflict = line.split()[0]
    shown = await console.run("conflicts", "show", conflict)
    assert str(ticket.id) in shown
    assert "North" in shown
    assert "South" in shown
    settled = await console.json("conflicts", "resolve", conflict, "ejected", "--note", "second one")
    assert (settled["state"], settled["resolution"], settled["decidedBy"]) == ("resolved", "ejected", "cli")
    assert await console.run("conflicts", "list", stage.event) == "no conflicts that wait for a decision\n"
    assert "resolved (ejected)" in await console.run("conflicts", "list", stage.event, "--all")
    assert "by cli: second one" in await console.run("conflicts", "show", conflict)
    with pytest.raises(ConflictSettled):
        await console.run("conflicts", "resolve", conflict, "fraud")
    with pytest.raises(ConflictUnknown):
        await console.run("conflicts", "show", uuid4())
