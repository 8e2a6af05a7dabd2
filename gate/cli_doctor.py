"""`tickettoken-gate doctor`: is everything in order, and if not, what to do."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from gate.checkup import Checkup, Finding, Questions
from gate.settings import GateSettings
from shared.clock import SystemClock
from shared.problems import InputUnusable

_MARKS = {"ok": "ok     ", "warning": "WARNING", "failed": "FAILED "}


def examine_here(directory: Path, settings: GateSettings, asked: Questions, *, as_json: bool) -> int:
    """Print every check's answer; the exit status is 1 when one failed.

    Raises:
        InputUnusable: a code was asked for and no source to read it.
    """
    if asked.test_code and asked.source is None:
        raise InputUnusable("--test-code needs a camera to hold the code up to: give --source as well.")
    findings = asyncio.run(Checkup(directory, SystemClock(), asked, settings).run())
    healthy = all(finding.grade != "failed" for finding in findings)
    if as_json:
        sys.stdout.write(msgspec.json.encode({"healthy": healthy, "checks": findings}).decode() + "\n")
    else:
        sys.stdout.write("".join(_describe(finding) for finding in findings))
    return 0 if healthy else 1


def _describe(finding: Finding) -> str:
    return f"{_MARKS[finding.grade]}  {finding.check + ':':<16}{finding.message}\n"
