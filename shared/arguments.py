"""Command lines whose faults are told like every other: as a problem with one line that says what to do."""

from __future__ import annotations

import argparse
from typing import NoReturn

from shared.problems import InputUnusable


class ArgumentsUnusable(InputUnusable):
    """The command line asks for something there is not."""

    code = "arguments_unusable"


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises instead of printing its usage and leaving; its subcommands do the same."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            ArgumentsUnusable: always.
        """
        raise ArgumentsUnusable(f"{message}; `{self.prog} --help` shows what is possible")
