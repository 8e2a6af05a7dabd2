"""The scan path: a text becomes a verdict, and the verdict a durable record, before anybody is told."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import structlog
from msgspec.structs import replace

from gate.ages import Ages
from gate.deciding import AdmitParts, Decided, Post, Shown, begin, decide_on, make_record, tell
from gate.examine import Examined
from gate.outcome import Outcome
from shared.admission.verdict import Reason, admit
from shared.clock import from_unix_ms
from shared.ids import ScanId
from shared.problems import Unavailable
from shared.sync.scan import hash_code

__all__ = ["AdmitParts", "Admitter", "Post", "Shown"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_UNREADABLE_AGAIN_S = 10.0
_REMEMBERED = 1000
_REFUSALS = 50
_UNDECIDED = Examined(refusal=Reason.INTERNAL_ERROR, read=None, event=None, handle_hash=None, skew_s=None)


class Admitter:
    """Decides one scan at a time; an admitting outcome exists only once its record is durable.

    ``turn`` is held by whoever writes the log. ``refused`` remembers the last refusals by the id of their scan, for a
    supervisor who is called to one of them.
    """

    def __init__(self, parts: AdmitParts) -> None:
        self._parts = parts
        self._started = False
        self._swallowed: int | None = None
        self._unreadable_s: OrderedDict[bytes, float] = OrderedDict()
        self.turn = asyncio.Lock()
        self.refused: OrderedDict[ScanId, Decided] = OrderedDict()
        self.ages = Ages(parts.clock)

    async def admit(self, shown: Shown) -> Outcome:
        """Return the decided and recorded outcome of one presented text.

        While the disk does not take records, everybody is refused with ``internal_error`` and no record.

        Raises:
            TicketTokenError: the log cannot be used any more, or a promise inside the program was broken.
        """
        async with self.turn:
            if not self._started:
                # Scans are answered one by one: only the last one before a crash can have lost its answer.
                self._swallowed, self._started = (await self._parts.journal.head()).gate_seq, True
            try:
                return await self._answer(await decide_on(self._parts, shown))
            except Unavailable as problem:
                _log.error("scan.not_recorded", code=problem.code, message=str(problem))
                return replace(tell(self._parts, begin(self._parts, shown, _UNDECIDED), None), fault=problem.code)

    async def _answer(self, decided: Decided) -> Outcome:
        if decided.verdict.reason is Reason.DOUBLE_READ:
            return await self._repeat(decided)
        if decided.verdict.reason is Reason.CODE_UNREADABLE and self._was_just_recorded(decided):
            return tell(self._parts, decided, None)
        record = make_record(self._parts, await self._parts.journal.head(), decided)
        await self._parts.journal.append(record)
        if record.admitted:
            self.ages.note(record)
        else:
            self._remember(record.scan, decided)
        return tell(self._parts, decided, record)

    async def _repeat(self, decided: Decided) -> Outcome:
        """Answer a repeat as before; a person whose answer a crash swallowed gets it now."""
        handle_hash = decided.examined.handle_hash
        own = await self._parts.journal.find_admissions(handle_hash) if handle_hash is not None else []
        last = own[-1] if own else None
        if last is None or not last.admitted or last.gate_seq != self._swallowed:
            return tell(self._parts, decided, None)
        self._swallowed = None
        decided.verdict, decided.now = admit(last.reason), from_unix_ms(last.at_ms)
        return tell(self._parts, decided, last)

    def _remember(self, scan: ScanId, decided: Decided) -> None:
        self.refused[scan] = decided
        if len(self.refused) > _REFUSALS:
            self.refused.popitem(last=False)

    def _was_just_recorded(self, decided: Decided) -> bool:
        """Say whether the same unreadable text was recorded in the last seconds, and remember it if not."""
        name = hash_code(decided.shown.text)
        last_s = self._unreadable_s.get(name)
        if last_s is not None and decided.began_s - last_s < _UNREADABLE_AGAIN_S:
            return True
        self._unreadable_s[name] = decided.began_s
        self._unreadable_s.move_to_end(name)
        if len(self._unreadable_s) > _REMEMBERED:
            self._unreadable_s.popitem(last=False)
        return False
