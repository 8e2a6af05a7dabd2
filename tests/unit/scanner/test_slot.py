"""Between the two threads, a live source loses old pictures and a film loses none."""

from __future__ import annotations

import threading

import numpy as np

from gate.scanner.frames import Frame
from gate.scanner.slot import FrameSlot


def frame(index: int) -> Frame:
    """Return a picture that differs by its number alone."""
    return Frame(image=np.zeros((2, 2), dtype=np.uint8), index=index, taken_s=0.0, shown_s=0.0)


def index_of(taken: Frame | None) -> int | None:
    """Return the number of a picture."""
    return None if taken is None else taken.index


def test_newest_picture_replaces_the_one_waiting() -> None:
    slot = FrameSlot(newest_only=True)
    for index in range(3):
        assert slot.put(frame(index))
    assert index_of(slot.take()) == 2
    assert slot.replaced == 2


def test_waiting_picture_is_still_handed_out_after_the_end() -> None:
    slot = FrameSlot(newest_only=True)
    slot.put(frame(7))
    slot.finish()
    assert index_of(slot.take()) == 7
    assert slot.take() is None


def test_closed_slot_drops_what_waits_and_refuses_more() -> None:
    slot = FrameSlot(newest_only=True)
    slot.put(frame(1))
    slot.close()
    assert slot.take() is None
    assert not slot.put(frame(2))


def test_film_loses_no_picture_to_a_slow_reader() -> None:
    slot = FrameSlot(newest_only=False)

    def give() -> None:
        for index in range(200):
            slot.put(frame(index))
        slot.finish()

    giver = threading.Thread(target=give)
    giver.start()
    taken: list[int] = []
    while (got := slot.take()) is not None:
        taken.append(got.index)
    giver.join(10)
    assert taken == list(range(200))
    assert slot.replaced == 0


def test_giver_waiting_for_room_is_sent_home_when_closed() -> None:
    slot = FrameSlot(newest_only=False)
    slot.put(frame(0))
    outcome: list[bool] = []
    giver = threading.Thread(target=lambda: outcome.append(slot.put(frame(1))))
    giver.start()
    slot.close()
    giver.join(10)
    assert outcome == [False]
