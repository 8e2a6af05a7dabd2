"""What the engine does in single situations; its behaviour as a whole is tested against a model of the server."""

from __future__ import annotations

from uuid import UUID

import pytest

from gate.sync.actions import (
    ApplyFeed,
    Close,
    Doubt,
    FetchFeed,
    FetchSnapshot,
    Halt,
    HandIn,
    MarkAcked,
    Revoke,
    Send,
    SendScans,
    StoreBundle,
)
from shared.codes.bundle import SealedBundle
from shared.ids import EventId, IncarnationId
from shared.sync.feed import GateEntry
from shared.sync.wire import (
    PROTOCOL,
    Ack,
    BundleFrame,
    Bye,
    FeedFrame,
    Hello,
    Pong,
    SnapshotNeeded,
    Welcome,
)
from tests.unit.gate.link_samples import EVENT, GATE, LIFE, at, engine, frame, kinds, linked, welcome


def test_connection_begins_with_who_and_how_far() -> None:
    actions = engine(feed_seq=7, logged=5, acked=3).on_connected(at(0))
    assert actions == [
        Send(
            frame=Hello(
                protocol=PROTOCOL,
                gate=GATE,
                incarnation=LIFE,
                event=EVENT,
                feed_seq=7,
                bundle_version=2,
                last_gate_seq=5,
                software="test",
                command_seq=0,
            )
        )
    ]


def test_server_that_speaks_before_welcome_is_left() -> None:
    gate = engine()
    gate.on_connected(at(0))
    assert kinds(gate.on_frame(frame(0, 1), at(0))) == [Close]
    assert not gate.linked


def test_welcome_never_given_ends_the_connection() -> None:
    gate = engine()
    gate.on_connected(at(0))
    assert gate.on_tick(at(29)) == []
    assert kinds(gate.on_tick(at(31))) == [Close]


def test_gate_without_a_connection_has_nothing_to_end() -> None:
    gate = engine(logged=3)
    assert gate.on_tick(at(1000)) == []
    linked(gate)
    gate.on_disconnected()
    assert gate.on_tick(at(2000)) == []


def test_records_after_servers_acknowledgement_are_sent_in_batches_one_at_a_time() -> None:
    gate = engine(logged=450, acked=10)
    actions = linked(gate, welcome(acked=50))
    assert MarkAcked(upto=50) in actions
    assert SendScans(after=50, upto=250) in actions
    assert gate.on_logged(460, 0.0, at(1)) == []
    actions = gate.on_frame(Ack(incarnation=LIFE, upto=250), at(2))
    assert actions == [MarkAcked(upto=250), SendScans(after=250, upto=450)]
    actions = gate.on_frame(Ack(incarnation=LIFE, upto=450), at(3))
    assert actions == [MarkAcked(upto=450), SendScans(after=450, upto=460)]
    gate.on_frame(Ack(incarnation=LIFE, upto=460), at(4))
    assert gate.backlog == 0


def test_batch_stored_in_part_is_continued_where_the_server_is() -> None:
    gate = engine(logged=100)
    linked(gate)
    assert gate.on_frame(Ack(incarnation=LIFE, upto=40), at(1)) == [MarkAcked(upto=40), SendScans(after=40, upto=100)]


def test_acknowledgement_of_another_incarnation_means_nothing() -> None:
    gate = engine(logged=10)
    linked(gate)
    assert gate.on_frame(Ack(incarnation=IncarnationId(UUID(int=99)), upto=10), at(1)) == []
    assert gate.backlog == 10


def test_repeated_acknowledgement_does_not_send_a_second_batch() -> None:
    gate = engine(logged=300)
    linked(gate)
    gate.on_frame(Ack(incarnation=LIFE, upto=200), at(1))
    assert gate.on_frame(Ack(incarnation=LIFE, upto=200), at(1)) == []


def test_batch_never_acknowledged_ends_the_connection() -> None:
    gate = engine(logged=1)
    linked(gate)
    answer = Pong(sent_ms=at(0).wall_ms, server_ms=at(0).wall_ms)
    gate.on_frame(answer, at(0.1))
    assert Close not in kinds(gate.on_tick(at(5)))
    assert kinds(gate.on_tick(at(31))) == [Close]


@pytest.mark.parametrize("frame_", [welcome(acked=6), Ack(incarnation=LIFE, upto=6)])
def test_server_that_knows_more_than_the_log_halts_the_gate(frame_: Welcome | Ack) -> None:
    gate = engine(logged=5)
    if isinstance(frame_, Ack):
        linked(gate)
    else:
        gate.on_connected(at(0))
    assert gate.on_frame(frame_, at(1)) == [Halt(acked=6, logged=5)]


def test_late_news_of_an_earlier_record_does_not_make_the_log_shorter() -> None:
    gate = engine(logged=2)
    linked(gate)
    gate.on_logged(5, 0.0, at(1))
    gate.on_logged(3, 0.0, at(1))
    assert not any(isinstance(action, Halt) for action in gate.on_frame(welcome(acked=5), at(2)))
    assert gate.backlog == 0


def test_old_entries_of_a_frame_are_left_out() -> None:
    gate = engine(feed_seq=3)
    linked(gate, welcome(feed_high=5))
    (action,) = gate.on_frame(frame(1, 5), at(1))
    assert isinstance(action, ApplyFeed)
    assert ([entry.seq for entry in action.entries], action.to_seq) == ([4, 5], 5)
    assert gate.on_frame(frame(1, 5), at(1)) == []


