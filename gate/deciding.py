"""The steps from a presented text to an answer: what the code says, what the rule says, what is written down and told."""

from __future__ import annotations

from datetime import datetime

import structlog
from msgspec import UNSET, Struct
from msgspec.structs import replace

from gate.briefing import Briefing, Standing, Surroundings
from gate.clockbelief import ClockBelief
from gate.examine import Examined, examine, open_holder_of, state_facts
from gate.outcome import Outcome, Took
from gate.ports import Journal, LogHead, Sighting, Tickets
from shared.admission.policy import GateRole, Place, Product, ZoneMask
from shared.admission.presence import Admission, Presence, fold
from shared.admission.rule import Facts, decide
from shared.admission.verdict import Direction, Reason, Verdict, refuse
from shared.clock import Clock, unix_ms
from shared.codes.keys import Holder
from shared.ids import GateId, RandomBytes, ScanId, uuid7
from shared.secrecy import Reticent
from shared.sync import hlc
from shared.sync.command import Configure
from shared.sync.scan import Mode, ScanRecord, as_admission, hash_code, tag_seen

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_BY_TIME = frozenset({Reason.CODE_STALE, Reason.CODE_FUTURE})


class Shown(Reticent, frozen=True, kw_only=True):
    """A text somebody presented, the monotonic second its picture was taken, and the milliseconds of reading it."""

    text: str
    taken_s: float
    decode_ms: float = 0.0


class Post(Struct, kw_only=True, eq=False):
    """Where this gate stands and whom it serves; all parts share one, which the organiser may change while nobody is decided
    about."""

    gate: GateId
    name: str
    direction: Direction
    zones: ZoneMask
    products: tuple[Product, ...]
    role: GateRole = GateRole.LANE

    def reassign(self, order: Configure) -> None:
        """Be called otherwise and serve others."""
        self.name, self.direction, self.zones, self.products = order.name, order.direction, order.zones, order.products
        self.role = order.role


class AdmitParts(Struct, frozen=True, kw_only=True, eq=False):
    """What the scan path works with."""

    post: Post
    journal: Journal
    tickets: Tickets
    surroundings: Surroundings
    belief: ClockBelief
    clock: Clock
    random_bytes: RandomBytes


class Decided(Struct, kw_only=True):
    """A scan on its way: what was found, and when each step was done (monotonic seconds)."""

    shown: Shown
    now: datetime
    began_s: float
    examined: Examined
    verified_s: float
    briefing: Briefing
    standing: Standing
    verdict: Verdict
    sighting: Sighting | None = None
    holder: Holder | None = None
    ruled_s: float = 0.0


async def decide_on(parts: AdmitParts, shown: Shown) -> Decided:
    """Return what is to be answered to a presented text; nothing is written down."""
    began_s, now = parts.clock.monotonic(), parts.clock.now()
    briefing = parts.surroundings.briefing
    examined = _blame_clock(examine(shown.text, briefing, parts.belief.correct(now)), parts.belief)
    if examined.handle_hash is not None and examined.skew_s is not None:
        parts.belief.note_code(examined.handle_hash, examined.skew_s)
    decided = begin(parts, shown, examined)
    decided.now, decided.began_s = now, began_s
    if briefing.revoked:
        decided.verdict = refuse(Reason.DEVICE_REVOKED)
    elif examined.read is not None and examined.handle_hash is not None:
        sighting = decided.sighting = await parts.tickets.find(examined.handle_hash)
        decided.verdict = await rule_on(parts, decided, examined.handle_hash, state_facts(examined.read, sighting))
        decided.holder = open_holder_of(examined.read, sighting.ticket)
    decided.ruled_s = parts.clock.monotonic()
    return decided


def begin(parts: AdmitParts, shown: Shown, examined: Examined) -> Decided:
    """Return a scan whose code was examined and about which the rule was not asked yet."""
    second = parts.clock.monotonic()
    return Decided(
        shown=shown,
        now=parts.clock.now(),
        began_s=second,
        examined=examined,
        verified_s=second,
        briefing=parts.surroundings.briefing,
        standing=parts.surroundings.standing(),
        verdict=refuse(examined.refusal or Reason.INTERNAL_ERROR),
        ruled_s=second,
    )


