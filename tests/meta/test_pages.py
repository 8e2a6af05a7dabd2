"""The documentation hangs together: every link leads somewhere, and every page can be found from the first one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs" / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks" / "README.md"])
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[\w/]+\.py)`")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """Return where a page leads, other sites aside."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    found = [first or second for first, second in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings as links name them."""
    plain = (heading.lower().replace("`", "") for heading in _HEADING.findall(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index() -> None:
    listed = {(INDEX.parent / link.partition("#")[0]).resolve() for link in links(INDEX)}
    kinds = ("how-to", "runbooks", "reference", "explanation")
    pages = {page for kind in kinds for page in (INDEX.parent / kind).glob("*.md")}
    assert sorted(str(page.relative_to(ROOT)) for page in pages - listed) == [], "add them to docs/README.md"


def test_every_test_that_a_page_names_is_there() -> None:
    named = {(page.name, path) for page in PAGES for path in _TEST.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 15
    assert [(page, path) for page, path in sorted(named) if not (ROOT / path).is_file()] == []


def test_the_index_is_linked_from_the_first_page() -> None:
    assert "docs/README.md" in links(ROOT / "README.md")
