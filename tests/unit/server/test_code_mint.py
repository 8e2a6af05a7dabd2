"""What the mint remembers, and that nobody's codes suffer when it forgets."""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.services.codes import CodeMint, CodeSubject
from server.services.epochs import EpochSecrets
from server.services.rows import EventRow, EventState, TicketRow, TicketTypeRow
from server.services.wrapping import public_half
from shared.admission.policy import Policy, Window
from shared.ids import EventId, TenantId, TicketId, TicketTypeId, VenueId
from shared.tickets.lifecycle import State

ZERO = datetime(2026, 6, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
TENANT, EVENT, TYPE = TenantId(UUID(int=1)), EventId(UUID(int=2)), TicketTypeId(UUID(int=3))


def some_event() -> EventRow:
    window = Window(doors=ZERO, starts=ZERO + HOUR, ends=ZERO + 3 * HOUR)
    return EventRow(
        tenant=TENANT,
        id=EVENT,
        venue_id=VenueId(UUID(int=4)),
        name="Concert",
        state=EventState.OPEN,
        policy=Policy(version=1, window=window),
        sale_starts=ZERO,
        sale_ends=ZERO + HOUR,
        max_per_user=4,
        slot_s=60,
        epoch_zero=ZERO,
        epoch_s=3600,
        reveal_at=ZERO,
        bundle_version=1,
    )


def some_type() -> TicketTypeRow:
    return TicketTypeRow(
        tenant=TENANT,
        id=TYPE,
        event=EVENT,
        product=1,
        name="Standing",
        price_cents=1000,
        currency="EUR",
        zones=1,
        entries=0,
        code_policy=0,
        max_per_order=4,
        total=10,
        available=10,
        reserved=0,
        sold=0,
    )


def new_subject() -> CodeSubject:
    ticket = TicketRow(
        tenant=TENANT,
        id=TicketId(uuid4()),
        event=EVENT,
        ticket_type=TYPE,
        order=None,
        owner=None,
        holder_name="",
        seat="",
        state=State.ACTIVE,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )
    return CodeSubject(
        master=hashlib.sha256(b"master").digest(), event=some_event(), ticket=ticket, ticket_type=some_type()
    )


def epoch_secrets(epoch: int) -> EpochSecrets:
    issuer = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"issuer %d" % epoch).digest())
    return EpochSecrets(
        event=EVENT,
        epoch=epoch,
        starts=ZERO + epoch * HOUR,
        ends=ZERO + (epoch + 1) * HOUR,
        slot_s=60,
        envelope_key=hashlib.sha256(b"envelope %d" % epoch).digest(),
        issuer=issuer,
        issuer_public=public_half(issuer),
    )


async def test_a_capsule_is_made_once_and_made_alike_when_it_was_forgotten() -> None:
    mint, subject, epochs = CodeMint(most=1), new_subject(), [epoch_secrets(0)]
    (first,) = await mint.capsules(subject, epochs)
    (second,) = await mint.capsules(subject, epochs)
    assert second is first
    await mint.capsules(new_subject(), epochs)
    (third,) = await mint.capsules(subject, epochs)
    assert third is not first
    assert third.data == first.data


async def test_more_capsules_than_are_remembered_come_in_the_order_asked_for() -> None:
    wanted = [epoch_secrets(number) for number in range(5)]
    made = await CodeMint(most=2).capsules(new_subject(), wanted)
    assert [one.epoch for one in made] == [0, 1, 2, 3, 4]


async def test_a_capsule_pushed_out_while_the_others_are_made_is_still_given() -> None:
    # One thread: what is asked for first is made first, and so pushes out what the second already counted on.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    mint, subject, epochs = CodeMint(most=1), new_subject(), [epoch_secrets(0), epoch_secrets(1)]
    (before,) = await mint.capsules(subject, epochs[:1])
    _, made = await asyncio.gather(mint.capsules(new_subject(), epochs[:1]), mint.capsules(subject, epochs))
    assert [one.epoch for one in made] == [0, 1]
    assert made[0].data == before.data
