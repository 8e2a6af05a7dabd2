"""What a log line looks like, and what it never says."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest
import structlog

from shared.logs import configure_logs
from shared.problems import SettingsInvalid


class Terminal(io.StringIO):
    """Somewhere to write that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Give the log back as it was."""
    yield
    structlog.reset_defaults()


def logged(out: io.StringIO, level: str = "info") -> str:
    """Log one event of each kind, one of them with a failure whose locals hold a key."""
    with redirect_stderr(out):
        configure_logs(level)
        log = structlog.get_logger()
        log.debug("quiet")
        log.info("scan.decided", took_ms=3)
        fail_with_a_key(log)
    return out.getvalue()


def fail_with_a_key(log: structlog.stdlib.BoundLogger) -> None:
    """Raise while a key is in a local variable."""
    key = "k" + "ey-material"
    try:
        len(key) / 0
    except ZeroDivisionError:
        log.exception("broken")


def test_off_a_terminal_every_line_is_json_with_time_level_and_event() -> None:
    lines = [json.loads(line) for line in logged(io.StringIO()).splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("scan.decided", "info"), ("broken", "error")]
    assert lines[0]["took_ms"] == 3
    assert lines[0]["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in lines[1]["exception"]


def test_on_a_terminal_a_traceback_shows_no_local_variable() -> None:
    text = logged(Terminal())
    assert "scan.decided" in text
    assert "ZeroDivisionError" in text
    assert "key-material" not in text


def test_the_level_decides_what_is_written() -> None:
    assert "scan.decided" not in logged(io.StringIO(), "warning")
    assert "quiet" in logged(io.StringIO(), "DEBUG")


def test_an_unknown_level_is_a_settings_fault() -> None:
    with pytest.raises(SettingsInvalid, match="log level"):
        configure_logs("loud")
