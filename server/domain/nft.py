"""What a ticket's asset on chain is meant to be, and how far it is; the chain follows the ticket, never the other way round."""

from __future__ import annotations

from enum import StrEnum

from shared.tickets.lifecycle import State


class NftMode(StrEnum):
    """What an event wants of the chain."""

    OFF = "off"
    MIRROR = "mirror"
    """Tickets are valid at once; their assets follow."""
    WAIT_FOR_MINT = "wait_for_mint"
    """A ticket is sold, then minted, and only then active."""


class Wish(StrEnum):
    """Whether there is to be an asset."""

    LIVE = "live"
    HELD = "held"
    """There is to be one, and its holder is not to move it."""
    GONE = "gone"


class AssetState(StrEnum):
    """How far an asset is; a ticket without one has none of these."""

    QUEUED = "queued"
    ASSIGNED = "assigned"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FINALIZED = "finalized"
    TRANSFERRING = "transferring"
    UPDATING = "updating"
    FREEZING = "freezing"
    FROZEN = "frozen"
    BURNING = "burning"
    BURNED = "burned"
    RETRYABLE = "retryable"
    DEAD = "dead"


_GONE = frozenset({State.REVOKED, State.REFUNDED, State.CANCELLED})
_NOBODYS = frozenset({State.AVAILABLE, State.RESERVED})


def wish_for(state: State, *, locked: bool) -> Wish | None:
    """Return what a ticket in this state, locked or not, means for its asset; None: it is nobody's ticket yet.

    One that was used or ran out keeps its asset: it is a keepsake by then.
    """
    if state in _NOBODYS:
        return None
    if state in _GONE:
        return Wish.GONE
    return Wish.HELD if locked else Wish.LIVE


def first_state(mode: NftMode) -> State:
    """Return in which state a ticket leaves the sale."""
    return State.SOLD if mode is NftMode.WAIT_FOR_MINT else State.ACTIVE
