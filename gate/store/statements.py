"""Named SQL: every statement lives in a .sql file of `gate/store/sql` under a `-- name:` line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from shared.problems import Internal

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def load_statements(file_name: str) -> Mapping[str, str]:
    """Return the statements of one file by name, in the order of the file.

    Raises:
        Internal: the file holds no named statement, or a name twice.
    """
    text = resources.files("gate.store").joinpath("sql", file_name).read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    names, bodies = parts[::2], [body.strip() for body in parts[1::2]]
    if not names or len(set(names)) != len(names):
        raise Internal(f"gate/store/sql/{file_name} must hold named statements, each name once.")
    return dict(zip(names, bodies, strict=True))
