"""Lists in pages: where a list goes on is an id in the address."""

from __future__ import annotations

from uuid import UUID

from server.web.ops.visit import Visit


def read_place(visit: Visit) -> UUID | None:
    """Return after which item the list goes on; None at its beginning, also for anything that is no id."""
    text = visit.request.query.get("after", "")
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def read_number(visit: Visit, most: int) -> int:
    """Return which page is wanted, the first being 1."""
    text = visit.request.query.get("page", "")
    return min(max(1, int(text)), most) if text.isascii() and text.isdigit() and len(text) < 7 else 1
