"""A gate over the broker."""

from __future__ import annotations

from shared.sync.wire import Ack, BundleFrame, FeedFrame, Ping, Pong, Scans, Welcome
from tests.integration.broker.stage import Exchange


async def test_gate_is_welcomed_hands_a_scan_up_and_hears_of_a_new_ticket(exchange: Exchange) -> None:
    stage = exchange.house.stage
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    line = await exchange.link(gate)
    welcome = await line.until(Welcome)
    assert welcome.acked == 0
    await line.until(BundleFrame)
    await line.send(Ping(sent_ms=7, backlog=0, feed_seq=0, bundle_version=0))
    pong = await line.until(Pong)
    assert pong.sent_ms == 7
    await gate.scan(ticket)
    await line.send(Scans(signed=gate.batch()))
    assert await line.until(Ack) == Ack(incarnation=gate.incarnation, upto=1)
    await stage.issue(1)
    frame = await line.until(FeedFrame)
    assert frame.event == stage.event
    await line.link.close()
