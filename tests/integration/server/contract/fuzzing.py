"""Schemathesis as a program of its own against a running server: it reads the description and tries to break the promise."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

SEED = 20260620
PATIENCE_S = 600
EXAMPLES_VARIABLE = "TICKETTOKEN_TEST_FUZZ_EXAMPLES"
"""How many cases an operation gets; the ordinary run takes few."""

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "use_after_free",
)


FIELDS = (
    ("body.eventId", "event"),
    ("body.tickets[*].ticketTypeId", "type"),
    ("body.ticketTypeId", "type"),
    ("body.reservationId", "reservation"),
    ("body.gateId", "gate"),
    ("query.eventId", "event"),
    ("query.event", "event"),
    ("query.ticketTypeId", "type"),
)
"""Fields that name something, and what they should mostly name: what is not there is soon tried."""


class Attack(Struct, frozen=True, kw_only=True):
    """One run: as whom, with which known ids, on which operations, and how thoroughly.

    ``shadowed`` are paths that other paths match as well, such as `/tickets/reserve` and `/tickets/{ticket}`: there another
    method is not unknown but leads to the other path.
    """

    url: str
    proofs: dict[str, str] = {}
    places: dict[str, str] = {}
    only: str = ""
    never: str = ""
    shadowed: list[str] = []
    phases: str = "examples,coverage,fuzzing,stateful"
    examples: int = 10


class Outcome(Struct, frozen=True, kw_only=True):
    """How a run ended: 0 if nothing was found; what it printed; how many calls it made."""

    status: int
    output: str


def examples_wanted(ordinary: int) -> int:
    """Return how many cases an operation gets."""
    return int(os.environ.get(EXAMPLES_VARIABLE, ordinary))


async def attack(plan: Attack) -> Outcome:
    """Run it to its end."""
    with tempfile.TemporaryDirectory(prefix="tickettoken-test-") as place:
        config = Path(place, "schemathesis.toml")
        config.write_text(_configure(plan), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            "--config-file",
            str(config),
            "run",
            f"{plan.url}/openapi.json",
            *_options(plan),
            cwd=place,
            env=os.environ | {"HOME": place, "PYTHONWARNINGS": "ignore"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
    return Outcome(status=process.returncode or 0, output=output.decode(errors="replace"))


def _options(plan: Attack) -> list[str]:
    wanted = [
        f"--seed={SEED}",
        f"--phases={plan.phases}",
        f"--max-examples={plan.examples}",
        "--generation-database=none",
        "--suppress-health-check=all",
        "--no-color",
        "--continue-on-failure",
        "--request-timeout=30",
        "--warnings=off",
        "--workers=1",
    ]
    wanted += [f"--include-path-regex={plan.only}"] if plan.only else []
    wanted += [f"--exclude-path-regex={plan.never}"] if plan.never else []
    return wanted


def _configure(plan: Attack) -> str:
    lines = ["[checks]", "enabled = false", *(f"{name}.enabled = true" for name in CHECKS)]
    lines += ["[auth.openapi]"] if plan.proofs else []
    lines += [f"{scheme} = {{ bearer = {json.dumps(token)} }}" for scheme, token in plan.proofs.items()]
    lines += [f"[dictionaries.{name}]\nvalues = [{json.dumps(value)}]" for name, value in plan.places.items()]
    lines += ["[parameters]"]
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.7 }}' for name in plan.places]
    lines += [
        f'"{field}" = {{ dictionary = "{name}", probability = 0.8 }}' for field, name in FIELDS if name in plan.places
    ]
    if plan.shadowed:
        lines += ["[[operations]]", f"include-path = {json.dumps(plan.shadowed)}"]
        lines += ["checks.unsupported_method.enabled = false", "checks.allow_header_conformance.enabled = false"]
    return "\n".join(lines) + "\n"
