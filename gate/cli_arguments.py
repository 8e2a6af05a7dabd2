"""What a person may type after `tickettoken-gate`: every command with its options and examples."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from shared.arguments import CommandParser

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[CommandParser]

_EXAMPLES = """\
examples:
  tickettoken-gate enrol --server https://tickets.example.org TT1-...   make this machine a gate
  tickettoken-gate run                                                 scan with the first camera, on this screen
  tickettoken-gate run --headless --source rtsp://10.0.0.7/door        one line of JSON for each scan
  tickettoken-gate doctor --source 0                                   is everything in order?
  tickettoken-gate export --emergency html inside.html                 who is inside, to be printed

environment:
  TICKETTOKEN_GATE_DATA        the data directory (default ~/.local/share/tickettoken-gate)
  TICKETTOKEN_GATE_LOG_LEVEL   debug, info (default), warning or error
  TICKETTOKEN_GATE_PASSPHRASE  seals the gate's keys at enrolment and opens them later (…_FILE: a file that holds it)
  TICKETTOKEN_GATE_ALLOW_HTTP  1 lets the server be another machine without TLS: closed test networks only

exit status:
  0  done   1  a check failed or the program broke   2  the input cannot be used
  3  something needed is away; try again   4  stored data cannot be trusted or is exposed   130  interrupted
"""

_RUN_EXAMPLES = """\
examples:
  tickettoken-gate run                                       first camera, full screen
  tickettoken-gate run --area 25,10,50,80                    codes in the middle of the picture only
  tickettoken-gate run --camera torch=on,exposure=4          a lamp and a short exposure, if the driver has them
  tickettoken-gate run --source film.avi --pace none         a film, as fast as it can be read
  tickettoken-gate run --headless --source DIR --follow      films and pictures as they appear in a folder
  tickettoken-gate run --drill                               practise the screen; needs no server and no ticket
  tickettoken-gate run --open-command 'gpioset --toggle 500ms,0 relay=1'
  tickettoken-gate run --turnstile /dev/ttyUSB0              OPEN 17 for each admission; hears TURNED 17, IDLE 17
  tickettoken-gate run --turnstile gpio:/dev/gpiochip0:17    half a second of current on pin 17 for each admission
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
  tickettoken-gate doctor --source 0 --test-code             hold any ticket or QR code up to the camera

Exit status 1 if a check failed; a warning stops nobody.
"""

_REPLAY_EXAMPLES = """\
examples:
  tickettoken-gate replay door.avi --at 2026-06-20T19:42:00      what the gate answers to a film begun then
  tickettoken-gate replay pictures/ --at 2026-06-20T17:42:00Z --json

Nothing is recorded and nobody is told. Passages are those until --at; tickets' states and rules are those of now.
"""

_EXPORT_EXAMPLES = """\
examples:
  tickettoken-gate export north.log.jsonl                       this gate's own log, signed
  tickettoken-gate export --emergency text inside.txt && lp inside.txt
"""

_VERIFY_EXAMPLES = """\
examples:
  tickettoken-gate verify north.log.jsonl --key 3q2-7wAA...
  tickettoken-gate verify inside.html

Exit status 1 if something in the file was changed, 2 if it has no signature.
"""

_FILM_EXAMPLES = """\
examples:
  tickettoken-gate film drill.json drill.avi

drill.json: {"seed": 1, "people": [{"text": "THE CODE", "kind": "phone", "frames": 26, "pause_frames": 5}]}
kinds: phone, paper, dark_mode, small, dim, glare; "beside": "ANOTHER CODE" holds up two at once
"""


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
    doctor.add_argument(
        "--test-code", action="store_true", help="wait until the source has read a code held up to it (20 seconds)"
    )
    for command in (status, doctor):
        _add_data(command)
        command.add_argument("--json", action="store_true", help="as one JSON object")
    replay = _command(commands, "replay", "say what the gate answers to a recording, for disputes", _REPLAY_EXAMPLES)
    replay.add_argument("source", metavar="SOURCE", help="a film, or a folder of pictures")
    replay.add_argument("--at", metavar="TIME", help="when the recording began, ISO 8601 (default: now)")
    _add_data(replay)
    replay.add_argument("--json", action="store_true", help="as one JSON object")
    _add_export(
        _command(commands, "export", "write this gate's log, or who is inside, as a signed file", _EXPORT_EXAMPLES)
    )
    verify = _command(commands, "verify", "say whether a file is as a gate signed it", _VERIFY_EXAMPLES)
    verify.add_argument("file", type=Path, metavar="FILE", help="what export wrote")
    verify.add_argument("--key", metavar="KEY", help="the gate's key as export told it: no other counts")
    verify.add_argument("--json", action="store_true", help="as one JSON object")
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


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.add_argument(
        "--emergency", choices=("text", "html"), metavar="FORM", help="who is inside, to be printed: text or html"
    )
    _add_data(parser)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        default="0",
        metavar="SRC",
        help="camera number, device, rtsp:// address, film, folder, stdin, or none (default: the first camera)",
    )
    parser.add_argument(
        "--pace", choices=("real", "none"), default="real", help="films at their own pace, or at full speed"
    )
    parser.add_argument(
        "--camera",
        default="",
        metavar="SET",
        help="set the camera: torch=on, exposure=4 (ms, or auto), focus=120 (or auto)",
    )
    parser.add_argument(
        "--area",
        default="",
        metavar="PART",
        help="look for codes only in this part of the picture: left,top,width,height in percent, such as 25,10,50,80",
    )
    parser.add_argument("--follow", action="store_true", help="a folder: wait for new files")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen: one line of JSON for each scan on stdout")
    _add_source(parser)
    parser.add_argument("--exit-at-end", action="store_true", help="stop when the source has nothing more")
    parser.add_argument(
        "--drain-s", type=_seconds, default=10.0, metavar="N", help="seconds to hand over the log at the end"
    )
    parser.add_argument(
        "--wait", type=_seconds, metavar="N", help="seconds to wait for the server at the very first start"
    )
    _add_turnstile(parser)
    parser.add_argument("--json-log", type=Path, metavar="FILE", help="append the lines of --headless to a file, too")
    parser.add_argument(
        "--language", metavar="CODE", help="the screen's language: en, de (default: the one chosen last)"
    )
    parser.add_argument(
        "--drill", action="store_true", help="practise with made-up guests; nothing of it is kept or sent"
    )
    _add_data(parser)


def _add_turnstile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--open-command", metavar="COMMAND", help="a program to run for each admission: opens a turnstile"
    )
    parser.add_argument(
        "--turnstile", type=Path, metavar="PATH", help="a serial device to write OPEN to, or gpio:CHIP:LINE[:CONTACT]"
    )
    parser.add_argument(
        "--unused",
        choices=("take-back", "tell"),
        default="take-back",
        help="an admission after which the turnstile says that nobody went through: take it back, or only tell the staff",
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError("give seconds between 0 and 86400")
    return value
