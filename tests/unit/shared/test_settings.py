"""Settings from the environment."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest
from msgspec import Struct

from shared.problems import SettingsInvalid
from shared.settings import Secret, load_settings


class Colour(StrEnum):
    """A closed choice."""

    RED = "red"


class Sample(Struct, frozen=True, kw_only=True):
    """One field of each kind."""

    url: str
    secret: Secret
    port: int = 8080
    debug: bool = False
    colour: Colour = Colour.RED
    folder: Path | None = None
    home: Path = Path("/")
    spare: Secret | None = None

    def __post_init__(self) -> None:
        """Refuse two fields that do not fit each other."""
        if self.debug and self.port == 80:
            raise ValueError("TT_DEBUG is not for port 80")


GIVEN = {"TT_URL": "u", "TT_SECRET": "s3"}


def load(**changes: str) -> Sample:
    """Load the minimum and some more."""
    return load_settings(Sample, GIVEN | changes, prefix="tt_")


def test_fields_come_from_prefixed_variables_and_the_rest_from_defaults() -> None:
    made = load(TT_PORT="80", TT_FOLDER="/a", TT_HOME="/b", TT_SPARE="x", TT_COLOUR="red", OTHER="y")
    assert made == Sample(
        url="u", secret=Secret("s3"), port=80, folder=Path("/a"), home=Path("/b"), spare=Secret("x"), colour=Colour.RED
    )


@pytest.mark.parametrize(
    ("text", "meant"), [("1", True), ("YES", True), ("on", True), ("true", True), ("0", False), ("off", False)]
)
def test_yes_and_no_may_be_said_in_the_usual_ways(text: str, meant: bool) -> None:
    assert load(TT_DEBUG=text).debug is meant


def test_every_fault_is_named_at_once_and_no_value_shown() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(Sample, {"TT_PORT": "hidden1", "TT_DEBUG": "hidden2", "TT_COLOUR": "hidden3"}, prefix="tt_")
    told = str(caught.value)
    assert [name for name in ("TT_URL", "TT_SECRET", "TT_PORT", "TT_DEBUG", "TT_COLOUR") if name not in told] == []
    assert "hidden" not in told


def test_a_value_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(" from file\n")
    made = load_settings(Sample, {"TT_URL": "u", "TT_SECRET_FILE": str(tmp_path / "s")}, prefix="tt_")
    assert made.secret == Secret("from file")


def test_an_empty_variable_or_file_counts_as_not_set(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("\n")
    with pytest.raises(SettingsInvalid, match=r"TT_URL is not set; TT_SECRET is not set"):
        load_settings(Sample, {"TT_URL": "", "TT_SECRET_FILE": str(tmp_path / "s")}, prefix="tt_")


def test_unreadable_files_are_faults_like_others(tmp_path: Path) -> None:
    (tmp_path / "s").write_bytes(b"\xff\xfe")
    environ = {"TT_URL_FILE": str(tmp_path / "none"), "TT_SECRET_FILE": str(tmp_path / "s")}
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(Sample, environ, prefix="tt_")
    assert "TT_URL: cannot read the file it names (No such file or directory)" in str(caught.value)
    assert "TT_SECRET: the file it names is not text in UTF-8" in str(caught.value)


def test_a_value_given_twice_is_a_fault() -> None:
    with pytest.raises(SettingsInvalid, match="TT_URL_FILE is set as well"):
        load(TT_URL_FILE="/x")


def test_fields_that_do_not_fit_each_other_are_refused() -> None:
    with pytest.raises(SettingsInvalid, match="TT_DEBUG is not for port 80"):
        load(TT_DEBUG="1", TT_PORT="80")


def test_a_secret_shows_nowhere() -> None:
    shown = [repr(load()), str(load()), str(Secret("s3")), f"{Secret('s3')}", str(Secret("s3").__rich_repr__())]
    assert [text for text in shown if "s3" in text] == []
    assert Secret("s3").value == "s3"
