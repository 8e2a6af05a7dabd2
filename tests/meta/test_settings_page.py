"""docs/reference/settings.md and .env.example name every setting there is, as it is, and none that there is not."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest
from msgspec import NODEFAULT
from msgspec.structs import FieldInfo, fields

from gate.settings import PREFIX, GateSettings
from server.settings import AdminSettings, EmbeddedSettings, OwnerSettings, Settings, TokenSettings
from shared.settings import Secret
from tests.meta.sources import ROOT

PAGE = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (yes|no) \| (?:(yes|no) \| )?\S", re.MULTILINE)
ROWS = {found[1]: found.groups()[1:] for found in ROW.finditer(PAGE)}

SERVER = {one.name.upper(): one for kind in (Settings, AdminSettings) for one in fields(kind)}
GATE = {(PREFIX + one.name).upper(): one for one in fields(GateSettings)}
HEEDED_EMBEDDED = {one.name.upper() for one in fields(EmbeddedSettings)}

# What the page says in words, because the program finds it out.
IN_WORDS = {"PUBLIC_URL", "JWT_SECRET", "TICKETTOKEN_GATE_DATA"}


def told_default(field: FieldInfo) -> str:
    """Return what the page must say of a default."""
    value = field.default
    if value is NODEFAULT:
        return "required"
    if value is None:
        return "not set"
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool | float):
        value = int(value)
    return f"`{value}`" if value != "" else "none"


def test_the_page_names_every_setting_and_no_other() -> None:
    assert set(ROWS) == set(SERVER) | set(GATE)
    for kind in (OwnerSettings, TokenSettings):
        assert {one.name.upper() for one in fields(kind)} <= set(ROWS)


@pytest.mark.parametrize("name", [*SERVER, *GATE])
def test_the_page_tells_default_and_secrecy(name: str) -> None:
    field = (SERVER | GATE)[name]
    default, secret, embedded = ROWS[name]
    if name not in IN_WORDS:
        assert default == told_default(field)
    assert secret == ("yes" if field.type in {Secret, Secret | None} else "no")
    assert embedded == (None if name in GATE else "yes" if name in HEEDED_EMBEDDED else "no")


@pytest.mark.parametrize("page", ["docs/reference/settings.md", ".env.example"])
def test_a_setting_that_is_offered_exists(page: str) -> None:
    text = Path(ROOT / page).read_text(encoding="utf-8")
    offered = re.findall(r"^#([A-Z_]+)=", text.partition("# --- the server")[2], re.MULTILINE)
    known = set(SERVER) | set(GATE)
    assert {name.removesuffix("_FILE") for name in offered} - known == set()


def test_what_may_be_set_can_be_found_in_the_example() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = {name for name in {*SERVER, *GATE} if not re.search(rf"\b{name}(?:_FILE)?\b", text)}
    assert missing == set()
