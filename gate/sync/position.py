"""Where the gate is in the feed, and how it closes a gap: by range while that is short, by snapshot when it is not."""

from __future__ import annotations

from gate.sync.actions import Action, ApplyFeed, Doubt, FetchFeed, FetchSnapshot
from shared.ids import EventId
from shared.sync.feed import FeedEntry
from shared.sync.wire import FeedFrame

STUCK_AFTER_S = 2.0
PROBE_EVERY_S = 60.0
"""How often to ask though nothing seems missing: a lost frame that nothing follows would never be noticed."""

RETRY_SNAPSHOT_S = 5.0
_BROKEN_BEFORE_SNAPSHOT = 3


class FeedPosition:
    """The cursor, the highest position heard of, and what is being fetched."""

    def __init__(self, event: EventId, cursor: int) -> None:
        self._event = event
        self._cursor = cursor
        self._high = cursor
        self._fetching = False
        self._loading = False
        self._snapshot_due = False
        self._retry_at_s = 0.0
        self._stuck_at = (-1, 0.0)
        self._asked_s: float | None = None
        self._broken = 0
        self._heard = False

    @property
    def cursor(self) -> int:
        """Up to which position the feed was applied."""
        return self._cursor

    @property
    def current(self) -> bool:
        """Whether everything heard of on this connection was applied."""
        idle = not (self._fetching or self._loading or self._snapshot_due)
        return self._heard and idle and self._cursor >= self._high

    def note_unlinked(self) -> None:
        """The connection is gone; a fetch or load under way still reports its end."""
        self._heard = False

    def on_welcome(self, feed_high: int) -> list[Action]:
        """The server said how far its feed reaches; it sends what is missing by itself."""
        self._heard, self._high = True, feed_high
        if feed_high < self._cursor:
            # The server's feed was set back to a backup: what this gate knows beyond it no longer holds.
            return [Doubt(), *self._load()]
        return []

    def on_frame(self, frame: FeedFrame) -> list[Action]:
        """Entries came over the link."""
        if frame.event != self._event or self._loading or self._snapshot_due:
            self._note_high(frame)
            return []
        self._note_high(frame)
        if frame.after > self._cursor or not _is_run(frame):
            return self._fetch()
        return self._apply(frame.entries)

    def on_snapshot_needed(self, feed_high: int, *, anew: bool) -> list[Action]:
        """The server will not send what is missing piece by piece; ``anew``: or says now that it never said what is here."""
        self._high = feed_high if anew else max(self._high, feed_high)
        return [Doubt(), *self._load()] if anew else self._load()

    def reload(self) -> list[Action]:
        """Load everything anew although nothing seems missing."""
        return self._load()

    def on_fetched(self, frame: FeedFrame) -> list[Action]:
        """A range came."""
        self._fetching = False
        if self._loading or self._snapshot_due:
            # The tables are about to be replaced: what is applied to the old ones would be lost with them.
            self._note_high(frame)
            return []
        if frame.event != self._event or frame.after > self._cursor or not _is_run(frame):
            return self._on_broken()
        before = self._cursor
        actions = self._apply(frame.entries)
        if self._cursor == before:
            return [*actions, *(self._on_broken() if before < self._high else [])]
        # Only an empty answer proves that nothing is left: more may have come than anybody told.
        self._broken = 0
        return [*actions, *self._fetch()]

    def on_fetch_failed(self, now_s: float, *, too_old: bool) -> list[Action]:
        """A range did not come."""
        self._fetching = False
        self._stuck_at = (self._cursor, now_s)
        return self._load() if too_old else []

    def rewind(self, cursor: int) -> None:
        """What was to be applied was not: the cursor is what the disk says."""
        self._cursor = cursor

    def on_snapshot(self, feed_seq: int, *, linked: bool) -> list[Action]:
        """A snapshot was swapped in; what came after it is fetched."""
        self._loading = self._snapshot_due = False
        self._broken = 0
        self._cursor = feed_seq
        self._high = max(self._high, feed_seq) if linked else feed_seq
        return self._fetch() if linked and self._cursor < self._high else []

    def on_snapshot_failed(self, now_s: float) -> list[Action]:
        """A snapshot did not come."""
        self._loading, self._snapshot_due = False, True
        self._retry_at_s = now_s + RETRY_SNAPSHOT_S
        return []

    def on_tick(self, now_s: float) -> list[Action]:
        """Time passed: try again what failed, and ask for entries that were promised and do not come."""
        if self._snapshot_due:
            return self._load() if now_s >= self._retry_at_s else []
        if not self._heard or self._fetching or self._loading:
            return []
        if self._cursor >= self._high:
            return self._probe(now_s)
        if self._stuck_at[0] != self._cursor:
            self._stuck_at = (self._cursor, now_s)
            return []
        return self._fetch() if now_s - self._stuck_at[1] >= STUCK_AFTER_S else []

    def _probe(self, now_s: float) -> list[Action]:
        if self._asked_s is None:
            self._asked_s = now_s
        if now_s - self._asked_s < PROBE_EVERY_S:
            return []
        self._asked_s = now_s
        return self._fetch()

    def _apply(self, entries: list[FeedEntry]) -> list[Action]:
        fresh = [entry for entry in entries if entry.seq > self._cursor]
        if not fresh:
            return []
        self._cursor = fresh[-1].seq
        self._high = max(self._high, self._cursor)
        return [ApplyFeed(entries=fresh, to_seq=self._cursor)]

    def _fetch(self) -> list[Action]:
        if self._fetching or self._loading or self._snapshot_due:
            return []
        self._fetching = True
        return [FetchFeed(after=self._cursor)]

    def _load(self) -> list[Action]:
        if self._loading:
            return []
        self._loading, self._snapshot_due = True, False
        return [FetchSnapshot()]

    def _on_broken(self) -> list[Action]:
        """The range is not what was asked for: ask again, and after a few times load everything anew."""
        self._broken += 1
        return self._load() if self._broken >= _BROKEN_BEFORE_SNAPSHOT else self._fetch()

    def _note_high(self, frame: FeedFrame) -> None:
        if frame.event == self._event and frame.entries:
            self._high = max(self._high, frame.entries[-1].seq)


def _is_run(frame: FeedFrame) -> bool:
    """Say whether the entries follow ``after`` one by one: the feed has no gaps, so a missing number was lost."""
    return [entry.seq for entry in frame.entries] == list(range(frame.after + 1, frame.after + 1 + len(frame.entries)))
