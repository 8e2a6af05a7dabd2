"""Feed entries as frames that no gate refuses for their size."""

from __future__ import annotations

from msgspec import Struct

from shared.ids import EventId
from shared.sync.feed import FeedEntry
from shared.sync.wire import FRAME_LIMIT, FeedFrame, encode_frame


class PackedFrame(Struct, frozen=True, kw_only=True):
    """A frame as it travels, and the position it leads to."""

    data: bytes
    to_seq: int


def pack_frame(event: EventId, after: int, entries: list[FeedEntry]) -> PackedFrame:
    """Return a frame with as many of the entries, from the first on, as the protocol's limit lets through."""
    count = len(entries)
    while True:
        data = encode_frame(FeedFrame(event=event, after=after, entries=entries[:count]))
        if len(data) <= FRAME_LIMIT or count <= 1:
            return PackedFrame(data=data, to_seq=entries[count - 1].seq if count else after)
        count //= 2
