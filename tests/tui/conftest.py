"""What every test of the screen starts from."""

from __future__ import annotations

import pytest

from gate.catalogue.texts import LANGUAGES, load_catalogue


@pytest.fixture(autouse=True, scope="session")
def texts_read() -> None:
    """Read the catalogue's files before any event loop runs; they are read once in a program's life."""
    for language in LANGUAGES:
        load_catalogue(language)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the terminal from which the tests are run have no say in how the screen looks."""
    for name in ("NO_COLOR", "TEXTUAL"):
        monkeypatch.delenv(name, raising=False)
