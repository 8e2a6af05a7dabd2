"""The scan path: a text becomes a verdict, and the verdict a durable record, before anybody is told."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import datetime

import structlog
from msgspec import Struct

from gate.briefing import Briefing, Standing, Surroundings
from gate.clockbelief import ClockBelief
from gate.examine import Examined, examine, open_holder_of, state_facts
from gate.outcome import Outcome, Took
from gate.ports import Journal, Sighting, Tickets
from shared.admission.policy import Place, Product, ZoneMask
from shared.admission.presence import fold
from shared.admission.rule import decide
from shared.admission.verdict import Direction, Reason, Verdict, admit, refuse
from shared.clock import Clock, from_unix_ms, unix_ms
from shared.codes.keys import Holder
from shared.ids import GateId, RandomBytes, ScanId, uuid7
from shared.secrecy import Reticent
from shared.sync import hlc
from shared.sync.scan import Mode, ScanRecord, as_admission, hash_code

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_UNREADABLE_AGAIN_S = 10.0
_REMEMBERED = 1000


class Shown(Reticent, frozen=True, kw_only=True):
    """A text somebody presented, the monotonic second its picture was taken, and the milliseconds of reading it."""

    text: str
    taken_s: float
    decode_ms: float = 0.0


class Post(Struct, frozen=True, kw_only=True):
    """Where this gate stands and whom it serves."""

    gate: GateId
    name: str
    direction: Direction
    zones: ZoneMask
    products: tuple[Product, ...]


class AdmitParts(Struct, frozen=True, kw_only=True, eq=False):
    """What the scan path works with."""

    post: Post
    journal: Journal
    tickets: Tickets
    surroundings: Surroundings
    belief: ClockBelief
    clock: Clock
    random_bytes: RandomBytes


class _Decided(Struct, kw_only=True):
    """A scan on its way: what was found, and when each step was done (monotonic seconds)."""

    shown: Shown
    now: datetime
    began_s: float
    examined: Examined
    verified_s: float
    briefing: Briefing
    standing: Standing
    verdict: Verdict
    holder: Holder | None = None
    ruled_s: float = 0.0


class Admitter:
    """Decides one scan at a time; an outcome exists only once its record is durable."""

    def __init__(self, parts: AdmitParts) -> None:
        self._parts = parts
        self._one_at_a_time = asyncio.Lock()
        self._started = False
        self._swallowed: int | None = None
        self._unreadable_s: OrderedDict[bytes, float] = OrderedDict()

    async def admit(self, shown: Shown) -> Outcome:
        """Return the decided and recorded outcome of one presented text.

        Raises:
            TicketTokenError: the record could not be made durable; nobody may pass.
        """
        async with self._one_at_a_time:
            if not self._started:
                # Scans are answered one by one: only the last one before a crash can have lost its answer.
                self._swallowed, self._started = (await self._parts.journal.head()).gate_seq, True
            decided = await self._decide(shown)
            return await self._answer(decided)

    async def _decide(self, shown: Shown) -> _Decided:
        parts = self._parts
        began_s, now = parts.clock.monotonic(), parts.clock.now()
        briefing, standing = parts.surroundings.briefing, parts.surroundings.standing()
        examined = examine(shown.text, briefing, now)
        if examined.handle_hash is not None and examined.skew_s is not None:
            parts.belief.note_code(examined.handle_hash, examined.skew_s)
        decided = _Decided(
            shown=shown,
            now=now,
            began_s=began_s,
            examined=examined,
            verified_s=parts.clock.monotonic(),
            briefing=briefing,
            standing=standing,
            verdict=refuse(examined.refusal or Reason.INTERNAL_ERROR),
        )
        if briefing.revoked:
            decided.verdict = refuse(Reason.DEVICE_REVOKED)
        elif examined.read is not None and examined.handle_hash is not None:
            sighting = await parts.tickets.find(examined.handle_hash)
            decided.verdict = await self._apply_rule(decided, examined.handle_hash, sighting)
            decided.holder = open_holder_of(examined.read, sighting.ticket)
        decided.ruled_s = parts.clock.monotonic()
        return decided

    async def _apply_rule(self, decided: _Decided, handle_hash: bytes, sighting: Sighting) -> Verdict:
        post, read = self._parts.post, decided.examined.read
        if read is None:
            return decided.verdict
        own = [as_admission(record, post.gate) for record in await self._parts.journal.find_admissions(handle_hash)]
        place = Place(
            gate=post.gate,
            direction=post.direction,
            zones=post.zones,
            products=post.products,
            online=decided.standing.mode is Mode.ONLINE,
            inside=decided.standing.inside,
        )
        presence = fold([*sighting.admissions, *own])
        return decide(state_facts(read, sighting), presence, decided.briefing.policy, place, decided.now)

    async def _answer(self, decided: _Decided) -> Outcome:
        if decided.verdict.reason is Reason.DOUBLE_READ:
            return await self._repeat(decided)
        if decided.verdict.reason is Reason.CODE_UNREADABLE and self._was_just_recorded(decided):
            return self._tell(decided, None)
        record = await self._make_record(decided)
        await self._parts.journal.append(record)
        return self._tell(decided, record)

    async def _repeat(self, decided: _Decided) -> Outcome:
        """Answer a repeat as before; a person whose answer a crash swallowed gets it now."""
        handle_hash = decided.examined.handle_hash
        own = await self._parts.journal.find_admissions(handle_hash) if handle_hash is not None else []
        last = own[-1] if own else None
        if last is None or last.gate_seq != self._swallowed:
            return self._tell(decided, None)
        self._swallowed = None
        decided.verdict, decided.now = admit(last.reason), from_unix_ms(last.at_ms)
        return self._tell(decided, last)

    def _was_just_recorded(self, decided: _Decided) -> bool:
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

    async def _make_record(self, decided: _Decided) -> ScanRecord:
        parts, head = self._parts, await self._parts.journal.head()
        now_ms = unix_ms(decided.now)
        return ScanRecord(
            scan=ScanId(uuid7(decided.now, parts.random_bytes)),
            gate_seq=head.gate_seq + 1,
            hlc=hlc.tick(max(head.hlc, decided.standing.remote_hlc), now_ms),
            at_ms=now_ms,
            unsure_ms=parts.belief.unsure_ms(),
            event=decided.examined.event,
            handle_hash=decided.examined.handle_hash,
            code_hash=hash_code(decided.shown.text),
            direction=parts.post.direction,
            admitted=decided.verdict.admitted,
            reason=decided.verdict.reason,
            mode=decided.standing.mode,
            feed_seq=decided.standing.feed_seq,
            policy_version=decided.briefing.policy.version,
            proof=decided.examined.proof,
        )

    def _tell(self, decided: _Decided, record: ScanRecord | None) -> Outcome:
        done_s = self._parts.clock.monotonic()
        took = Took(
            decode=decided.shown.decode_ms,
            verify=(decided.verified_s - decided.began_s) * 1000,
            rule=(decided.ruled_s - decided.verified_s) * 1000,
            commit=(done_s - decided.ruled_s) * 1000,
            total=(done_s - decided.shown.taken_s) * 1000,
        )
        outcome = Outcome(
            scan=record.scan if record is not None else None,
            gate_seq=record.gate_seq if record is not None else None,
            at=decided.now,
            verdict=decided.verdict,
            code_id=hash_code(decided.shown.text).hex(),
            mode=decided.standing.mode,
            took=took,
            holder=decided.holder,
            prior_gate=self._name_prior(decided),
            skew_s=decided.examined.skew_s,
        )
        _log.info(
            "scan.decided",
            scan=str(outcome.scan) if outcome.scan else None,
            code=outcome.code_id,
            reason=outcome.verdict.reason.value,
            took_ms=round(took.total, 2),
        )
        return outcome

    def _name_prior(self, decided: _Decided) -> str | None:
        prior = decided.verdict.prior
        if prior is None:
            return None
        gate = GateId(prior.gate)
        return self._parts.post.name if gate == self._parts.post.gate else decided.briefing.gates.get(gate)
