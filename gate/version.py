"""Which version of the program this is, as told to the server."""

from __future__ import annotations

from functools import cache
from importlib import metadata

_DISTRIBUTION = "tickettoken-gate"


@cache
def name_software() -> str:
    """Return name and version; without an installed package, that it runs from its source."""
    try:
        return f"{_DISTRIBUTION}/{metadata.version(_DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return f"{_DISTRIBUTION}/source"
