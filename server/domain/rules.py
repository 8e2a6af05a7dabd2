"""What an organiser allows after the sale: handing tickets over and giving them back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from shared.packed import Aware

Seconds = Annotated[int, Meta(ge=0, le=366 * 24 * 3600)]
Life = Annotated[int, Meta(ge=60, le=30 * 24 * 3600)]
Times = Annotated[int, Meta(ge=0, le=1000)]


class TransferRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Whether and how tickets of an event may change hands.

    A ticket rests for ``cooldown_s`` after it changed hands, does so ``per_ticket`` times at most, and one user makes
    ``per_user_day`` offers a day; an offer stands for ``life_s``. Nothing changes hands from ``deadline_s`` before the event
    starts, nor from ``blackout_from`` (included) until ``blackout_until`` (not included).
    """

    allowed: bool = True
    cooldown_s: Seconds = 1800
    per_ticket: Times = 5
    per_user_day: Times = 10
    life_s: Life = 172_800
    deadline_s: Seconds = 0
    blackout_from: Aware | None = None
    blackout_until: Aware | None = None


class RefundRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Whether tickets are taken back, until ``deadline_s`` before the event starts, and which places are sold again.

    ``restock`` is about tickets that their holders give back and about orders that others cancel, ``restock_revoked`` about
    those the organiser revokes: whoever revokes for fraud mostly wants to know first what became of the place.
    """

    allowed: bool = True
    deadline_s: Seconds = 86_400
    restock: bool = True
    restock_revoked: bool = False
