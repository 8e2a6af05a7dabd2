"""`tickettoken-gate export` and `verify`: the gate's log or the list of who is inside as a signed file, and checking one."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import msgspec

from gate.files import write_private
from gate.identity import Identity, load_identity
from gate.inspection import OpenedData, open_data, verify_log
from gate.keystore import load_keys, write_b64url
from gate.listings import leave_mark
from gate.logfile import SEAL_FRAME, check_log, make_header, write_header, write_record
from gate.rollcall import HTML_FRAME, TEXT_FRAME, RollCall, draw_html, draw_text, find_inside
from gate.sealing import seal_file, unseal_file
from shared.admission.override import StaffAction
from shared.clock import SystemClock, from_unix_ms
from shared.ids import GateId
from shared.problems import InputUnusable, Unavailable
from shared.settings import Secret

_AT_ONCE = 1000
_LOG_START = b'{"type":"log"'


def export_here(directory: Path, asked: argparse.Namespace, passphrase: Secret | None) -> int:
    """Write the log, or the list of who is inside, as a signed file readable by its owner.

    Raises:
        NotFound: the gate is not enrolled.
        StoreDamaged: the log's chain is broken.
        Unavailable: the file cannot be written.
    """
    identity, keys = load_identity(directory), load_keys(directory, passphrase)
    if asked.emergency is None:
        _note_taking(directory, StaffAction.EXPORTED_LOG)
        content, what = asyncio.run(_write_log(directory, identity))
        frame = SEAL_FRAME
    else:
        _note_taking(directory, StaffAction.LISTED_INSIDE)
        call = asyncio.run(_call_roll(directory, identity))
        what, frame = f"{call.people} people inside", HTML_FRAME if asked.emergency == "html" else TEXT_FRAME
        content = (draw_html(call) if asked.emergency == "html" else draw_text(call)).encode()
    write_private(asked.out, seal_file(content, keys.sign, frame))
    key = write_b64url(keys.sign.public_key().public_bytes_raw())
    sys.stdout.write(f"{asked.out}: {what}, signed with the key {key}\n")
    return 0


def verify_here(path: Path, expected: str | None, *, as_json: bool) -> int:
    """Say whether a file is as a gate signed it.

    Raises:
        InputUnusable: it cannot be read or has no signature.
        FileTampered: it was altered, or another key signed it.
    """
    try:
        unsealed = unseal_file(path.read_bytes(), expected)
    except OSError as exc:
        raise InputUnusable(f"{path} cannot be read ({exc.strerror}).") from exc
    header = check_log(unsealed.content) if unsealed.content.startswith(_LOG_START) else None
    if as_json:
        told = {"intact": True, "key": unsealed.key, "log": header}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return 0
    held = f"{header.records} records of “{header.name}”, chain unbroken" if header is not None else "unchanged"
    sys.stdout.write(f"{path}: {held}, signed with the key {unsealed.key}\n")
    if expected is None:
        sys.stdout.write("Any key can sign: give --key to be sure that it is this gate's.\n")
    return 0


def _note_taking(directory: Path, action: StaffAction) -> None:
    """Have the gate put it on record; nothing here keeps it back, since somebody may be in danger, or the disk failing."""
    try:
        leave_mark(directory, action)
    except Unavailable as problem:
        sys.stderr.write(f"warning: this will not be on record: {problem}\n")


async def _write_log(directory: Path, identity: Identity) -> tuple[bytes, str]:
    clock = SystemClock()
    async with open_data(directory, clock) as data:
        records = await verify_log(data.log)
        lines = [write_header(make_header(identity, data.log.incarnation, records, clock.now()))]
        for after in range(0, records, _AT_ONCE):
            logged = await data.log.read_between(after, min(after + _AT_ONCE, records))
            lines += [write_record(record) for record in logged]
        return b"".join(lines), f"{records} records"


async def _call_roll(directory: Path, identity: Identity) -> RollCall:
    clock = SystemClock()
    async with open_data(directory, clock) as data:
        confirmed_ms = (await data.world.state()).confirmed_ms
        names = await _name_gates(data, identity)
        return RollCall(
            event=identity.event_name,
            gate=identity.name,
            made=clock.now(),
            confirmed=None if confirmed_ms is None else from_unix_ms(confirmed_ms),
            inside=await find_inside(data.log, data.world, identity.gate, names),
        )


async def _name_gates(data: OpenedData, identity: Identity) -> dict[GateId, str]:
    return {known.gate: known.name for known in await data.world.gates()} | {identity.gate: identity.name}
