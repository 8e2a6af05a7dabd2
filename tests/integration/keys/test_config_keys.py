"""The key that signs what gates believe, handed over: each gate learns of the new one from the old one, then forgets that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from gate.keystore import load_keys, write_b64url
from gate.trust import OrganiserTrust
from server.services.key_care import retire_key
from server.services.key_rotation import rotate_config
from server.services.key_status import read_status
from server.services.problems import KeyNeeded
from server.services.rows import KeyKind
from shared.admission.verdict import Reason
from shared.codes.bundle import KeyBundle, SealedBundle, seal_bundle
from shared.problems import Denied
from tests.integration.gate.harness import Running
from tests.integration.keys.grounds import Grounds, identity_of
from tests.integration.server.selling.test_codes import rotate as show


async def config_publics(grounds: Grounds) -> list[str]:
    """Return the public halves of the tenant's config keys in Base64url, the oldest first."""
    stage = grounds.festival.stage
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.keys.list_all(KeyKind.CONFIG)
    return [write_b64url(row.public or b"") for row in rows]


async def seal_as(grounds: Grounds, gate: Running, number: int, **changes: object) -> SealedBundle:
    """Return a bundle for a gate, one version on, signed with the tenant's config key of a number."""
    stage = grounds.festival.stage
    knowledge, setup = gate.agent.knowledge, gate.agent.setup
    async with stage.db.tenant(stage.tenant) as tx:
        key = await grounds.festival.elsewhere().vault.config_key(tx, number)
    present = knowledge._bundle
    assert present is not None
    bundle = replace(present, version=knowledge.bundle_version + 1)
    return seal_bundle(replace(bundle, **changes), setup.identity.gate, setup.keys.seal.public_key(), key)


async def hand_over(grounds: Grounds, gate: Running, directory: Path) -> None:
    """Rotate and let heartbeats go by until the gate believes the new key alone."""
    number = await rotate_config(grounds.festival.elsewhere(), grounds.festival.stage.tenant)
    await settle(grounds, gate, number)
    newest = (await config_publics(grounds))[-1]
    identity = await identity_of(directory)
    assert (identity.config_key, identity.successors) == (newest, ())


async def settle(grounds: Grounds, gate: Running, number: int) -> None:
    """Let heartbeats go by until the gate has a bundle signed with a config key."""
    key = (await config_publics(grounds))[number - 1]
    await grounds.beat_until(gate, lambda: gate.agent.knowledge._parts.trust.believed == (key,))


async def test_a_linked_gate_is_handed_over_and_goes_on_reading(grounds: Grounds) -> None:
    directory = await grounds.enrol("north")
    ticket = await grounds.festival.ticket()
    (old,) = await config_publics(grounds)
    async with grounds.gate(directory) as gate:
        assert (await identity_of(directory)).config_key == old
        await hand_over(grounds, gate, directory)
        (outcome,) = await gate.show(show(await grounds.festival.wallet(ticket), grounds.festival.clock))
        assert outcome.verdict.reason is Reason.OK
        with pytest.raises(Denied, match="organiser"):
            await gate.agent.knowledge.take_bundle(await seal_as(grounds, gate, 1))
        taken = await gate.agent.knowledge.take_bundle(await seal_as(grounds, gate, 2))
        assert taken == gate.agent.knowledge.bundle_version


async def test_a_gate_that_was_away_is_handed_over_when_it_comes_back(grounds: Grounds) -> None:
    directory = await grounds.enrol("north")
    async with grounds.gate(directory):
        pass
    for _ in range(2):
        await rotate_config(grounds.festival.elsewhere(), grounds.festival.stage.tenant)
    async with grounds.gate(directory) as gate:
        await settle(grounds, gate, 3)
        assert gate.agent.knowledge.ready
    assert (await identity_of(directory)).config_key == (await config_publics(grounds))[2]


