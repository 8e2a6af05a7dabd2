"""`tickettoken-gate enrol`: this machine becomes a gate."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from gate.passphrase import check_passphrase
from gate.settings import GateSettings
from gate.sync.address import check_address
from gate.sync.enrol import EnrolmentOrder, EnrolmentResult, enrol
from gate.version import name_software
from shared.clock import SystemClock
from shared.problems import InputUnusable

_CLOCK_WORTH_A_WORD_S = 5.0
_LONGEST_CODE = 100


def enrol_here(directory: Path, asked: argparse.Namespace, settings: GateSettings) -> int:
    """Trade a one-time code for an identity and say what the gate is now.

    Raises:
        InputUnusable: the address cannot be used, or the code is far too long to be one.
        Conflict, ServerAway, NotOurServer, GateRefused, NotFound: see ``enrol``.
    """
    if len(asked.code) > _LONGEST_CODE:
        raise InputUnusable(
            "This is not an enrolment code: it begins with TT1- and has 42 letters and digits after that."
        )
    check_passphrase(settings.passphrase)
    order = EnrolmentOrder(
        server=check_address(asked.server, allow_http=settings.allow_http),
        code=asked.code,
        name=asked.name,
        software=name_software(),
        passphrase=settings.passphrase,
    )
    result = asyncio.run(enrol(directory, order, SystemClock()))
    sys.stdout.write(_describe(result, directory))
    return 0


def _describe(result: EnrolmentResult, directory: Path) -> str:
    identity, offset_s = result.identity, result.clock_offset_s
    lines = [
        f"This machine is now the gate “{identity.name}” of “{identity.event_name}” ({identity.direction.value}).",
        f"Its keys and data are in {directory}.",
    ]
    if abs(offset_s) > _CLOCK_WORTH_A_WORD_S:
        way = "ahead of" if offset_s > 0 else "behind"
        lines.append(f"Its clock is {abs(offset_s):.0f} s {way} the server's: set it, or codes will be refused as old.")
    lines.append(
        "Next: tickettoken-gate run" + ("" if directory.name == "tickettoken-gate" else f" --data {directory}")
    )
    return "\n".join(lines) + "\n"
