"""The benchmarks run from start to end and report what they promise; how fast is not asked here."""

from __future__ import annotations

import sys

import pytest
from msgspec import json

from benchmarks.report import Report
from tests.acceptance.house import fresh_place
from tests.acceptance.programs import call, processes_of

PROMISED = {
    "scan_to_verdict": {
        "picture without a code, ms",
        "decode the picture that settled it, ms",
        "verify the code, ms",
        "look up and apply the rule, ms",
        "make the record durable, ms",
        "decoded to verdict, ms",
        "picture to verdict, ms",
    },
    "snapshot_load": {
        "server builds the snapshot, s",
        "gate loads it, s",
        "gate's memory while loading, MB",
        "agent: server's first word to ready, s",
        "agent: command to ready, s",
        "agent's memory, MB",
    },
    "codes": {
        "bare cryptography, slot 240, ms",
        "read a code, slot 240, cold, ms",
        "read a code, the last slot, cold, ms",
        "the same ticket again, the last slot, ms",
        "make a day's capsule, ms",
    },
}
PROMISED["selling_load"] = {
    f"{what}{kind}, ms"
    for what in ("reserve and purchase", "tickets, page 1", "show a code", "check in")
    for kind in ("", ", p95", ", without HTTP")
} | {
    "tickets, page 25, ms",  # the last of 500 tickets
    *(f"pgbench, {what}, ms" for what in ("an order", "tickets, page 1", "one ticket", "show a code", "check in")),
}
PROMISED["door_load"] = {
    f"{what}, {how}, {unit}"
    for what in ("validate", "check in", "check in once more")
    for how in ("1 connection", "8 connections", "32 connections")
    for unit in ("per second", "ms", "p95, ms")
} | {"pgbench, 1 client, per second", "pgbench, 8 clients, per second"}
PROMISED["decoders"] = {
    f"{reader}: {what}"
    for reader in (
        *("the gate's pipeline", "pipeline with zbar", "pipeline in the middle", "following reader"),
        *("zxing-cpp", "pyzbar", "OpenCV"),
    )
    for what in (
        "picture with a code, ms",
        "picture without a code, ms",
        "all, % read",
        "% read per ms",
        "glare, % read",
        "film, % read",
        "film, pictures until read",
        "film, mean ms a picture",
    )
}
PROMISED["big_house"] = {
    f"{house}: {what}"
    for house in ("small house", "big house")
    for what in ("load, s", "highest memory while loading, MB", "look-up, microseconds")
}
PROMISED["soak"] = {
    "memory after hour 8, MB",
    "growth from the first hour to the last, MB",
    "scan in the first hour, ms",
    "scan in the last hour, ms",
}
PROMISED["ops_viewers"] = {
    "scan to the viewer's figures, ms",
    "server's processor, nobody watching, %",
    "server's processor, watched, %",
}
PROMISED["ingestion"] = {
    "take a batch of 200, ms",
    "bare insert and update of 200, ms",
    "proofs of 200, ms",
    "rate, of the bare insert's",
    "share of the proofs",
}
PROMISED["minting"] = {
    "node alone, mints a second",
    "whole pipeline, mints a second",
    "pipeline, of the node's rate",
    "check in, no chain, ms",
    "check in, chain away, ms",
}
PROMISED["over_broker"] = {
    "stream begun with the snapshot, s",
    "new gate loads the snapshot from the stream, s",
    "commit to applied, ms",
    "all scans stored and acknowledged, s",
    "scans a second",
}
TICKETS = {"codes": "20", "door_load": "200", "decoders": "1", "soak": "1", "minting": "12"}


@pytest.mark.parametrize("name", PROMISED)
def test_quick_run_reports_everything_and_leaves_nothing(name: str) -> None:
    with fresh_place() as place:
        temporary = place / "temporary"
        temporary.mkdir(mode=0o711)
        tickets = TICKETS.get(name, "500")
        command = [sys.executable, "-m", f"benchmarks.{name}", "--quick", "--json", "--tickets", tickets]
        said = call(command, {"TMPDIR": str(temporary)}, timeout_s=240)
        assert said.status == 0, said.errors
        report = json.decode(said.output.encode(), type=Report)
        assert PROMISED[name] <= {row.what for row in report.rows}
        assert all(row.median >= 0 and row.count >= 1 for row in report.rows)
        assert any(tickets in note for note in report.notes.values())
        assert report.machine.cores >= 1
        assert not any(temporary.iterdir())
        assert processes_of(temporary) == set()


@pytest.mark.parametrize("name", PROMISED)
def test_benchmark_explains_itself(name: str) -> None:
    said = call([sys.executable, "-m", f"benchmarks.{name}", "--help"])
    assert said.status == 0
    assert "--quick" in said.output
    assert "examples:" in said.output