async def rule_on(parts: AdmitParts, decided: Decided, handle_hash: bytes, facts: Facts) -> Verdict:
    """Return what the rule says of a ticket here and now."""
    presence = await find_presence(parts, decided, handle_hash)
    return decide(facts, presence, decided.briefing.policy, make_place(parts, decided.standing), decided.now)


async def find_presence(parts: AdmitParts, decided: Decided, handle_hash: bytes) -> Presence:
    """Return where a ticket's holder is, as far as this gate knows."""
    known = await list_passages(parts, decided, handle_hash)
    return fold(known, decided.briefing.policy.double_read_s)


async def list_passages(parts: AdmitParts, decided: Decided, handle_hash: bytes) -> list[Admission]:
    """Return a ticket's passages through all gates, this one's own as its log has them."""
    own = [as_admission(record, parts.post.gate) for record in await parts.journal.find_admissions(handle_hash)]
    return [*(decided.sighting.admissions if decided.sighting is not None else []), *own]


def make_place(parts: AdmitParts, standing: Standing) -> Place:
    """Return where and how this gate stands, as the rule wants to know it."""
    post = parts.post
    return Place(
        gate=post.gate,
        direction=post.direction,
        zones=post.zones,
        products=post.products,
        online=standing.mode is Mode.ONLINE,
        inside=standing.inside,
        behind=standing.behind,
        bodies=standing.bodies,
        data_age_s=standing.data_age_s,
        unsure_s=parts.belief.unsure_ms() / 1000,
        ahead_s=parts.belief.ahead_ms() / 1000,
    )


def make_record(parts: AdmitParts, head: LogHead, decided: Decided) -> ScanRecord:
    """Return the record of a decided scan that follows the log's head."""
    now_ms = unix_ms(decided.now)
    scan = ScanId(uuid7(decided.now, parts.random_bytes))
    handle = decided.examined.printed_handle
    return ScanRecord(
        scan=scan,
        gate_seq=head.gate_seq + 1,
        hlc=hlc.tick(max(head.hlc, decided.standing.remote_hlc), now_ms),
        at_ms=now_ms,
        unsure_ms=parts.belief.unsure_ms(fresh=decided.examined.proof is not None),
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
        seen=UNSET if handle is None else tag_seen(handle, scan),
    )


def tell(parts: AdmitParts, decided: Decided, record: ScanRecord | None) -> Outcome:
    """Return what everybody is told of a scan whose record is durable, or that needs none."""
    done_s = parts.clock.monotonic()
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
        code_id=(record.code_hash if record is not None else hash_code(decided.shown.text)).hex(),
        mode=decided.standing.mode,
        took=took,
        holder=decided.holder,
        prior_gate=name_gate(parts, decided.briefing, decided.verdict.prior.gate) if decided.verdict.prior else None,
        skew_s=decided.examined.skew_s,
    )
    _log.info(
        "scan.decided",
        scan=str(outcome.scan) if outcome.scan else None,
        gate_seq=record.gate_seq if record is not None else None,
        feed_seq=record.feed_seq if record is not None else None,
        code=outcome.code_id,
        reason=outcome.verdict.reason.value,
        took_ms=round(took.total, 2),
    )
    return outcome


def name_gate(parts: AdmitParts, briefing: Briefing, gate: object) -> str | None:
    """Return what a gate is called, None when this one has not heard of it."""
    if gate == parts.post.gate:
        return parts.post.name
    return next((name for known, name in briefing.gates.items() if known == gate), None)


def _blame_clock(examined: Examined, belief: ClockBelief) -> Examined:
    """Call a code that only this gate's own clock makes old or early by that name: the guest did nothing wrong."""
    if examined.refusal not in _BY_TIME or examined.skew_s is None or examined.slot_s is None:
        return examined
    excused = belief.excuses(examined.skew_s, examined.slot_s)
    return replace(examined, refusal=Reason.CLOCK_UNSURE) if excused else examined
