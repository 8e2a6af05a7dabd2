"""A gate is stolen and revoked: the others soon have other keys, what the thief makes is refused, phones notice nothing."""

from __future__ import annotations

import os
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.services.enrol import Enrolment
from shared.admission.verdict import Reason
from shared.codes import chain
from shared.codes.capsule import VERSION, Capsule, Claims, Header, Profile, event_hint, pack_header, seal
from shared.codes.reader import EpochKey
from shared.codes.token import Token, read_text, unpack_token, write_token
from tests.integration.gate.harness import Running
from tests.integration.keys.grounds import Grounds
from tests.integration.keys.loot import Loot, take_everything
from tests.integration.keys.stage import DAY
from tests.integration.server.selling.test_codes import rotate

TOP = b"the thief's own!"


def keys_of(gate: Running) -> list[EpochKey]:
    """Return the keys a running gate reads codes with."""
    bundle = gate.agent.knowledge._bundle
    assert bundle is not None
    return bundle.epochs


def forge(key: EpochKey, handle: bytes, signer: Ed25519PrivateKey) -> Callable[[int], str]:
    """Return a phone of a thief's own for an epoch whose envelope key was stolen: it shows any slot's code."""
    header = Header(version=VERSION, profile=Profile.LIVE, hint=event_hint(key.event), epoch=key.epoch)
    packed, count = pack_header(header), chain.slot_count(key.starts, key.ends, key.slot_s)
    context = chain.derive_context(key.event, packed, handle)
    claims = Claims(
        handle=handle, product=1, not_before=0, not_after=0xFFFF, zones=1, generation=1, entries=0, policy=0
    )
    capsule = Capsule(header=header, claims=claims, anchor=chain.walk_down(context, TOP, count, 0))
    sealed = seal(capsule, key.event, key.envelope_key, signer)
    return lambda slot: write_token(Token(capsule=sealed, slot=slot, value=chain.walk_down(context, TOP, count, slot)))


def forgeries(loot: Loot, slot: int) -> list[str]:
    """Return codes for the second day made with everything the thief has."""
    tomorrow = [key for key in loot.bundle.epochs if key.epoch == 1]
    assert tomorrow
    handles = [bytes(16), *loot.rows]
    return [
        forge(key, handle, signer)(slot)
        for key in tomorrow
        for handle in handles
        for signer in (loot.keys.sign, Ed25519PrivateKey.generate())
    ]


async def test_revoking_a_gate_renews_the_keys_of_the_others_and_leaves_phones_alone(grounds: Grounds) -> None:
    festival, stage = grounds.festival, grounds.festival.stage
    north, south = await grounds.enrol("north"), await grounds.enrol("south")
    early_ticket, late_ticket = await stage.issue(2)
    async with grounds.gate(north) as stolen:
        await grounds.beat_until(stolen, lambda: stolen.agent.view.status().tickets == 2)
        had = keys_of(stolen)
    loot = await take_everything(north)
    early = await festival.wallet(early_ticket)
    async with grounds.gate(south) as gate:
        assert keys_of(gate) == had
        enrolment = Enrolment(stage.db, stage.vault, os.urandom)
        await enrolment.revoke(stage.tenant, loot.identity.gate, festival.clock.now())
        await grounds.beat_until(gate, lambda: keys_of(gate) != had)
        late = await festival.wallet(late_ticket)
        # what the phone had counts beside what another phone fetches now, and the thief's keys open only the former
        fresh = [key for key in keys_of(gate) if key not in had]
        assert [key.epoch for key in fresh] == [1, 2, 3]

        festival.clock.advance(DAY)
        await grounds.beat_until(gate, lambda: gate.agent.view.status().linked)
        texts = [rotate(wallet, festival.clock) for wallet in (early, late)]
        slot = unpack_token(read_text(texts[0])).slot
        assert slot is not None
        answers = await gate.show(*forgeries(loot, slot))
        assert {answer.verdict.reason for answer in answers} == {Reason.CODE_FORGED}
        assert [answer.verdict.reason for answer in await gate.show(*texts)] == [Reason.OK] * 2
    stolen_keys = [loot.open_with(key, unpack_token(read_text(texts[1]))) for key in loot.bundle.epochs]
    assert stolen_keys == [None] * len(had)
