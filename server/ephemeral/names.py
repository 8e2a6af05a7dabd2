"""How names are written in a store, so that tenants cannot meet and kinds of things cannot either."""

from __future__ import annotations

from server.services.ports_ephemeral import Space


def full_name(space: Space, kind: str, name: str) -> str:
    """Return ``tenant:kind:name``, with ``-`` in place of no tenant."""
    return f"{space or '-'}:{kind}:{name}"
