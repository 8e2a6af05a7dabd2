"""A ticket on the hot list is stopped at a real gate's door, by supervisor or for good as the policy says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from gate.store.shadow import open_shelf
from shared.admission.override import OverrideReason
from shared.admission.policy import Cloned
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.codes.keys import hash_handle
from shared.sync.feed import HotEntry, PolicyEntry
from tests.integration.gate.door import Door, open_door
from tests.integration.gate.test_supervise import ANNA, venue
from tests.integration.gate.venue import Venue

NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)


def hot(house: Venue, seq: int, *, on: bool = True) -> HotEntry:
    """Return what the server tells of the first ticket."""
    return HotEntry(seq=seq, handle_hash=hash_handle(house.ticket(1).handle), hot=on)


async def verdict_on(door: Door) -> Reason:
    """Return what the first ticket's live code is answered now."""
    door.clock.advance(timedelta(minutes=1))
    return (await door.show_ticket(1)).verdict.reason


@pytest.mark.parametrize(
    ("rule", "reason"), [(Cloned.SUPERVISOR, Reason.CLONE_SUSPECTED), (Cloned.REFUSE, Reason.CLONE_REFUSED)]
)
async def test_hot_ticket_is_stopped_until_it_is_cleared_also_after_a_restart(
    tmp_path: Path, rule: Cloned, reason: Reason
) -> None:
    house, clock = venue(), ManualClock(NOW)
    door = await open_door(tmp_path, house, 5, clock)
    seq = (await door.world.state()).feed_seq
    policy = replace(house.policy, version=house.policy.version + 1, when_cloned=rule)
    await door.learn(PolicyEntry(seq=seq + 1, policy=policy), hot(house, seq + 2))
    assert await verdict_on(door) is reason
    assert (await door.show_ticket(2)).verdict.admitted
    await door.close()
    world = (await open_door(tmp_path, house, 5, clock)).world
    assert (await world.find(hot(house, 1).handle_hash)).hot
    await world.apply([hot(house, seq + 3, on=False), hot(house, seq + 2)], seq + 3)
    assert not (await world.find(hot(house, 1).handle_hash)).hot
    await world.close()


async def test_supervisor_may_let_in_who_is_only_suspected(tmp_path: Path) -> None:
    house = venue()
    door = await open_door(tmp_path, house, 5, ManualClock(NOW))
    seq = (await door.world.state()).feed_seq
    await door.learn(hot(house, seq + 1))
    refused = await door.show_ticket(1)
    assert refused.verdict.reason is Reason.CLONE_SUSPECTED
    assert refused.scan is not None
    assert (await door.staff.sign_in(ANNA, "135792")).accepted
    assert (await door.staff.override(refused.scan, OverrideReason.ID_CHECKED)).done
    assert door.told[-1].verdict.admitted
    await door.learn(PolicyEntry(seq=seq + 2, policy=replace(house.policy, version=9, when_cloned=Cloned.REFUSE)))
    door.clock.advance(timedelta(minutes=1))
    again = await door.show_ticket(1)
    assert again.verdict.reason is Reason.CLONE_REFUSED
    assert again.scan is not None
    assert not (await door.staff.override(again.scan, OverrideReason.ID_CHECKED)).done
    await door.close()


async def test_snapshot_brings_the_hot_list_and_clears_what_it_does_not_name(tmp_path: Path) -> None:
    house = venue()
    door = await open_door(tmp_path, house, 2, ManualClock(NOW))
    other = HotEntry(seq=90, handle_hash=hash_handle(house.ticket(2).handle))
    await door.learn(hot(house, 80))
    async with open_shelf(tmp_path) as shelf:
        assert await shelf.begin("s-1") == 0
        await shelf.add_chunk(0, [*house.entries(2), other])
        await shelf.finish(90)
    assert not (await door.world.find(hot(house, 1).handle_hash)).hot
    assert (await door.world.find(other.handle_hash)).hot
    await door.close()
