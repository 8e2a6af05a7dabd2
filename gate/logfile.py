"""The gate's log as a file of lines: readable, with each record's exact bytes and the hash chain beside them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from gate.identity import Identity
from gate.keystore import read_b64url, write_b64url
from gate.sealing import FileTampered
from shared.clock import from_unix_ms
from shared.ids import EventId, GateId, IncarnationId
from shared.problems import CodeMalformed
from shared.sync.scan import GENESIS, LoggedRecord, decode_record, extend_chain

SEAL_FRAME = '{{"type":"signature","seal":"{}"}}'


class LogHeader(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="log"):
    """Whose log it is, how many records it has, and when it was written out."""

    version: Literal[1] = 1
    gate: GateId
    name: str
    event: EventId
    event_name: str
    incarnation: IncarnationId
    records: int
    made: datetime


class _Line(Struct, frozen=True, kw_only=True):
    seq: int
    body: str
    chain: str


def make_header(identity: Identity, incarnation: IncarnationId, records: int, made: datetime) -> LogHeader:
    """Return the first line of a gate's log."""
    return LogHeader(
        gate=identity.gate,
        name=identity.name,
        event=identity.event,
        event_name=identity.event_name,
        incarnation=incarnation,
        records=records,
        made=made,
    )


def write_header(header: LogHeader) -> bytes:
    """Return the first line."""
    return msgspec.json.encode(header) + b"\n"


def write_record(logged: LoggedRecord) -> bytes:
    """Return a record's line; ``at`` and ``record`` repeat for people what ``body`` says."""
    record = decode_record(logged.body)
    line = {
        "type": "record",
        "seq": logged.gate_seq,
        "at": from_unix_ms(record.at_ms),
        "record": record,
        "body": write_b64url(logged.body),
        "chain": logged.chain.hex(),
    }
    return msgspec.json.encode(line) + b"\n"


def check_log(content: bytes) -> LogHeader:
    """Return the header of a log in which every record follows from the one before and says what it seems to say.

    Raises:
        FileTampered: a record is missing, out of order or altered.
    """
    first, *lines = content.splitlines(keepends=True)
    try:
        header = msgspec.json.decode(first, type=LogHeader)
        previous = GENESIS
        for number, line in enumerate(lines, 1):
            previous = _follow(line, number, previous)
    except (msgspec.DecodeError, CodeMalformed) as exc:
        raise FileTampered(f"This log holds a line that no gate writes ({exc}).") from exc
    if header.records != len(lines):
        raise FileTampered(f"This log has {len(lines)} records and claims {header.records}.")
    return header


def _follow(line: bytes, number: int, previous: bytes) -> bytes:
    found = msgspec.json.decode(line, type=_Line)
    body = read_b64url(found.body)
    chain = extend_chain(previous, body)
    if line != write_record(LoggedRecord(gate_seq=number, body=body, chain=chain)):
        raise FileTampered(f"Record {number} of this log does not follow from the one before, or was altered.")
    return chain
