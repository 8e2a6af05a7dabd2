"""A data directory outside any private place, and a program of its own that can be killed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Give the path of a data directory yet to be made, in a place whose name has a space."""
    parent = Path(tempfile.mkdtemp(prefix="ticket token-"))
    parent.chmod(0o755)
    yield parent / "data"
    shutil.rmtree(parent)
