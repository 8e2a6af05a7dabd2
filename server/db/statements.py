"""Named SQL of `server/db/sql`."""

from __future__ import annotations

from collections.abc import Mapping

from shared.statements import read_statements


def load_statements(file_name: str) -> Mapping[str, str]:
    """Return the statements of one file by name, in the order of the file.

    Raises:
        Internal: the file holds no named statement, or a name twice.
    """
    return read_statements("server.db", file_name)
