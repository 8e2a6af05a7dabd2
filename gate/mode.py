"""Online or offline: a judgement from round trips that does not flutter when the network does."""

from __future__ import annotations

from collections import deque

from shared.sync.scan import Mode

GOOD_BELOW_MS = 300.0
_WINDOW = 5
_GOOD_ENOUGH = 4
_GOOD_TO_RETURN = 3


class LinkQuality:
    """Counts round trips while linked.

    Online needs three good ones in a row to begin, and then four good ones of the last five to last; a lost one (None)
    is a bad one. Without a link the gate is offline at once.
    """

    def __init__(self) -> None:
        self._mode = Mode.OFFLINE
        self._good: deque[bool] = deque(maxlen=_WINDOW)

    @property
    def mode(self) -> Mode:
        """How the gate stands to the server."""
        return self._mode

    @property
    def settled(self) -> bool:
        """Whether more round trips would change nothing now: online, and the last one was good."""
        return self._mode is Mode.ONLINE and bool(self._good) and self._good[-1]

    def note_round_trip(self, took_ms: float | None) -> None:
        """Count a round trip's milliseconds, or None for one that was never answered."""
        self._good.append(took_ms is not None and took_ms < GOOD_BELOW_MS)
        if self._mode is Mode.ONLINE:
            self._leave_if_poor()
        else:
            self._return_if_steady()

    def note_unlinked(self) -> None:
        """The link is gone."""
        self._mode = Mode.OFFLINE
        self._good.clear()

    def _leave_if_poor(self) -> None:
        if self._good.count(False) > _WINDOW - _GOOD_ENOUGH:
            self._mode = Mode.OFFLINE
            self._good.clear()

    def _return_if_steady(self) -> None:
        lately = list(self._good)[-_GOOD_TO_RETURN:]
        if len(lately) < _GOOD_TO_RETURN or not all(lately):
            return
        self._mode = Mode.ONLINE
        # Only what happens from here on may end it, or the bad ones before the return would.
        self._good.clear()
        self._good.extend(lately)
