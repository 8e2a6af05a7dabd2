"""The command line: runs what was asked; each command's work is loaded only when it is called."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gate.cli_arguments import build_parser
from gate.settings import GateSettings, find_data_directory, read_settings
from shared.problems import Internal, TicketTokenError

__all__ = ["build_parser", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; problems are told in one line on stderr."""
    try:
        asked = build_parser().parse_args(arguments)
        return _dispatch(asked, read_settings(os.environ))
    except TicketTokenError as problem:
        return _complain(problem)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as exc:  # noqa: BLE001 - the last place: a person gets a sentence, the log gets the rest
        return _complain_of_fault(exc)


def _dispatch(asked: argparse.Namespace, settings: GateSettings) -> int:
    directory = find_data_directory(asked.data, settings, Path.home()) if "data" in asked else None
    from shared.logs import configure_logs  # noqa: PLC0415

    configure_logs(settings.log_level)
    # Each is loaded in its branch: a camera library or a web client would make every --help wait.
    if asked.command == "film":
        from gate.cli_film import film  # noqa: PLC0415

        return film(asked.script, asked.out, quiet=asked.quiet)
    if asked.command == "verify":
        from gate.cli_export import verify_here  # noqa: PLC0415

        return verify_here(asked.file, asked.key, as_json=asked.json)
    if directory is None:
        raise Internal(f"The command {asked.command} has no data directory: report this.")
    if asked.command == "enrol":
        from gate.cli_enrol import enrol_here  # noqa: PLC0415

        return enrol_here(directory, asked, settings)
    if asked.command == "run":
        from gate.cli_run import run_here  # noqa: PLC0415

        return run_here(directory, asked, settings)
    return _look_back(directory, asked, settings)


def _look_back(directory: Path, asked: argparse.Namespace, settings: GateSettings) -> int:
    """Run a command that only looks at what the gate has."""
    if asked.command == "status":
        from gate.cli_status import show_status  # noqa: PLC0415

        return show_status(directory, settings.passphrase, as_json=asked.json)
    if asked.command == "replay":
        from gate.cli_replay import replay_here  # noqa: PLC0415

        return replay_here(directory, asked, settings.passphrase)
    if asked.command == "export":
        from gate.cli_export import export_here  # noqa: PLC0415

        return export_here(directory, asked, settings.passphrase)
    from gate.checkup import Questions  # noqa: PLC0415
    from gate.cli_doctor import examine_here  # noqa: PLC0415

    return examine_here(
        directory, settings, Questions(source=asked.source, test_code=asked.test_code), as_json=asked.json
    )


def _complain(problem: TicketTokenError) -> int:
    sys.stderr.write(f"error: {problem}\n")
    return problem.exit_code


def _complain_of_fault(fault: Exception) -> int:
    import structlog  # noqa: PLC0415 - only now, when something is wrong

    structlog.get_logger().error("program.broke", exc_info=fault)
    sys.stderr.write(f"error: The gate broke ({type(fault).__name__}): start it again, and report this with its log.\n")
    return 1
