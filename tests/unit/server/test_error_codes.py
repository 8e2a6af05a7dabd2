"""The page of problem codes names every code there is, with its status, and every code is met by some test."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import server
import shared
from server.api.openapi_problems import BEYOND_ROUTES
from shared.problems import TicketTokenError

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (.+?) \|(?: (.+?) \|)?$", re.MULTILINE)


@cache
def classes() -> dict[str, set[type[TicketTokenError]]]:
    """Return every problem of the server by its code."""
    for package in (shared, server):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found: dict[str, set[type[TicketTokenError]]] = defaultdict(set)
    for kind in descend(TicketTokenError):
        if kind.__module__.partition(".")[0] in {"shared", "server"}:
            found[kind.code].add(kind)
    return found


def descend(kind: type[TicketTokenError]) -> Iterator[type[TicketTokenError]]:
    """Yield a class and everything below it."""
    yield kind
    for below in kind.__subclasses__():
        yield from descend(below)


@cache
def told_over_http() -> dict[str, int]:
    """Return the status of every code that the description names."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8"))
    answers = [
        answer.get("content", {}).get("application/problem+json", {}).get("schema", {}).get("allOf", [{}, {}])[1]
        for methods in document["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
    ]
    named = {
        code: told["properties"]["status"]["const"]
        for told in answers
        if told
        for code in told["properties"]["code"]["enum"]
    }
    return named | {one.code: one.status for one in BEYOND_ROUTES}


def rows(title: str) -> dict[str, tuple[int, str | None]]:
    """Return the table below a heading: a code's figure, and what to do."""
    part = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return {found[1]: (int(found[2]), found[4]) for found in ROW.finditer(part)}


def test_page_tells_of_every_code_over_http_with_its_status_and_what_to_do() -> None:
    table = rows("Over HTTP")
    assert {code: status for code, (status, _) in table.items()} == told_over_http()
    assert all(advice for _, advice in table.values())


def test_page_tells_of_every_other_code_with_its_exit_status() -> None:
    others = {
        code: {kind.exit_code for kind in kinds} for code, kinds in classes().items() if code not in told_over_http()
    }
    table = rows("In the program")
    assert set(table) == set(others)
    assert [code for code, (status, _) in table.items() if status not in others[code]] == []


@pytest.mark.parametrize("code", sorted(told_over_http()))
def test_code_is_met_by_a_test(code: str) -> None:
    names = "|".join(rf"\b{kind.__name__}\b" for kind in classes().get(code, ()))
    wanted = re.compile(rf'["\']{code}["\']' + (f"|{names}" if names else ""))
    assert any(wanted.search(text) for text in texts_of_tests())


@cache
def texts_of_tests() -> list[str]:
    """Return every test's text but this one's and those that only list codes."""
    here = Path(__file__)
    return [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py") if path != here]
