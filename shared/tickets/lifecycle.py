"""The one table of ticket states and who may move a ticket from which to which; PostgreSQL mirrors it in a trigger."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from shared.problems import Conflict, Denied


class State(StrEnum):
    """Where a ticket is in its life."""

    AVAILABLE = "available"
    RESERVED = "reserved"
    SOLD = "sold"
    MINTED = "minted"
    ACTIVE = "active"
    TRANSFERRED = "transferred"
    CHECKED_IN = "checked_in"
    USED = "used"
    REVOKED = "revoked"
    REFUNDED = "refunded"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Actor(StrEnum):
    """What kind of party causes a transition."""

    HOLDER = "holder"
    ORGANISER = "organiser"
    GATE = "gate"
    SYSTEM = "system"


class RevocationReason(StrEnum):
    """Why an organiser takes a ticket back."""

    FRAUD_DETECTED = "fraud_detected"
    CHARGEBACK = "chargeback"
    EVENT_CANCELLED = "event_cancelled"
    DUPLICATE_TICKET = "duplicate_ticket"
    TERMS_VIOLATION = "terms_violation"
    ADMIN_REQUEST = "admin_request"
    REFUND_REQUESTED = "refund_requested"
    TRANSFER_DISPUTE = "transfer_dispute"


class TransitionInvalid(Conflict):
    """The state table has no such step."""

    code = "state_transition_invalid"


class TransitionDenied(Denied):
    """The step exists, but not for this kind of actor, or it needs a reason."""

    code = "state_transition_denied"


class Transition(Struct, frozen=True, kw_only=True):
    """One permitted step: who may take it, and whether a reason must be given."""

    actors: frozenset[Actor]
    needs_reason: bool = False


def _by(*actors: Actor, needs_reason: bool = False) -> Transition:
    return Transition(actors=frozenset(actors), needs_reason=needs_reason)


_REVOKE = _by(Actor.ORGANISER, Actor.SYSTEM, needs_reason=True)
_SYSTEM = _by(Actor.SYSTEM)
_HOLDER = _by(Actor.HOLDER, Actor.ORGANISER, Actor.SYSTEM)
_PAY = _by(Actor.HOLDER, Actor.SYSTEM)
_DOOR = _by(Actor.GATE, Actor.ORGANISER, Actor.SYSTEM)

_ADMISSIBLE_STEPS = {
    State.TRANSFERRED: _HOLDER,
    State.CHECKED_IN: _DOOR,
    State.REFUNDED: _HOLDER,
    State.REVOKED: _REVOKE,
    State.EXPIRED: _SYSTEM,
    State.CANCELLED: _REVOKE,
    State.USED: _SYSTEM,
}

TRANSITIONS: dict[State, dict[State, Transition]] = {
    State.AVAILABLE: {State.RESERVED: _HOLDER, State.SOLD: _HOLDER, State.CANCELLED: _REVOKE},
    State.RESERVED: {State.AVAILABLE: _HOLDER, State.SOLD: _PAY, State.EXPIRED: _SYSTEM, State.CANCELLED: _REVOKE},
    State.SOLD: {
        State.ACTIVE: _SYSTEM,
        State.MINTED: _SYSTEM,
        State.REFUNDED: _HOLDER,
        State.REVOKED: _REVOKE,
        State.CANCELLED: _REVOKE,
    },
    State.MINTED: {
        State.ACTIVE: _SYSTEM,
        State.REFUNDED: _HOLDER,
        State.REVOKED: _REVOKE,
        State.CANCELLED: _REVOKE,
    },
    State.ACTIVE: _ADMISSIBLE_STEPS,
    State.TRANSFERRED: _ADMISSIBLE_STEPS,
    State.CHECKED_IN: {
        State.ACTIVE: _DOOR,
        State.TRANSFERRED: _DOOR,
        State.USED: _SYSTEM,
        State.REVOKED: _REVOKE,
    },
    State.USED: {},
    State.REVOKED: {},
    State.REFUNDED: {},
    State.EXPIRED: {},
    State.CANCELLED: {},
}

ADMISSIBLE = frozenset({State.ACTIVE, State.TRANSFERRED})
"""States in which a ticket may be checked in."""

TERMINAL = frozenset(state for state, steps in TRANSITIONS.items() if not steps)


def check_transition(source: State, target: State, actor: Actor, reason: str | None = None) -> None:
    """Return if this actor may move a ticket from ``source`` to ``target``.

    Raises:
        TransitionInvalid: the table has no such step.
        TransitionDenied: not for this actor, or a reason is missing.
    """
    step = TRANSITIONS[source].get(target)
    if step is None:
        raise TransitionInvalid(f"A ticket that is {source} cannot become {target}.")
    if actor not in step.actors:
        raise TransitionDenied(f"A {actor} may not make a {source} ticket {target}.")
    if step.needs_reason and not reason:
        raise TransitionDenied(f"Making a {source} ticket {target} needs a reason.")
