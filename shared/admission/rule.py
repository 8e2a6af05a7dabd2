"""The one rule that decides who may pass, called by the gate, by the server's check-in and by its later classification.

Order: known and current → state, revoked before used → product, zone → window → counts → what a person must decide.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import assert_never

from msgspec import Struct

from shared.admission.policy import Cloned, Place, Policy, Stale, Unknown
from shared.admission.presence import Admission, Presence, is_double_read
from shared.admission.verdict import Direction, PriorUse, Reason, Verdict, admit, refuse
from shared.clock import unix_ms
from shared.codes.capsule import CodePolicy
from shared.tickets.lifecycle import State

_VOID = {
    State.REVOKED: Reason.REVOKED,
    State.REFUNDED: Reason.REFUNDED,
    State.CANCELLED: Reason.CANCELLED,
    State.EXPIRED: Reason.EXPIRED,
}


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of the ticket behind a genuine code.

    ``known`` is False when no snapshot row exists and everything below comes from the code alone. ``superseded`` means a
    newer generation exists. ``zones`` is a mask; a ticket without any zone opens only gates that lead everywhere.
    ``entries`` is the ticket's own allowance, 0 meaning that the policy decides. A ``suspect`` one is on the hot list: it was
    shown on two phones at once.
    """

    known: bool
    superseded: bool = False
    state: State = State.ACTIVE
    locked: bool = False
    product: int = 0
    zones: int = 0
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    entries: int = 0
    code_policy: CodePolicy = CodePolicy(0)
    static_code: bool = False
    suspect: bool = False


