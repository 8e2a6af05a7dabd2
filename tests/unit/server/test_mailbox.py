"""What waits for a slow gate: bounded, in order, and honest about gaps."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from server.api.mailbox import CAPACITY, Mailbox
from shared.ids import EventId
from shared.sync.wire import Bye, FeedFrame, Pong, ServerFrame, decode_server_frame, encode_frame

EVENT = EventId(UUID(int=1))
BYE = Bye(code="superseded", message="x")


def feed(after: int) -> bytes:
    return encode_frame(FeedFrame(event=EVENT, after=after, entries=[]))


async def take(mailbox: Mailbox) -> ServerFrame | None:
    async with asyncio.timeout(20):
        data = await mailbox.get()
    return None if data is None else decode_server_frame(data)


async def test_frames_leave_in_the_order_they_came() -> None:
    mailbox = Mailbox(EVENT)
    assert mailbox.go_live()
    await mailbox.put(Pong(sent_ms=1, server_ms=1))
    mailbox.offer_feed(feed(5), 6)
    first, second = await take(mailbox), await take(mailbox)
    assert first == Pong(sent_ms=1, server_ms=1)
    assert second == FeedFrame(event=EVENT, after=5, entries=[])


async def test_feed_before_going_live_is_not_kept_and_going_live_says_so() -> None:
    mailbox = Mailbox(EVENT)
    mailbox.offer_feed(feed(5), 6)
    assert not mailbox.go_live()
    assert mailbox.go_live()
    mailbox.offer_feed(feed(6), 7)
    assert await take(mailbox) == FeedFrame(event=EVENT, after=6, entries=[])


async def test_feed_that_does_not_fit_is_dropped_and_the_gate_is_told_the_head_last() -> None:
    mailbox = Mailbox(EVENT)
    assert mailbox.go_live()
    for seq in range(CAPACITY + 10):
        mailbox.offer_feed(feed(seq), seq + 1)
    frames = [await take(mailbox) for _ in range(CAPACITY + 1)]
    assert frames[-2] == FeedFrame(event=EVENT, after=CAPACITY - 1, entries=[])
    assert frames[-1] == FeedFrame(event=EVENT, after=CAPACITY + 10, entries=[])
    mailbox.offer_feed(feed(500), 501)
    assert await take(mailbox) == FeedFrame(event=EVENT, after=500, entries=[])


async def test_nothing_of_the_feed_follows_a_gap_until_the_gate_was_told() -> None:
    mailbox = Mailbox(EVENT)
    assert mailbox.go_live()
    for seq in range(CAPACITY + 1):
        mailbox.offer_feed(feed(seq), seq + 1)
    await take(mailbox)
    mailbox.offer_feed(feed(CAPACITY + 1), CAPACITY + 2)
    frames = [await take(mailbox) for _ in range(CAPACITY)]
    assert frames[-1] == FeedFrame(event=EVENT, after=CAPACITY + 2, entries=[])


async def test_other_frames_wait_for_room() -> None:
    mailbox = Mailbox(EVENT)
    for number in range(CAPACITY):
        await mailbox.put(Pong(sent_ms=number, server_ms=0))
    waiting = asyncio.create_task(mailbox.put(Pong(sent_ms=99, server_ms=0)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await asyncio.shield(waiting)
    await take(mailbox)
    async with asyncio.timeout(20):
        await waiting
    frames = [await take(mailbox) for _ in range(CAPACITY)]
    assert frames[-1] == Pong(sent_ms=99, server_ms=0)


async def test_last_word_goes_before_all_that_waits_and_is_the_last() -> None:
    mailbox = Mailbox(EVENT)
    await mailbox.put(Pong(sent_ms=1, server_ms=1))
    mailbox.end(BYE)
    mailbox.end(Bye(code="later", message="x"))
    await mailbox.put(Pong(sent_ms=2, server_ms=1))
    assert await take(mailbox) == BYE
    assert await take(mailbox) is None


async def test_end_frees_whoever_waits_on_either_side() -> None:
    mailbox = Mailbox(EVENT)
    reader = asyncio.create_task(mailbox.get())
    await asyncio.sleep(0)
    mailbox.end()
    async with asyncio.timeout(20):
        assert await reader is None
    full = Mailbox(EVENT)
    for _ in range(CAPACITY):
        await full.put(Pong(sent_ms=1, server_ms=1))
    writer = asyncio.create_task(full.put(Pong(sent_ms=2, server_ms=1)))
    await asyncio.sleep(0)
    full.end()
    async with asyncio.timeout(20):
        await writer


async def test_hint_is_for_a_gate_that_lacks_something_while_nothing_is_on_its_way() -> None:
    mailbox = Mailbox(EVENT)
    mailbox.hint(9)
    assert mailbox.go_live()
    mailbox.offer_feed(feed(3), 4)
    mailbox.hint(9)
    assert await take(mailbox) == FeedFrame(event=EVENT, after=3, entries=[])
    mailbox.hint(9)
    assert await take(mailbox) == FeedFrame(event=EVENT, after=9, entries=[])