async def test_a_gate_that_lost_its_copy_of_the_event_still_knows_whom_to_believe(grounds: Grounds) -> None:
    directory = await grounds.enrol("north")
    async with grounds.gate(directory) as gate:
        await hand_over(grounds, gate, directory)
    for file in directory.glob("world.db*"):
        file.unlink()
    async with grounds.gate(directory) as gate:
        assert gate.agent.knowledge.bundle_version > 0


async def test_a_gate_enrolled_afterwards_begins_with_the_new_key(grounds: Grounds) -> None:
    await grounds.enrol("north")
    await rotate_config(grounds.festival.elsewhere(), grounds.festival.stage.tenant)
    late = await grounds.enrol("south")
    assert (await identity_of(late)).config_key == (await config_publics(grounds))[1]
    async with grounds.gate(late) as gate:
        assert (await identity_of(late)).successors == ()
        assert gate.agent.knowledge.ready


async def test_a_config_key_is_retired_only_when_every_gate_in_service_has_heard(grounds: Grounds) -> None:
    north, south = await grounds.enrol("north"), await grounds.enrol("south")
    stage, context = grounds.festival.stage, grounds.festival.elsewhere()
    async with grounds.gate(north) as gate:
        await hand_over(grounds, gate, north)
        with pytest.raises(KeyNeeded, match="1 gates believe no newer"):
            await retire_key(context, stage.tenant, KeyKind.CONFIG, 1)
        status = await read_status(context, stage.tenant)
        assert [(one.number, one.gates, one.newest) for one in status.config_keys] == [(1, 1, False), (2, 1, True)]
        await stage.enrolment.revoke(stage.tenant, (await identity_of(south)).gate, stage.clock.now())
        await retire_key(context, stage.tenant, KeyKind.CONFIG, 1)
    async with grounds.gate(north) as gate:
        assert gate.agent.knowledge.ready
    assert len(await config_publics(grounds)) == 1


async def test_the_old_key_cannot_announce_once_it_is_forgotten(grounds: Grounds) -> None:
    directory = await grounds.enrol("north")
    thief = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    async with grounds.gate(directory) as gate:
        await hand_over(grounds, gate, directory)
        with pytest.raises(Denied):
            await gate.agent.knowledge.take_bundle(await seal_as(grounds, gate, 1, next_config_key=thief))
    assert (await identity_of(directory)).successors == ()


async def test_a_successor_is_written_down_before_the_old_key_is_dropped(grounds: Grounds) -> None:
    """Whatever the moment of a power cut, the disk believes the key of the bundle it holds."""
    directory = await grounds.enrol("north")
    identity = await identity_of(directory)
    keys = await asyncio.to_thread(load_keys, directory)
    festival = grounds.festival
    new = Ed25519PrivateKey.generate()
    public = new.public_key().public_bytes_raw()
    event = await festival.stage.event_row()
    bundle = KeyBundle(
        event=event.id,
        event_name=event.name,
        version=1,
        made=festival.clock.now(),
        epochs=[],
        policy=event.policy,
        next_config_key=public,
    )
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        old = await festival.stage.vault.config_key(tx)
    by_old = seal_bundle(bundle, identity.gate, keys.seal.public_key(), old)
    by_new = seal_bundle(bundle, identity.gate, keys.seal.public_key(), new)
    trust = OrganiserTrust(directory, identity)
    with pytest.raises(Denied):
        trust.open(by_new, keys.seal)
    await trust.note_successor(trust.open(by_old, keys.seal).bundle)
    after_cut = OrganiserTrust(directory, await identity_of(directory))
    assert after_cut.open(by_old, keys.seal).bundle.version == 1
    opened = after_cut.open(by_new, keys.seal)
    assert opened.signer == write_b64url(public)
    await after_cut.drop_before(opened.signer)
    at_last = OrganiserTrust(directory, await identity_of(directory))
    assert at_last.believed == (write_b64url(public),)
    with pytest.raises(Denied):
        at_last.open(by_old, keys.seal)
