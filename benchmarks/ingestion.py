"""Gates hand over what they wrote down without a network: how fast the server takes it, beside the bare insert of the same rows."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.paper_log import BATCH, House, Log, open_house
from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell
from server.domain.proof import check_proof
from server.services.ingest import take_batch
from server.services.rows import TicketRow
from server.services.rows_gates import ScanRow
from shared.clock import from_unix_ms
from shared.ids import ScanId
from shared.logs import configure_logs
from shared.problems import Internal
from shared.sync.scan import SignedBatch, decode_record
from shared.tickets.lifecycle import State

_SCANS, _QUICK_SCANS = 4_000, 200
_EXAMPLES = """  python -m benchmarks.ingestion
  python -m benchmarks.ingestion --quick --json
  python -m benchmarks.ingestion --tickets 20000      # a longer backlog, steadier figures
"""


class Took(Struct, frozen=True, kw_only=True):
    """Milliseconds something took: by the clock, and of this process's computing alone."""

    wall: float
    cpu: float


class Spent(Struct, frozen=True, kw_only=True):
    """What each batch took: all of it, the bare insert of such rows, and recomputing its proofs."""

    taken: list[Took]
    bare: list[Took]
    proofs: list[Took]

    def rows(self) -> list[Row]:
        """Return the figures; the ratio is of rates, so 1 would be as fast as the bare insert."""
        taken, bare, proofs = (sum(one.wall for one in many) for many in (self.taken, self.bare, self.proofs))
        scans = len(self.taken) * BATCH
        return [
            measure(f"take a batch of {BATCH}, ms", [one.wall for one in self.taken]),
            measure(f"bare insert and update of {BATCH}, ms", [one.wall for one in self.bare]),
            measure(f"proofs of {BATCH}, ms", [one.wall for one in self.proofs]),
            measure("server's computing for a batch, ms", [one.cpu for one in self.taken]),
            measure("computing for a bare insert, ms", [one.cpu for one in self.bare]),
            measure("computing for the proofs, ms", [one.cpu for one in self.proofs]),
            Row(what="scans a second", median=scans / taken * 1000, count=scans),
            Row(what="bare rows a second", median=scans / bare * 1000, count=scans),
            Row(what="rate, of the bare insert's", median=bare / taken, count=scans),
            Row(what="rate without proofs, of the bare insert's", median=bare / (taken - proofs), count=scans),
            Row(what="share of the proofs", median=proofs / taken, count=scans),
        ]


async def run(directory: Path, scans: int) -> Spent:
    """Hand one log over batch by batch, and write another's rows barely between the batches, on one database."""
    spent = Spent(taken=[], bare=[], proofs=[])
    async with open_house(directory, 2 * scans) as house:
        tell(f"{2 * scans} tickets are issued; now two gates write {scans} scans each")
        log = await house.write_log(house.tickets[:scans])
        other = await house.write_log(house.tickets[scans:])
        for signed, barely in zip(log.batches(), other.batches(), strict=True):
            part = slice(signed.batch.first_seq - 1, signed.batch.first_seq - 1 + len(signed.batch.records))
            spent.taken.append(await _take(house, log, signed))
            spent.bare.append(await _insert(house, _rows(house, other, barely), other.tickets[part]))
            spent.proofs.append(_prove(house, log, part))
    return spent


class _Watch:
    def __init__(self) -> None:
        self._began = (time.perf_counter(), time.process_time())

    def read(self) -> Took:
        wall_s, cpu_s = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        return Took(wall=wall_s * 1000, cpu=cpu_s * 1000)


async def _take(house: House, log: Log, signed: SignedBatch) -> Took:
    watch = _Watch()
    receipt = await take_batch(house.db, house.vault, log.caller, signed, house.clock.now())
    took = watch.read()
    if receipt.taken != len(signed.batch.records):
        raise Internal("The server did not take what the gate wrote.")
    return took


async def _insert(house: House, rows: list[ScanRow], tickets: list[TicketRow]) -> Took:
    after = [replace(ticket, state=State.CHECKED_IN, version=ticket.version + 1) for ticket in tickets]
    watch = _Watch()
    async with house.db.tenant(house.event.tenant) as tx:
        kept = await tx.scans.add_all(rows)
        moved = await tx.tickets.step_all(tickets, after, house.clock.now())
    took = watch.read()
    if (kept, moved) != (len(rows), len(tickets)):
        raise Internal("The bare insert did not write every row.")
    return took


def _prove(house: House, log: Log, part: slice) -> Took:
    watch = _Watch()
    if not all(check_proof(house.master, claim, house.window) for claim in log.claims[part]):
        raise Internal("A proof that was made here does not hold.")
    return watch.read()


def _rows(house: House, log: Log, signed: SignedBatch) -> list[ScanRow]:
    """Return what ingestion would store of a batch, made beforehand."""
    rows = []
    first = signed.batch.first_seq - 1
    for claim, body in zip(log.claims[first:], signed.batch.records, strict=False):
        record = decode_record(body)
        rows.append(
            ScanRow(
                gate=log.caller.gate,
                incarnation=log.incarnation,
                gate_seq=record.gate_seq,
                scan=ScanId(uuid4()),
                event=house.event.id,
                ticket=claim.ticket,
                generation=claim.generation,
                hlc=record.hlc,
                at=from_unix_ms(record.at_ms),
                received_at=house.clock.now(),
                direction=record.direction,
                admitted=True,
                reason=record.reason,
                mode=record.mode,
                proven=True,
                server_reason=record.reason,
                body=body,
                chain=bytes(32),
            )
        )
    return rows


def main(argv: list[str]) -> None:
    """Measure and print."""
    parser = make_parser(
        "ingestion",
        "Take a backlog of proven scans from a gate, beside the bare batched insert of such rows in the same run.",
        _EXAMPLES,
        tickets=f"scans of the backlog: {_SCANS}, quick: {_QUICK_SCANS}",
    )
    arguments = parser.parse_args(argv)
    configure_logs("warning")
    scans = max(BATCH, int(arguments.tickets or (_QUICK_SCANS if arguments.quick else _SCANS)) // BATCH * BATCH)
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the database runs as another account when this one is root
        spent = asyncio.run(run(Path(place), scans))
    notes = {
        "scans": f"{scans} (asked for: {arguments.tickets or scans}), each of a ticket of its own, at 18:05 of a day of keys",
        "database": "PostgreSQL, durable; client and server on the same cores",
    }
    report = Report(benchmark="ingestion", machine=describe_machine(), notes=notes, rows=spent.rows())
    show(report, as_json=arguments.json)


if __name__ == "__main__":
    main(sys.argv[1:])
