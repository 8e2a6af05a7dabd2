"""A ticket that was shown on two phones at once is told to all gates, in the feed and in snapshots, until that is settled."""

from __future__ import annotations

from uuid import UUID

import pytest
from msgspec import msgpack

from server.services.rows import TicketRow
from server.services.ticket_care import Caretaker, ReissueRequest, reissue_in
from shared.sync.feed import HotEntry
from shared.sync.wire import unpack_chunk
from tests.integration.server.doors.house import House
from tests.integration.server.doors.linked import settle
from tests.integration.server.doors.stage import ORGANISER


async def copy(house: House) -> TicketRow:
    """Have two phones with one ticket's live code let in at two gates at once."""
    stage = house.stage
    [ticket] = await stage.issue(1)
    for name in ("North", "South"):
        gate = await stage.enrol(name)
        await gate.scan(ticket)
        await gate.hand_over()
    return ticket


async def told(house: House) -> list[tuple[bytes, bool]]:
    """Return what the feed says of the hot list."""
    await settle(house)
    return [(one.handle_hash, one.hot) for one in await house.stage.feed() if isinstance(one, HotEntry)]


async def in_snapshot(house: House) -> list[bytes]:
    """Return the hot list of a snapshot made now."""
    stage, snapshots = house.stage, house.parts.snapshots
    async with stage.db.tenant(stage.tenant) as tx:
        await tx.feed.drop_snapshots(stage.event, stage.clock.now().replace(year=2100))
    manifest = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    bodies = [
        await snapshots.chunk(stage.tenant, stage.event, UUID(manifest.snapshot), number)
        for number in range(len(manifest.chunks))
    ]
    return [one.handle_hash for body in bodies for one in unpack_chunk(body) if isinstance(one, HotEntry)]


async def resolve(house: House, resolution: str) -> None:
    """Settle the one conflict there is."""
    _, page = await house.ask("GET", f"/api/v1/events/{house.stage.event}/conflicts", house.organiser())
    assert isinstance(page, dict)
    [conflict] = page["items"]
    assert (conflict["kind"], conflict["severity"]) == ("clone", "high")
    path = f"/api/v1/conflicts/{conflict['id']}/resolve"
    status, _ = await house.ask("POST", path, house.organiser(), {"resolution": resolution})
    assert status == 200


@pytest.mark.parametrize(("resolution", "cleared"), [("benign", True), ("staff_error", True), ("fraud", False)])
async def test_copied_ticket_is_hot_until_an_innocent_reason_is_found(
    house: House, resolution: str, cleared: bool
) -> None:
    ticket = await copy(house)
    handle_hash = await house.stage.handle_hash(ticket)
    assert await told(house) == [(handle_hash, True)]
    assert await in_snapshot(house) == [handle_hash]
    await resolve(house, resolution)
    assert await told(house) == [(handle_hash, True), *([(handle_hash, False)] if cleared else [])]
    assert await in_snapshot(house) == ([] if cleared else [handle_hash])


async def test_two_admissions_that_one_phone_explains_make_nothing_hot(house: House) -> None:
    [ticket] = await house.stage.issue(1)
    gate = await house.stage.enrol("North")
    await gate.scan(ticket)
    await gate.hand_over()
    assert await told(house) == []


async def test_reissued_ticket_is_not_hot_and_its_old_generation_stays(house: House) -> None:
    ticket = await copy(house)
    before = await house.stage.handle_hash(ticket)
    by = Caretaker(tenant=house.stage.tenant, actor=ORGANISER, source="test")
    async with house.stage.db.tenant(house.stage.tenant) as tx:
        request = msgpack.decode(msgpack.encode({"reason": "copied"}), type=ReissueRequest)
        await reissue_in(house.stage.context, tx, by, ticket.id, request)
    after = await house.stage.handle_hash(await house.stage.ticket(ticket.id))
    assert await in_snapshot(house) == [before]
    assert after != before
    async with house.stage.db.tenant(house.stage.tenant) as tx:
        assert await tx.conflicts.hot_of_tickets([ticket.id]) == {before}
