"""What every link promises to the engine, as tests that run against each of them and the real server."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from gate.sync.problems import ServerAway
from shared.problems import Denied
from shared.sync.feed import TicketEntry
from shared.sync.wire import Ack, BundleFrame, Bye, FeedFrame, Ping, Pong, Scans, SnapshotNeeded, Welcome
from tests.contract.links.rig import Heard, Rig
from tests.integration.broker.stage import until
from tests.integration.server.doors.linked import settle


async def new_tickets(heard: Heard, after: int, count: int) -> list[TicketEntry]:
    """Return so many ticket entries that follow a position; older ones may come as well, which the engine passes over."""
    entries: list[TicketEntry] = []
    while len(entries) < count:
        frame = await heard.until(FeedFrame)
        entries += [entry for entry in frame.entries if isinstance(entry, TicketEntry) and entry.seq > after]
    return entries


class LinkContract:
    """Collected through its subclasses, each of which has a fixture ``rig``."""

    async def test_an_introduction_is_answered_with_a_welcome_first_and_keys(self, rig: Rig) -> None:
        heard = await rig.link()
        first = await heard.receive()
        assert isinstance(first, Welcome)
        assert (first.acked, first.protocol) == (0, 1)
        await heard.until(BundleFrame)
        await heard.link.close()

    async def test_a_gate_that_has_everything_hears_what_is_new(self, rig: Rig) -> None:
        await rig.house.stage.issue(2)
        head = await settle(rig.house)
        first = await rig.link()
        await first.until(Welcome)
        await first.link.close()
        heard = await rig.link(feed_seq=head)
        assert (await heard.until(Welcome)).feed_high == head
        issued = await rig.house.stage.issue(3)
        entries = await new_tickets(heard, head, 3)
        assert [entry.handle_hash for entry in entries] == [await rig.house.stage.handle_hash(one) for one in issued]
        assert [entry.seq for entry in entries] == [head + 1, head + 2, head + 3]
        await heard.link.close()

    async def test_a_batch_is_acknowledged_and_the_same_again_alike(self, rig: Rig) -> None:
        for ticket in await rig.house.stage.issue(2):
            await rig.gate.scan(ticket)
        heard = await rig.link()
        await heard.until(Welcome)
        for _ in range(2):
            await heard.link.send(Scans(signed=rig.gate.batch()))
            assert await heard.until(Ack) == Ack(incarnation=rig.gate.incarnation, upto=2)
        await heard.link.close()
        again = await rig.link()
        assert (await again.until(Welcome)).acked == 2
        await again.link.close()

    async def test_a_heartbeat_comes_back_with_its_stamp(self, rig: Rig) -> None:
        heard = await rig.link()
        await heard.until(Welcome)
        for stamp in (7, 8):
            await heard.link.send(Ping(sent_ms=stamp, backlog=3, feed_seq=0, bundle_version=0))
            assert (await heard.until(Pong)).sent_ms == stamp

        async def kept() -> bool:
            async with rig.house.stage.db.tenant(rig.gate.row.tenant) as tx:
                row = await tx.gates.get(rig.gate.id)
            return row is not None and row.heartbeat is not None and row.heartbeat.backlog == 3

        await until(kept)
        await heard.link.close()

    async def test_a_gate_ahead_of_the_feed_is_told_to_load_a_snapshot(self, rig: Rig) -> None:
        heard = await rig.link(feed_seq=1_000_000)
        assert (await heard.until(SnapshotNeeded)).event == rig.gate.row.event
        await heard.link.close()

    async def test_a_gate_that_says_it_is_another_is_sent_away(self, rig: Rig) -> None:
        beside = await rig.house.stage.enrol("beside")
        heard = await rig.link(gate=beside.id)
        assert (await heard.until(Bye)).code == "link_misused"
        await heard.link.close()

    async def test_a_protocol_that_is_too_old_is_sent_away(self, rig: Rig) -> None:
        heard = await rig.link(protocol=0)
        assert (await heard.until(Bye)).code == "protocol_unsupported"
        await heard.link.close()

    async def test_a_forged_batch_is_refused_and_nothing_of_it_kept(self, rig: Rig) -> None:
        [ticket] = await rig.house.stage.issue(1)
        await rig.gate.scan(ticket)
        heard = await rig.link()
        await heard.until(Welcome)
        await heard.link.send(Scans(signed=replace(rig.gate.batch(), signature=bytes(64))))
        assert (await heard.until(Bye)).code == "batch_tampered"
        await heard.link.close()
        again = await rig.link()
        assert (await again.until(Welcome)).acked == 0
        await again.link.close()

    async def test_a_closed_link_ends_sends_nothing_and_may_be_closed_again(self, rig: Rig) -> None:
        heard = await rig.link()
        await heard.until(Welcome)
        await heard.link.close()
        await heard.link.close()
        await heard.until_end()
        with pytest.raises(ServerAway):
            await heard.link.send(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=0))

    async def test_a_cut_wire_ends_the_link_and_the_next_one_begins_anew(self, rig: Rig) -> None:
        heard = await rig.link()
        await heard.until(Welcome)
        rig.wire.cut()
        await heard.until_end()
        with pytest.raises(ServerAway):
            await heard.link.send(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=0))
        await heard.link.close()
        again = await rig.link()
        await again.until(Welcome)
        await again.link.close()

    async def test_a_revoked_gates_link_ends_and_no_other_begins(self, rig: Rig) -> None:
        heard = await rig.link()
        await heard.until(Welcome)
        stage = rig.house.stage
        await stage.enrolment.revoke(stage.tenant, rig.gate.id, stage.clock.now())
        await heard.until_end()
        await heard.link.close()
        with pytest.raises(Denied):
            await rig.connect()
