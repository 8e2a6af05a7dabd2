"""Pre migrations only add: programs of the version before run on the schema after them, and may be started on it again."""

from __future__ import annotations

import re

import pytest

from server.db.migrations import Migration, Phase, read_migrations

# What a program of the version before cannot bear, or would have to know of.
TAKES_AWAY = {
    "takes a table or column away": re.compile(r"DROP\s+(?:TABLE|COLUMN|TYPE|VIEW)"),
    "renames": re.compile(r"\bRENAME\b"),
    "demands what nobody wrote before": re.compile(r"SET\s+NOT\s+NULL"),
    "changes a type": re.compile(r"ALTER\s+COLUMN\s+\w+\s+(?:SET\s+DATA\s+)?TYPE"),
    "takes a right away": re.compile(r"\bREVOKE\b(?!.*\bPUBLIC\b)"),
    "adds a column that old rows and old programs leave empty": re.compile(
        r"ADD\s+COLUMN\s+(?:(?!,\s*ADD\b|;|DEFAULT|GENERATED).)*NOT\s+NULL(?:(?!,\s*ADD\b|;|DEFAULT|GENERATED).)*(?=,\s*ADD\b|;)",
        re.DOTALL,
    ),
}

SINCE = 22
"""The first version that anybody ran has all migrations before this one: nobody upgrades through the middle of them."""

PRE = [one for one in read_migrations() if one.phase is Phase.PRE and one.version >= SINCE]


def faults(sql: str) -> list[str]:
    """Return what a pre migration must not do and this one does."""
    bare = re.sub(r"--.*", "", sql)
    return [fault for fault, pattern in TAKES_AWAY.items() if pattern.search(bare)]


@pytest.mark.parametrize("migration", PRE, ids=lambda one: str(one.name))
def test_a_pre_migration_takes_nothing_away(migration: Migration) -> None:
    assert faults(migration.sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE a DROP COLUMN b;",
        "DROP TABLE a;",
        "ALTER TABLE a RENAME b TO c;",
        "ALTER TABLE a ALTER COLUMN b SET NOT NULL;",
        "ALTER TABLE a ALTER COLUMN b TYPE bigint;",
        "REVOKE SELECT ON a FROM tt_app;",
        "ALTER TABLE a ADD COLUMN b text NOT NULL;",
        "ALTER TABLE a ADD COLUMN b text NOT NULL, ADD COLUMN c text NOT NULL DEFAULT '';",
    ],
)
def test_one_that_does_is_noticed(sql: str) -> None:
    assert len(faults(sql)) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT '', ADD COLUMN c text;",
        "CREATE TABLE a (b text NOT NULL); DROP INDEX c;",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC; -- DROP TABLE a;",
    ],
)
def test_one_that_adds_is_left_alone(sql: str) -> None:
    assert faults(sql) == []