def decide(facts: Facts, presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict:
    """Return whether this person passes here and now. Pure: the same on every gate and on the server."""
    if place.direction is Direction.EXIT:
        return _decide_exit(facts, presence, policy, place, now)
    refusal = (
        _check_identity(facts, policy, place)
        or _check_state(facts, presence, place)
        or _check_place(facts, place)
        or _check_window(facts, policy, now - timedelta(seconds=place.ahead_s))
        or _check_counts(facts, presence, policy, place, now)
        or _check_doubts(facts, policy, place)
    )
    if refusal is not None:
        return refusal
    return admit(Reason.OK_REENTRY if _count_uses(facts, presence) else Reason.OK)


def allowed_entries(ticket_entries: int, policy: Policy) -> int | None:
    """Return how often a ticket may enter in all; None without limit. The ticket's own number goes before the policy's."""
    if not policy.exits:
        return 1  # nobody is seen to leave, so nobody can be known to come back
    if ticket_entries:
        return ticket_entries
    return None if policy.re_entries is None else 1 + policy.re_entries


def _decide_exit(facts: Facts, presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict:
    """Let people out: of all the checks only those apply without which a count could be forged.

    Whoever is inside must be able to leave, with a ticket revoked meanwhile, after the last hour and by any door; a
    refusal would keep nobody in and only falsify the number of people inside.
    """
    if not policy.exits:
        return refuse(Reason.WRONG_GATE)
    if facts.static_code and not policy.static_codes:
        return refuse(Reason.STATIC_CODE_REFUSED)
    if is_double_read(presence.last, place.gate, place.direction, unix_ms(now), policy.double_read_s):
        return refuse(Reason.DOUBLE_READ, prior=_point_at(presence.last))
    return admit(Reason.EXIT_OK)


def _check_identity(facts: Facts, policy: Policy, place: Place) -> Verdict | None:
    if facts.superseded:
        return refuse(Reason.TRANSFERRED_OR_REISSUED)
    if facts.static_code and not policy.static_codes:
        return refuse(Reason.STATIC_CODE_REFUSED)
    if not facts.known and policy.unknown is Unknown.ONLINE_ONLY and not place.online:
        return refuse(Reason.UNKNOWN_TICKET)
    return None


def _check_state(facts: Facts, presence: Presence, place: Place) -> Verdict | None:
    """Refuse by state: first what is void for good, then what is held up, then what is used."""
    match facts.state:
        case State.REVOKED | State.REFUNDED | State.CANCELLED | State.EXPIRED:
            return refuse(_VOID[facts.state])
        case _ if facts.locked:
            return refuse(Reason.LOCKED)
        case State.AVAILABLE | State.RESERVED | State.SOLD | State.MINTED:
            return refuse(Reason.UNPAID)
        case State.USED:
            return _refuse_used(presence, place)
        case State.ACTIVE | State.TRANSFERRED | State.CHECKED_IN:
            return None
        case _:
            assert_never(facts.state)


def _check_place(facts: Facts, place: Place) -> Verdict | None:
    if place.products and facts.product not in place.products:
        return refuse(Reason.WRONG_PRODUCT)
    if place.zones and not facts.zones & place.zones:
        return refuse(Reason.WRONG_ZONE)
    return None


def _check_window(facts: Facts, policy: Policy, now: datetime) -> Verdict | None:
    if now < policy.window.doors or (facts.valid_from is not None and now < facts.valid_from):
        return refuse(Reason.NOT_YET_VALID)
    # The grace is taken from now and not added to the end, which may be the last moment there is.
    over = now - timedelta(seconds=policy.window.grace_s) >= policy.window.ends
    if over or (facts.valid_until is not None and now >= facts.valid_until):
        return refuse(Reason.EXPIRED)
    return None


def _check_counts(facts: Facts, presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict | None:
    if is_double_read(presence.last, place.gate, place.direction, unix_ms(now), policy.double_read_s):
        return refuse(Reason.DOUBLE_READ, prior=_point_at(presence.last))
    if facts.suspect:
        refused = Reason.CLONE_REFUSED if policy.when_cloned is Cloned.REFUSE else Reason.CLONE_SUSPECTED
        return refuse(refused, prior=_point_at(presence.last_entry))
    uses = _count_uses(facts, presence)
    if uses:
        allowed = allowed_entries(facts.entries, policy)
        refusal = _check_repeat(presence, allowed, uses, place) or _check_inside(facts, presence, policy, now)
        if refusal is not None:
            return refusal
    if _is_full(policy.capacity, place.inside) or _is_full(policy.limit_at(place.gate), place.behind):
        return refuse(Reason.CAPACITY_FULL)
    if place.bodies is not None and policy.is_full_at(place.gate, place.bodies):
        return refuse(Reason.CAPACITY_FULL)
    return None


def _is_full(capacity: int | None, inside: int | None) -> bool:
    return capacity is not None and inside is not None and inside >= capacity


def _check_repeat(presence: Presence, allowed: int | None, uses: int, place: Place) -> Verdict | None:
    if allowed is None or uses < allowed:
        return None
    if allowed == 1:
        return _refuse_used(presence, place)
    return refuse(Reason.LIMIT_REACHED, prior=_point_at(presence.last_entry))


def _check_inside(facts: Facts, presence: Presence, policy: Policy, now: datetime) -> Verdict | None:
    if presence.inside or _is_inside_unseen(facts, presence):
        return refuse(Reason.MUST_EXIT_FIRST, prior=_point_at(presence.last_entry))
    wait_s = _cooldown_left(presence, policy, now)
    if wait_s:
        return refuse(Reason.COOLDOWN, prior=_point_at(presence.last_entry), wait_s=wait_s)
    return None


def _check_doubts(facts: Facts, policy: Policy, place: Place) -> Verdict | None:
    """Ask for a person's decision, last of all: nobody should be asked to vouch for a ticket that is refused anyway."""
    if policy.unsure_after_s is not None and place.unsure_s is not None and place.unsure_s > policy.unsure_after_s:
        return refuse(Reason.CLOCK_UNSURE)
    if _is_stale(policy, place) and policy.when_stale is not Stale.WARN:
        supervised = policy.when_stale is Stale.SUPERVISOR
        return refuse(Reason.SUPERVISOR_REQUIRED if supervised else Reason.SNAPSHOT_TOO_OLD)
    if facts.code_policy & CodePolicy.ONLINE_ONLY and not place.online:
        return refuse(Reason.SUPERVISOR_REQUIRED)
    if not facts.known and policy.unknown is Unknown.SUPERVISOR:
        return refuse(Reason.SUPERVISOR_REQUIRED)
    if policy.id_check or facts.code_policy & CodePolicy.ID_CHECK:
        return refuse(Reason.ID_CHECK_REQUIRED)
    return None


def _is_stale(policy: Policy, place: Place) -> bool:
    if policy.stale_after_s is None or place.online or place.data_age_s is None:
        return False
    return place.data_age_s > policy.stale_after_s


def _count_uses(facts: Facts, presence: Presence) -> int:
    """Return how often the ticket came in as far as can be told: an exit, or the server's word, stands for an entry unseen."""
    return max(presence.entries, presence.exits, int(facts.state is State.CHECKED_IN))


def _is_inside_unseen(facts: Facts, presence: Presence) -> bool:
    """Say whether the server counts somebody in whose admission has not reached this node yet.

    Once this node has seen any passage, the passages count: the state may be older than the exit already known here.
    """
    return facts.state is State.CHECKED_IN and presence.last is None


def _refuse_used(presence: Presence, place: Place) -> Verdict:
    last = presence.last_entry
    elsewhere = last is not None and last.gate != place.gate
    return refuse(Reason.ALREADY_USED_ELSEWHERE if elsewhere else Reason.ALREADY_USED, prior=_point_at(last))


def _cooldown_left(presence: Presence, policy: Policy, now: datetime) -> int:
    last_ms = presence.last.at_ms if presence.last is not None else 0
    passed_s = (unix_ms(now) - last_ms) / 1000
    # Another gate's clock may be ahead of this one's: nobody is told to wait longer than the whole time.
    return min(policy.cooldown_s, max(0, ceil(policy.cooldown_s - passed_s)))


def _point_at(admission: Admission | None) -> PriorUse | None:
    return None if admission is None else PriorUse(at_ms=admission.at_ms, gate=admission.gate)
