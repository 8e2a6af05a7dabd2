"""The reference of the command lines names every command, option and choice there is, and none that there is not."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import gate.cli
import server.cli

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
IN_ALL = {"-h", "--help"}


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield every command that has no commands of its own."""
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not inner:
        yield parser
    for action in inner:
        for command in action.choices.values():
            yield from leaves(command)


COMMANDS = {command.prog: command for one in (server.cli, gate.cli) for command in leaves(one.build_parser())}


def sections() -> dict[str, str]:
    """Return the reference's part on each command."""
    parts = re.split(r"^## (.+)$", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {title: text.partition("\n---\n")[0] for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def rows(text: str) -> dict[str, str]:
    """Return the tables' rows: what stands first in code, up to a space, and the whole line."""
    return {found[1]: found[0] for found in re.finditer(r"^\| `([^` ]+).*$", text, flags=re.MULTILINE)}


def names(command: argparse.ArgumentParser) -> set[str]:
    """Return a command's options and positional arguments as a person writes them."""
    found = {option for action in command._actions for option in action.option_strings} - IN_ALL
    return found | {str(action.metavar or action.dest) for action in command._actions if not action.option_strings}


def test_every_command_has_its_part_and_no_other() -> None:
    assert set(sections()) == set(COMMANDS)


@pytest.mark.parametrize("prog", COMMANDS)
def test_part_names_every_option_and_no_other(prog: str) -> None:
    told = {name for name in rows(sections()[prog]) if name.startswith("--") or name in names(COMMANDS[prog])}
    assert told == names(COMMANDS[prog])


@pytest.mark.parametrize("prog", COMMANDS)
def test_part_names_every_choice_and_default(prog: str) -> None:
    table = rows(sections()[prog])
    for action in COMMANDS[prog]._actions:
        name = action.option_strings[-1] if action.option_strings else str(action.metavar)
        for choice in action.choices or ():
            assert f"`{choice}`" in table[name], (name, choice)
        if isinstance(action.default, int | float) and not isinstance(action.default, bool):
            assert re.search(rf"\b{action.default:g}\b", table[name]), (name, action.default)
        if action.option_strings and action.metavar:
            assert f"`{name} {action.metavar}`" in table[name], name


@pytest.mark.parametrize("prog", COMMANDS)
def test_help_of_every_command_has_examples(prog: str) -> None:
    assert "examples:\n" in COMMANDS[prog].format_help()


@pytest.mark.parametrize("program", [server.cli, gate.cli])
def test_help_and_reference_agree_on_exit_statuses(program: object) -> None:
    listed = re.findall(r"^\| (\d+) \|", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    build = server.cli.build_parser if program is server.cli else gate.cli.build_parser
    told = build().format_help().partition("exit status:")[2]
    in_help = [number for number in listed if re.search(rf"(?:^|\s){number}  ?\S", told)]
    assert [number for number in listed if number != "130"] == [number for number in in_help if number != "130"]
