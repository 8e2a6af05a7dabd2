"""`tickettoken-gate enrol`: this machine becomes a gate."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from gate.catalogue.texts import LANGUAGES, load_catalogue
from gate.heart import beating
from gate.identity import is_enrolled
from gate.orders import load_orders
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
    order = _order(asked.server, asked.code, asked.name, settings)
    result = asyncio.run(enrol(directory, order, SystemClock()))
    sys.stdout.write(_describe(result, directory))
    return 0


def is_gate_or_becomes_one(directory: Path, language: str | None, settings: GateSettings) -> bool:
    """Ask on the screen where this machine is no gate yet; return False when somebody left without making it one.

    What is wrong with the files of a gate is told by whoever reads them, and a wipe that is due goes before everything.

    Raises:
        SettingsInvalid: there is no such language, or the passphrase cannot be used.
    """
    try:
        if load_orders(directory).wipe_due or is_enrolled(directory):
            return True
    except OSError:
        return True
    return asyncio.run(_enrol_on_screen(directory, settings, language or LANGUAGES[0]))


async def _enrol_on_screen(directory: Path, settings: GateSettings, language: str) -> bool:
    # Loaded here: a gate without a screen needs no terminal library.
    from gate.tui.cards import Wording  # noqa: PLC0415
    from gate.tui.display import detect_display  # noqa: PLC0415
    from gate.tui.enrol import EnrolApp, Enrolled  # noqa: PLC0415

    check_passphrase(settings.passphrase)
    wording = Wording(catalogue=load_catalogue(language), display=detect_display(os.environ))

    async def ask(server: str, code: str) -> Enrolled:
        result = await enrol(directory, _order(server, code, None, settings), SystemClock())
        who = result.identity
        return Enrolled(gate=who.name, event=who.event_name, clock_offset_s=result.clock_offset_s)

    with beating():
        return bool(await EnrolApp(ask, wording).run_async())


def _order(server: str, code: str, name: str | None, settings: GateSettings) -> EnrolmentOrder:
    if len(code) > _LONGEST_CODE:
        raise InputUnusable(
            "This is not an enrolment code: it begins with TT1- and has 42 letters and digits after that."
        )
    check_passphrase(settings.passphrase)
    return EnrolmentOrder(
        server=check_address(server, allow_http=settings.allow_http),
        code=code,
        name=name,
        software=name_software(),
        passphrase=settings.passphrase,
    )


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