def test_gap_is_fetched_once_from_the_cursor() -> None:
    gate = engine(feed_seq=3)
    linked(gate, welcome(feed_high=3))
    assert gate.on_frame(frame(7, 9), at(1)) == [FetchFeed(after=3)]
    assert gate.on_frame(frame(9, 10), at(1)) == []
    assert kinds(gate.on_fetched(frame(3, 10))) == [ApplyFeed, FetchFeed]
    assert gate.on_fetched(frame(10, 10)) == []
    assert gate.current


def test_frame_with_a_number_missing_inside_is_not_applied() -> None:
    gate = engine()
    linked(gate)
    whole = frame(0, 3)
    broken = FeedFrame(event=EVENT, after=0, entries=[whole.entries[0], whole.entries[2]])
    assert gate.on_frame(broken, at(1)) == [FetchFeed(after=0)]


def test_feed_of_another_event_is_ignored() -> None:
    gate = engine()
    linked(gate)
    other = FeedFrame(event=EventId(UUID(int=77)), after=0, entries=frame(0, 2).entries)
    assert gate.on_frame(other, at(1)) == []
    assert gate.cursor == 0


def test_range_that_stays_empty_leads_to_a_snapshot() -> None:
    gate = engine()
    linked(gate, welcome(feed_high=9))
    gate.on_frame(frame(5, 9), at(1))
    assert gate.on_fetched(frame(0, 0)) == [FetchFeed(after=0)]
    assert gate.on_fetched(frame(0, 0)) == [FetchFeed(after=0)]
    assert gate.on_fetched(frame(0, 0)) == [FetchSnapshot()]


def test_feed_set_back_to_a_backup_leads_to_a_snapshot() -> None:
    gate = engine(feed_seq=90)
    [doubt, load] = linked(gate, welcome(feed_high=40))[:2]
    assert (doubt, load) == (Doubt(), FetchSnapshot())
    assert gate.on_snapshot(40) == []
    assert gate.cursor == 40


def test_feed_that_has_come_as_far_again_leads_to_a_snapshot_when_the_server_says_that_it_is_another() -> None:
    gate = engine(feed_seq=90)
    linked(gate, welcome(feed_high=95))
    needed = SnapshotNeeded(event=EVENT, feed_high=95, anew=True)
    assert gate.on_frame(needed, at(1)) == [Doubt(), FetchSnapshot()]
    assert gate.on_frame(needed, at(2)) == [Doubt()]
    assert gate.on_snapshot(93) == [FetchFeed(after=93)]
    assert gate.cursor == 93


def test_failed_snapshot_is_tried_again_after_a_pause() -> None:
    gate = engine()
    linked(gate, welcome(feed_high=9))
    assert gate.on_frame(SnapshotNeeded(event=EVENT, feed_high=9), at(1)) == [FetchSnapshot()]
    assert gate.on_snapshot_failed(at(2)) == []
    assert FetchSnapshot not in kinds(gate.on_tick(at(6)))
    assert FetchSnapshot in kinds(gate.on_tick(at(7.5)))


def test_refused_entries_put_the_cursor_back() -> None:
    gate = engine()
    linked(gate, welcome(feed_high=3))
    gate.on_frame(frame(0, 3), at(1))
    assert kinds(gate.on_apply_failed(0)) == [Close]
    assert gate.cursor == 0


def test_bye_of_a_revoked_gate_revokes_before_it_closes() -> None:
    gate = engine()
    linked(gate)
    actions = gate.on_frame(Bye(code="device_revoked", message="Revoked."), at(1))
    assert actions == [Revoke(), Close(code="device_revoked", message="Revoked.", patient=True)]


@pytest.mark.parametrize(("code", "patient"), [("superseded", True), ("shutting_down", False)])
def test_other_byes_close(code: str, patient: bool) -> None:
    gate = engine()
    linked(gate)
    assert gate.on_frame(Bye(code=code, message="Bye."), at(1)) == [Close(code=code, message="Bye.", patient=patient)]


def test_unknown_protocol_is_left_with_patience() -> None:
    (action,) = linked(engine(), welcome(protocol=2))
    assert isinstance(action, Close)
    assert action.patient


def test_bundle_is_handed_on_and_its_version_told_at_the_next_greeting() -> None:
    gate = engine()
    linked(gate)
    bundle = SealedBundle(sealed=b"sealed", signature=bytes(64))
    assert gate.on_frame(BundleFrame(bundle=bundle), at(1)) == [StoreBundle(bundle=bundle)]
    gate.on_bundle(8)
    (hello,) = gate.on_connected(at(2))
    assert isinstance(hello, Send)
    assert isinstance(hello.frame, Hello)
    assert hello.frame.bundle_version == 8


def test_entry_about_the_gate_itself_revokes_it() -> None:
    gate = engine()
    linked(gate)
    entry = GateEntry(seq=1, gate=GATE, name="me", revoked=True)
    actions = gate.on_frame(FeedFrame(event=EVENT, after=0, entries=[entry]), at(1))
    assert kinds(actions) == [ApplyFeed, Revoke]


def test_what_the_server_lacks_of_a_banned_gate_is_handed_in_batch_by_batch() -> None:
    gate = engine(logged=450, acked=50)
    assert gate.on_banned() == [Revoke(), HandIn(after=50, upto=250)]
    assert gate.on_banned() == [Revoke()]
    assert gate.on_handed_in(250) == [MarkAcked(upto=250), Revoke(), HandIn(after=250, upto=450)]
    assert gate.on_handed_in(None) == []
    assert gate.on_banned() == [Revoke(), HandIn(after=250, upto=450)]
    assert gate.on_handed_in(450) == [MarkAcked(upto=450), Revoke()]
    assert gate.backlog == 0
