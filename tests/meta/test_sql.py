"""Statements live in .sql files: none is written, or put together, in Python."""

from __future__ import annotations

import ast
import re

import pytest

from tests.meta.sources import PACKAGES, Module, docstring_node, modules

EXCEPTIONS: frozenset[str] = frozenset()

STATEMENT = re.compile(
    r"""\s*(?:
        select\s.*\bfrom\b | select\s+[\w.]+\( | insert\s+(?:or\s+\w+\s+)?into\b | update\s+[\w.{}]+\s+set\b | delete\s+from\b
      | with\s+[\w{}]+\s+as\s*\( | (?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:temp\w*\s+)?(?:unique\s+)?
        (?:table|index|view|role|user|database|schema|function|policy|trigger|type|extension)\b
      | grant\s+\w+\s+on\b | revoke\s+\w+\s+on\b | truncate\s+(?:table\s+)?\w+ | pragma\s+\w+ | copy\s+\w+\s+(?:from|to)\b
      | (?:listen|notify)\s+\w+\s*(?:;|,|$) | set\s+(?:local\s+|session\s+)?[\w.]+\s*(?:=|to)\s | begin\s*;
      | begin\s+(?:immediate|exclusive|deferred|transaction)\b
      | vacuum\b | (?:release\s+)?savepoint\s+\w+ )""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
ALL_CAPITALS_OR_NONE = re.compile(r"\s*(?:[A-Z]+|[a-z]+)\b")


def is_statement(text: str) -> bool:
    """Tell SQL from a sentence, which would begin with one capital letter."""
    return bool(ALL_CAPITALS_OR_NONE.match(text) and STATEMENT.match(text))


def statements(module: Module) -> list[str]:
    """Return the places of string constants that are SQL; docstrings are prose."""
    prose = {id(node) for place in ast.walk(module.tree) if (node := docstring_node(place)) is not None}
    texts = [node for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and id(node) not in prose]
    return [
        f"{module.name}:{node.lineno}" for node in texts if isinstance(node.value, str) and is_statement(node.value)
    ]


def test_no_module_holds_a_statement() -> None:
    found = [place for module in modules(*PACKAGES) if module.name not in EXCEPTIONS for place in statements(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id FROM tickets",
        "select set_config('app.tenant', $1, true)",
        "\n  INSERT INTO scans VALUES (?)",
        "UPDATE tickets SET state = 'used'",
        "CREATE UNIQUE INDEX one ON two (three)",
        "PRAGMA journal_mode=WAL",
        "NOTIFY feed",
        "BEGIN IMMEDIATE",
        "WITH due AS (SELECT 1)",
        "SET LOCAL app.tenant = 'x'",
    ],
)
def test_the_rule_knows_a_statement(text: str) -> None:
    assert is_statement(text)


@pytest.mark.parametrize("text", ["Select a ticket from the list", "update", "set", "drop the oldest frame", "create"])
def test_the_rule_leaves_prose_alone(text: str) -> None:
    assert not is_statement(text)
