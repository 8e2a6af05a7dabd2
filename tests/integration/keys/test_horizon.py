"""Bundles reach far enough, are topped up by themselves, and are refused where they do not belong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from server.key_keeper import run_key_keeper
from server.services.bundles import MadeBundle, make_bundle
from server.services.context import HORIZON
from server.services.key_horizon import provide_keys
from shared.codes.bundle import SealedBundle, seal_bundle
from shared.problems import Denied
from shared.sync.wire import BundleFrame
from tests.integration.gate.harness import Running
from tests.integration.keys.grounds import PATIENCE_S, Grounds
from tests.integration.keys.stage import DAY, Festival, long_policy
from tests.integration.server.doors.house import House
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage, set_up_with


async def made_for(festival: Festival, gate: PaperGate) -> MadeBundle:
    """Return a gate's bundle as it travels."""
    stage = festival.stage
    async with stage.db.tenant(stage.tenant) as tx:
        row, event = await tx.gates.get(gate.id), await tx.events.get(stage.event)
        assert row is not None
        assert event is not None
        return await make_bundle(tx, festival.context, row, event, stage.clock.now())


@pytest.mark.parametrize("hours", [-30, 0, 5, 6, 23, 47, 71])
async def test_a_bundle_reaches_the_horizon_at_any_hour(festival: Festival, hours: int) -> None:
    gate = await festival.stage.enrol()
    festival.clock.step_wall(timedelta(hours=hours))
    now = festival.clock.now()
    keys = sorted((await festival.bundle(gate)).epochs, key=lambda key: key.starts)
    assert keys[-1].ends > now + HORIZON
    assert keys[0].starts <= max(now, (await festival.stage.event_row()).epoch_zero)
    assert all(before.ends == after.starts for before, after in pairwise(keys))


async def test_the_horizon_is_a_setting(festival: Festival) -> None:
    gate = await festival.stage.enrol()
    stage = festival.stage
    far = replace(festival.context, horizon=timedelta(days=9))
    async with stage.db.tenant(stage.tenant) as tx:
        row, event = await tx.gates.get(gate.id), await tx.events.get(stage.event)
        assert row is not None
        assert event is not None
        usual = await make_bundle(tx, festival.context, row, event, stage.clock.now())
        wide = await make_bundle(tx, far, row, event, stage.clock.now())
    assert wide.version - usual.version == 6


async def test_keys_are_made_before_any_gate_asks(festival: Festival) -> None:
    stage = festival.stage
    assert await provide_keys(festival.context, stage.db) == 1
    async with stage.db.tenant(stage.tenant) as tx:
        stored = await tx.keys.epochs(stage.event, 0, 100)
    assert stored[-1].ends > stage.clock.now() + HORIZON
    stage.clock.step_wall(10 * DAY)
    assert await provide_keys(festival.context, stage.db) == 0


async def test_a_linked_gate_is_topped_up_without_a_word_from_it(grounds: Grounds) -> None:
    """No heartbeat, no new link: the wire below never speaks after its greeting."""
    festival = grounds.festival
    gate = await festival.stage.enrol()
    async with open_wire(grounds) as house:
        wire = await house.link(gate)
        await wire.until(BundleFrame)
        festival.clock.step_wall(DAY)
        told = asyncio.Event()

        def look() -> None:
            grounds.parts.hub.check_all()
            told.set()

        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            keeper = tasks.create_task(run_key_keeper(grounds.parts.context, grounds.parts.database, look))
            await told.wait()
            frame = await wire.until(BundleFrame)
            keeper.cancel()
        await wire.socket.close()
    fresh = await made_for(festival, gate)
    assert isinstance(frame, BundleFrame)
    assert fresh.version & 0xFFFF == 4


async def test_a_gate_refuses_bundles_that_are_not_for_it(grounds: Grounds) -> None:
    directory = await grounds.enrol("north")
    festival, other_gate = grounds.festival, await grounds.festival.stage.enrol("other")
    stranger = await set_up_with(festival.stage.db, festival.stage.vault, festival.clock, long_policy())
    ours, theirs = await config_key(festival.stage), await config_key(stranger)
    async with grounds.gate(directory) as gate:
        knowledge = gate.agent.knowledge
        version = knowledge.bundle_version
        refused = {
            "the same version": forge(gate, ours, version=version),
            "a lower version": forge(gate, ours, version=version - 1),
            "another tenant's signature": forge(gate, theirs, version=version + 1),
            "another event": forge(gate, ours, version=version + 1, event=stranger.event),
            "another gate's": (await made_for(festival, other_gate)).sealed,
        }
        for why, carried in refused.items():
            with pytest.raises(Denied):
                await knowledge.take_bundle(carried)
            assert knowledge.bundle_version == version, why
        assert await knowledge.take_bundle(forge(gate, ours, version=version + 1)) == version + 1


async def config_key(stage: Stage) -> Ed25519PrivateKey:
    """Return the key a tenant signs with."""
    async with stage.db.tenant(stage.tenant) as tx:
        return await stage.vault.config_key(tx)


def forge(gate: Running, signer: Ed25519PrivateKey, **changes: object) -> SealedBundle:
    """Return the gate's present bundle with something changed, signed by somebody."""
    present, setup = gate.agent.knowledge._bundle, gate.agent.setup
    assert present is not None
    return seal_bundle(replace(present, **changes), setup.identity.gate, setup.keys.seal.public_key(), signer)


@asynccontextmanager
async def open_wire(grounds: Grounds) -> AsyncIterator[House]:
    """Give the server as gates of paper reach it."""
    async with aiohttp.ClientSession() as client:
        yield House(base_url=grounds.base_url, parts=grounds.parts, stage=grounds.festival.stage, client=client)
