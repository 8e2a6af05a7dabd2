"""Lists in pages: what every answer with a list says of how it goes on."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from server.api.exchange import write_cursor


class Pagination(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the next page is; ``next_cursor`` is None on the last one."""

    limit: int
    has_more: bool
    next_cursor: str | None


def paginate(limit: int, next_after: UUID | None) -> Pagination:
    """Return how a list goes on; ``next_after`` is the last item shown if there are more."""
    return Pagination(limit=limit, has_more=next_after is not None, next_cursor=write_cursor(next_after))
