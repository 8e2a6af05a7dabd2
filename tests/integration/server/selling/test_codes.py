"""Codes as their owners get them, read by a verifier that holds the event's keys: what a phone can do with a wallet alone."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest

from server.services.codes import CodeMint
from server.services.problems import CodeNotYet, CodeOver, TicketUnknown
from server.services.publish import publish_event
from server.services.show_code import Wallet, fill_wallet, show_code
from server.services.transition import Changes
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.codes import chain
from shared.codes.reader import CodeRead, CodeReader, CodeRefused
from shared.codes.token import Token, write_token
from shared.ids import EventId
from shared.tickets.lifecycle import State
from tests.integration.server.selling.stage import DOORS, ENDS, NOON, Shop, publication_for
from tests.integration.server.selling.test_transfer import move

GRACE = timedelta(hours=2)


async def test_the_code_of_the_moment_is_read_as_fresh(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    shown = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    read = (await shop.reader()).read(shown.qr_data, shop.clock.now())
    assert isinstance(read, CodeRead)
    assert read.skew_slots == 0
    assert (read.capsule.claims.product, read.capsule.claims.generation) == (1, 0)
    assert len(shown.qr_data) == 219


async def test_the_code_turns_over_with_its_slot(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    first = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    assert first.expires_at - shop.clock.now() <= timedelta(seconds=15)
    assert shop.clock.now() <= first.refresh_after <= first.expires_at
    shop.clock.advance(first.expires_at - shop.clock.now())
    second = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    assert second.slot == first.slot + 1
    assert second.qr_data != first.qr_data


async def test_a_code_of_two_minutes_ago_is_stale(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    shown = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    read = (await shop.reader()).read(shown.qr_data, shop.clock.now() + timedelta(minutes=2))
    assert isinstance(read, CodeRefused)
    assert (read.reason, read.skew_s) == (Reason.CODE_STALE, -120)


async def test_a_phone_with_the_wallet_alone_shows_good_codes_until_the_doors_close(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    wallet = await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)
    reader = await shop.reader()
    moment = DOORS
    while moment < ENDS + GRACE:
        read = reader.read(rotate(wallet, ManualClock(moment)), moment)
        assert isinstance(read, CodeRead), moment
        assert read.skew_slots == 0
        moment += timedelta(minutes=37, seconds=11)
    assert [capsule.epoch for capsule in wallet.capsules] == [0, 1]


async def test_wallet_and_server_show_the_same_code(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    wallet = await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)
    shown = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    assert rotate(wallet, shop.clock) == shown.qr_data


async def test_the_seed_stays_secret_until_it_may_be_known(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    reveal_at = (await shop.event_row()).reveal_at
    assert reveal_at == DOORS - timedelta(hours=6)
    shop.clock.step_wall(reveal_at - timedelta(seconds=1) - shop.clock.now())
    early = await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)
    shop.clock.step_wall(timedelta(seconds=1))
    in_time = await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)
    assert early.seed is None
    assert in_time.seed is not None
    assert early.capsules == in_time.capsules


async def test_two_tickets_share_nothing(shop: Shop) -> None:
    buyer = shop.buyer()
    one, other = [
        await fill_wallet(shop.context, shop.parts.mint, buyer, ticket) for ticket in await shop.buy(buyer, 2)
    ]
    assert one.seed != other.seed
    assert {capsule.capsule for capsule in one.capsules}.isdisjoint({capsule.capsule for capsule in other.capsules})


async def test_a_mint_that_forgot_makes_the_same_capsules_again(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    first = await fill_wallet(shop.context, CodeMint(), buyer, ticket)
    second = await fill_wallet(shop.context, CodeMint(), buyer, ticket)
    assert first.capsules == second.capsules


async def test_another_events_reader_refuses_the_code(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    shown = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    other = publication_for(shop.tenant, EventId(uuid4()))
    await publish_event(shop.context, other)
    async with shop.context.db.tenant(shop.tenant) as tx:
        event = await tx.events.get(other.event)
        assert event is not None
        epochs = await shop.context.vault.epochs(tx, event, 0, 1)
    read = CodeReader([epoch.for_reading() for epoch in epochs]).read(shown.qr_data, shop.clock.now())
    assert isinstance(read, CodeRefused)
    assert read.reason in {Reason.WRONG_EVENT, Reason.CODE_FORGED}


async def test_before_the_first_epoch_there_is_no_code(shop: Shop) -> None:
    shop.clock.step_wall(-timedelta(days=2))
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    with pytest.raises(CodeNotYet, match="2026-06-20T00:00:00"):
        await show_code(shop.context, shop.parts.mint, buyer, ticket)
    wallet = await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)
    assert wallet.capsules[0].starts == NOON.replace(hour=0)


async def test_after_the_doors_closed_there_is_no_code(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    shop.clock.step_wall(ENDS + GRACE - shop.clock.now())
    with pytest.raises(CodeOver):
        await show_code(shop.context, shop.parts.mint, buyer, ticket)
    with pytest.raises(CodeOver):
        await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)


async def test_a_ticket_that_counts_no_more_shows_no_code(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    await move(shop, ticket, State.REFUNDED)
    with pytest.raises(CodeOver, match="refunded"):
        await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)


async def test_nobody_sees_somebody_elses_code(shop: Shop) -> None:
    (ticket,) = await shop.buy(shop.buyer())
    with pytest.raises(TicketUnknown):
        await show_code(shop.context, shop.parts.mint, shop.buyer(), ticket)
    with pytest.raises(TicketUnknown):
        await fill_wallet(shop.context, shop.parts.mint, shop.buyer(), ticket)


async def test_a_tickets_own_hours_are_inside_its_code(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    late = Changes(valid_from=DOORS + timedelta(hours=1), valid_until=ENDS)
    await move(shop, ticket, State.TRANSFERRED, late)
    shown = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    read = (await shop.reader()).read(shown.qr_data, shop.clock.now())
    assert isinstance(read, CodeRead)
    # ten-minute steps from midnight: 18:00 and 02:00 the next day
    assert (read.capsule.claims.not_before, read.capsule.claims.not_after) == (108, 156)


async def test_secrets_do_not_show_in_what_is_printed(shop: Shop) -> None:
    buyer = shop.buyer()
    (ticket,) = await shop.buy(buyer)
    wallet = await fill_wallet(shop.context, shop.parts.mint, buyer, ticket)
    shown = await show_code(shop.context, shop.parts.mint, buyer, ticket)
    assert wallet.seed is not None
    assert wallet.seed not in repr(wallet)
    assert shown.qr_data not in repr(shown)


def rotate(wallet: Wallet, clock: ManualClock) -> str:
    """Do what a phone does: from the wallet's fields and the clock to the text of the code."""
    now = clock.now()
    (capsule,) = (one for one in wallet.capsules if one.starts <= now < one.ends)
    assert wallet.seed is not None
    data = unpack(capsule.capsule)
    count = chain.slot_count(capsule.starts, capsule.ends, wallet.slot_seconds)
    slot = chain.slot_at(capsule.starts, wallet.slot_seconds, now)
    value = chain.derive_top(unpack(wallet.seed), data[:4])
    for index in range(count, slot, -1):
        value = hashlib.sha256(unpack(capsule.context) + index.to_bytes(2, "big") + value).digest()[:16]
    return write_token(Token(capsule=data, slot=slot, value=value))


def unpack(text: str) -> bytes:
    """Return the bytes of Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
