"""Named SQL: every statement lives in a .sql file under a `-- name:` line, in a folder `sql` beside the code that uses it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from shared.problems import Internal

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def read_statements(package: str, file_name: str) -> Mapping[str, str]:
    """Return the statements of one file of a package's folder `sql` by name, in the order of the file.

    Raises:
        Internal: the file holds no named statement, or a name twice.
    """
    text = resources.files(package).joinpath("sql", file_name).read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    names, bodies = parts[::2], [body.strip() for body in parts[1::2]]
    if not names or len(set(names)) != len(names):
        raise Internal(f"{package.replace('.', '/')}/sql/{file_name} must hold named statements, each name once")
    return MappingProxyType(dict(zip(names, bodies, strict=True)))
