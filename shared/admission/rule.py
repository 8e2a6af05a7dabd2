"""The one rule that decides who may pass, called by the gate, by the server's check-in and by its later classification.

Order: known and current → state, revoked before used → product, zone, gate → window → counts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import assert_never

from msgspec import Struct

from shared.admission.policy import Place, Policy, Unknown
from shared.admission.presence import Presence
from shared.admission.verdict import Direction, PriorUse, Reason, Verdict, admit, refuse
from shared.clock import unix_ms
from shared.codes.capsule import CodePolicy
from shared.tickets.lifecycle import State


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of the ticket behind a genuine code.

    ``known`` is False when no snapshot row exists and everything below comes from the code alone. ``superseded`` means a
    newer generation exists. ``entries`` is the ticket's own allowance, 0 meaning that the policy decides.
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


def decide(facts: Facts, presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict:
    """Return whether this person passes here and now. Pure: the same on every gate and on the server."""
    refusal = (
        _check_identity(facts, policy, place)
        or _check_state(facts.state)
        or _check_place(facts, place)
        or _check_window(facts, policy, now)
    )
    if refusal is not None:
        return refuse(refusal)
    if place.direction is Direction.EXIT:
        return _decide_exit(presence, policy, place, now)
    return _decide_entry(facts, presence, policy, place, now)


def _check_identity(facts: Facts, policy: Policy, place: Place) -> Reason | None:
    if facts.superseded:
        return Reason.TRANSFERRED_OR_REISSUED
    if facts.locked:
        return Reason.LOCKED
    if facts.static_code and not policy.static_codes:
        return Reason.STATIC_CODE_REFUSED
    if facts.code_policy & CodePolicy.ONLINE_ONLY and not place.online:
        return Reason.SUPERVISOR_REQUIRED
    return None if facts.known else _check_unknown(policy.unknown, online=place.online)


def _check_unknown(unknown: Unknown, *, online: bool) -> Reason | None:
    match unknown:
        case Unknown.ADMIT:
            return None
        case Unknown.ONLINE_ONLY:
            return None if online else Reason.UNKNOWN_TICKET
        case Unknown.SUPERVISOR:
            return Reason.SUPERVISOR_REQUIRED
        case _:
            assert_never(unknown)


def _check_state(state: State) -> Reason | None:  # noqa: PLR0911 - one line a state is the clearest table there is
    match state:
        case State.ACTIVE | State.TRANSFERRED | State.CHECKED_IN:
            return None
        case State.AVAILABLE | State.RESERVED | State.SOLD | State.MINTED:
            return Reason.UNPAID
        case State.REVOKED:
            return Reason.REVOKED
        case State.REFUNDED:
            return Reason.REFUNDED
        case State.CANCELLED:
            return Reason.CANCELLED
        case State.EXPIRED:
            return Reason.EXPIRED
        case State.USED:
            return Reason.ALREADY_USED
        case _:
            assert_never(state)


def _check_place(facts: Facts, place: Place) -> Reason | None:
    if place.products and facts.product not in place.products:
        return Reason.WRONG_PRODUCT
    if place.zones and not facts.zones & place.zones:
        return Reason.WRONG_ZONE
    return None


def _check_window(facts: Facts, policy: Policy, now: datetime) -> Reason | None:
    opens = max(policy.window.doors, facts.valid_from or policy.window.doors)
    closes = policy.window.ends + timedelta(seconds=policy.window.grace_s)
    closes = min(closes, facts.valid_until or closes)
    if now < opens:
        return Reason.NOT_YET_VALID
    return Reason.EXPIRED if now >= closes else None


def _decide_exit(presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict:
    if not policy.exits:
        return refuse(Reason.WRONG_GATE)
    if _is_double_read(presence, policy, place, now):
        return refuse(Reason.DOUBLE_READ, prior=_last_use(presence))
    return admit(Reason.EXIT_OK)


def _decide_entry(facts: Facts, presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict:
    if _is_double_read(presence, policy, place, now):
        return refuse(Reason.DOUBLE_READ, prior=_last_use(presence))
    if presence.entries or _is_inside_unseen(facts, presence):
        refusal = _check_repeat(facts, presence, policy, place, now)
        if refusal is not None:
            return refusal
    if policy.capacity is not None and place.inside is not None and place.inside >= policy.capacity:
        return refuse(Reason.CAPACITY_FULL)
    if policy.id_check or facts.code_policy & CodePolicy.ID_CHECK:
        return refuse(Reason.ID_CHECK_REQUIRED)
    return admit(Reason.OK_REENTRY if presence.entries else Reason.OK)


def _check_repeat(facts: Facts, presence: Presence, policy: Policy, place: Place, now: datetime) -> Verdict | None:
    allowed = allowed_entries(facts.entries, policy)
    if allowed == 1:
        elsewhere = presence.last_entry is not None and presence.last_entry.gate != place.gate
        reason = Reason.ALREADY_USED_ELSEWHERE if elsewhere else Reason.ALREADY_USED
        return refuse(reason, prior=_last_use(presence))
    if (presence.inside or _is_inside_unseen(facts, presence)) and policy.exits:
        return refuse(Reason.MUST_EXIT_FIRST, prior=_last_use(presence))
    if allowed is not None and presence.entries >= allowed:
        return refuse(Reason.LIMIT_REACHED, prior=_last_use(presence))
    wait_s = _cooldown_left(presence, policy, now)
    return refuse(Reason.COOLDOWN, prior=_last_use(presence), wait_s=wait_s) if wait_s else None


def _is_inside_unseen(facts: Facts, presence: Presence) -> bool:
    """Say whether the server counts somebody in whose admission has not reached this node yet."""
    return facts.state is State.CHECKED_IN and presence.last is None


def allowed_entries(ticket_entries: int, policy: Policy) -> int | None:
    """Return how often a ticket may enter in all; None without limit. The ticket's own number goes before the policy's."""
    if ticket_entries:
        return ticket_entries
    return None if policy.re_entries is None else 1 + policy.re_entries


def _is_double_read(presence: Presence, policy: Policy, place: Place, now: datetime) -> bool:
    last = presence.last
    if last is None or last.gate != place.gate or last.direction is not place.direction:
        return False
    return 0 <= unix_ms(now) - last.at_ms < policy.double_read_s * 1000


def _cooldown_left(presence: Presence, policy: Policy, now: datetime) -> int:
    if presence.last is None:
        return 0
    passed_s = (unix_ms(now) - presence.last.at_ms) / 1000
    return max(0, ceil(policy.cooldown_s - passed_s))


def _last_use(presence: Presence) -> PriorUse | None:
    last = presence.last_entry
    return None if last is None else PriorUse(at_ms=last.at_ms, gate=last.gate)
