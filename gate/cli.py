"""The command line: what can be asked of a gate; each command's work is loaded only when it is called."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gate.settings import GateSettings, find_data_directory, read_settings
from shared.arguments import CommandParser
from shared.problems import Internal, TicketTokenError

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[CommandParser]

_EXAMPLES = """\
examples:
  tickettoken-gate enrol --server https://tickets.example.org TT1-...   make this machine a gate
  tickettoken-gate run                                                 scan with the first camera, on this screen
  tickettoken-gate run --headless --source rtsp://10.0.0.7/door        one line of JSON for each scan
  tickettoken-gate doctor --source 0                                   is everything in order?

environment:
  TICKETTOKEN_GATE_DATA        the data directory (default ~/.local/share/tickettoken-gate)
  TICKETTOKEN_GATE_LOG_LEVEL   debug, info (default), warning or error
  TICKETTOKEN_GATE_ALLOW_HTTP  1 lets the server be another machine without TLS: closed test networks only

exit status:
  0  done   1  a check failed or the program broke   2  the input cannot be used
  3  something needed is away; try again   4  stored data cannot be trusted or is exposed   130  interrupted
"""

_RUN_EXAMPLES = """\
examples:
  tickettoken-gate run                                       first camera, full screen
  tickettoken-gate run --source film.avi --pace none         a film, as fast as it can be read
  tickettoken-gate run --headless --source DIR --follow      films and pictures as they appear in a folder
  cat codes.txt | tickettoken-gate run --headless --source stdin --exit-at-end
"""

_ENROL_EXAMPLES = """\
examples:
  tickettoken-gate enrol --server https://tickets.example.org TT1-...
  tickettoken-gate enrol --server http://127.0.0.1:3004 --data ./south --name "South 2" TT1-...

The code counts once, for fifteen minutes. The gate's keys are made here and never leave this machine.
"""

_STATUS_EXAMPLES = """\
examples:
  tickettoken-gate status
  tickettoken-gate status --data ./south --json
"""

_DOCTOR_EXAMPLES = """\
examples:
  tickettoken-gate doctor
  tickettoken-gate doctor --source 0 --json

Exit status 1 if a check failed; a warning stops nobody.
"""

_FILM_EXAMPLES = """\
examples:
  tickettoken-gate film drill.json drill.avi

drill.json: {"seed": 1, "people": [{"text": "THE CODE", "kind": "phone", "frames": 26, "pause_frames": 5}]}
kinds: phone, paper, dark_mode, small, dim, glare
"""


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
    # Loaded here: a camera library or a web client would make every --help wait.
    directory = find_data_directory(asked.data, settings, Path.home()) if "data" in asked else None
    from shared.logs import configure_logs  # noqa: PLC0415

    configure_logs(settings.log_level)
    if asked.command == "film":
        from gate.cli_film import film  # noqa: PLC0415

        return film(asked.script, asked.out, quiet=asked.quiet)
    if directory is None:
        raise Internal(f"The command {asked.command} has no data directory: report this.")
    if asked.command == "enrol":
        from gate.cli_enrol import enrol_here  # noqa: PLC0415

        return enrol_here(directory, asked, settings)
    if asked.command == "run":
        from gate.cli_run import run_here  # noqa: PLC0415

        return run_here(directory, asked, settings)
    if asked.command == "status":
        from gate.cli_status import show_status  # noqa: PLC0415

        return show_status(directory, as_json=asked.json)
    from gate.cli_doctor import examine_here  # noqa: PLC0415

    return examine_here(directory, source=asked.source, as_json=asked.json)


def build_parser() -> CommandParser:
    """Return the parser of all commands."""
    parser = CommandParser(
        prog="tickettoken-gate",
        description="A gate: reads tickets' codes and lets people in, with or without a network.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_enrol(_command(commands, "enrol", "make this machine a gate with a one-time code", _ENROL_EXAMPLES))
    _add_run(_command(commands, "run", "scan tickets", _RUN_EXAMPLES))
    status = _command(commands, "status", "say what this gate knows and has not handed over yet", _STATUS_EXAMPLES)
    doctor = _command(
        commands, "doctor", "check keys, data, clock, server and camera, and say what to do", _DOCTOR_EXAMPLES
    )
    doctor.add_argument("--source", metavar="SRC", help="also open this source of codes")
    for command in (status, doctor):
        _add_data(command)
        command.add_argument("--json", action="store_true", help="as one JSON object")
    film = _command(commands, "film", "render a film of people holding up codes, for drills and tests", _FILM_EXAMPLES)
    film.add_argument("script", type=Path, metavar="SCRIPT", help="a film script (JSON)")
    film.add_argument("out", type=Path, metavar="OUT", help="the film to write (.avi or .mp4)")
    film.add_argument("--quiet", action="store_true", help="no progress")
    return parser


def _command(commands: Commands, name: str, summary: str, examples: str) -> CommandParser:
    return commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data directory")


def _add_enrol(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--server", required=True, metavar="URL", help="the ticket server's address")
    parser.add_argument("code", metavar="CODE", help="the one-time code an organiser made (TT1-…)")
    parser.add_argument("--name", help="call the gate so, instead of what the organiser chose")
    _add_data(parser)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen: one line of JSON for each scan on stdout")
    parser.add_argument(
        "--source",
        default="0",
        metavar="SRC",
        help="camera number, device, rtsp:// address, film, folder, stdin, or none (default: the first camera)",
    )
    parser.add_argument(
        "--pace", choices=("real", "none"), default="real", help="films at their own pace, or at full speed"
    )
    parser.add_argument("--follow", action="store_true", help="a folder: wait for new files")
    parser.add_argument("--exit-at-end", action="store_true", help="stop when the source has nothing more")
    parser.add_argument(
        "--drain-s", type=_seconds, default=10.0, metavar="N", help="seconds to hand over the log at the end"
    )
    parser.add_argument(
        "--wait", type=_seconds, metavar="N", help="seconds to wait for the server at the very first start"
    )
    parser.add_argument("--json-log", type=Path, metavar="FILE", help="append the lines of --headless to a file, too")
    parser.add_argument("--language", default="en", metavar="CODE", help="the screen's language (en, de)")
    _add_data(parser)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError("give seconds between 0 and 86400")
    return value


def _complain(problem: TicketTokenError) -> int:
    sys.stderr.write(f"error: {problem}\n")
    return problem.exit_code


def _complain_of_fault(fault: Exception) -> int:
    import structlog  # noqa: PLC0415 - only now, when something is wrong

    structlog.get_logger().error("program.broke", exc_info=fault)
    sys.stderr.write(f"error: The gate broke ({type(fault).__name__}): start it again, and report this with its log.\n")
    return 1
