"""What the steps of tickets mean for their assets: written down with the step, done by the mint worker in its own time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.domain.nft import Wish, wish_for
from server.services.ports import Unit
from server.services.rows import TicketRow
from server.services.rows_nft import WishRow

Pair = tuple[TicketRow | None, TicketRow]
"""A ticket before and after a step; before its first it is None."""


async def wish_assets(tx: Unit, pairs: Sequence[Pair], now: datetime) -> None:
    """Note what steps mean for assets; most steps, every admission among them, mean nothing and cost nothing."""
    wishes = [
        WishRow(ticket=after.id, event=after.event, wish=wish, owner=after.owner)
        for before, after in pairs
        if (wish := _wish(after)) is not None and _differs(before, after)
    ]
    if wishes:
        await tx.assets.wish(wishes, now)


def _differs(before: TicketRow | None, after: TicketRow) -> bool:
    if before is None:
        return True
    return before.owner != after.owner or _wish(before) is not _wish(after)


def _wish(ticket: TicketRow) -> Wish | None:
    return wish_for(ticket.state, locked=ticket.locked is not None)
