"""Reading and making codes, beside what the bare cryptography costs in the same run."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import Struct

from benchmarks.offline_gate import Event, make_event
from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show
from server.services.codes import CodeMint, CodeSubject
from server.services.epochs import EpochSecrets
from server.services.rows import EventRow, EventState, TicketRow, TicketTypeRow
from shared.codes import base45, chain
from shared.codes.capsule import SIZE
from shared.codes.reader import CodeRead, CodeReader, EpochKey
from shared.ids import TenantId, TicketId, TicketTypeId, UserId, VenueId
from shared.problems import Internal
from shared.tickets.lifecycle import State

_ROUNDS, _QUICK_ROUNDS = 300, 3
_HOUR_SLOT = 240
_DAY = timedelta(hours=24)
_SLOT_S = 15
_HEADER = 4
_EXAMPLES = """  python -m benchmarks.codes
  python -m benchmarks.codes --quick --json
  python -m benchmarks.codes --tickets 1000        # more tickets, steadier figures
"""


class Bench(Struct, frozen=True, kw_only=True, eq=False):
    """An event whose day of keys began at ``event.starts``, and how often each thing is done."""

    event: Event
    tickets: int

    @property
    def key(self) -> EpochKey:
        """Return what a gate holds for the day."""
        return self.event.key()

    def texts(self, slot: int) -> list[str]:
        """Return what the phones show in a slot."""
        at = self.event.starts + timedelta(seconds=_SLOT_S * (slot - 0.5))
        return [self.event.show(number, at) for number in range(1, self.tickets + 1)]

    def read(self, texts: list[str], slot: int) -> tuple[list[float], list[float]]:
        """Return the milliseconds of reading each code for the first time, and a slot later once more."""
        reader = CodeReader([self.key])
        now = self.event.starts + timedelta(seconds=_SLOT_S * (slot - 0.5))
        later = self.texts(slot + 1) if slot < chain.slot_count(self.key.starts, self.key.ends, _SLOT_S) else texts
        return [_read_one(reader, text, now) for text in texts], [_read_one(reader, text, now) for text in later]

    def bare(self, texts: list[str], slot: int) -> list[float]:
        """Return the milliseconds of the same codes' cryptography alone: one envelope, one signature, ``slot`` hashes."""
        return [self._bare_one(base45.decode(text), slot) for text in texts]

    def _bare_one(self, data: bytes, slot: int) -> float:
        envelope, issuer = AESSIV(self.event.envelope), self.event.issuer.public_key()
        header, sealed, value = data[:_HEADER], data[_HEADER:SIZE], data[SIZE + 2 :]
        bound = b"ttcap1" + self.event.id.bytes + header
        link = bytes(16 + 2) + value

        def work() -> None:
            opened = envelope.decrypt(sealed, [bound])
            issuer.verify(opened[44:], bound + opened[:44])
            for _ in range(slot):
                hashlib.sha256(link).digest()

        return _time(work)

    async def mint(self) -> tuple[list[float], list[float]]:
        """Return the milliseconds until a ticket's first capsule is there, and of asking for it once more."""
        mint, epoch = CodeMint(), _secrets_of(self.event)
        first: list[float] = []
        again: list[float] = []
        for _ in range(self.tickets):
            subject = _make_subject(self.event)
            for took in (first, again):
                began_s = time.perf_counter()
                await mint.capsules(subject, [epoch])
                took.append((time.perf_counter() - began_s) * 1000)
        return first, again

    def rows(self) -> list[Row]:
        """Measure everything."""
        last = chain.slot_count(self.key.starts, self.key.ends, _SLOT_S)
        rows: list[Row] = []
        for slot, name in ((1, "slot 1"), (_HOUR_SLOT, f"slot {_HOUR_SLOT}"), (last, "the last slot")):
            texts = self.texts(slot)
            bare = self.bare(texts, slot)
            first, again = self.read(texts, slot)
            rows += [
                measure(f"bare cryptography, {name}, ms", bare),
                measure(f"read a code, {name}, cold, ms", first),
                measure(f"the same ticket again, {name}, ms", again),
            ]
        made, kept = asyncio.run(self.mint())
        return [*rows, measure("make a day's capsule, ms", made), measure("the capsule once more, ms", kept)]


def _time(work: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    work()
    return (time.perf_counter() - began_s) * 1000


def _read_one(reader: CodeReader, text: str, now: datetime) -> float:
    began_s = time.perf_counter()
    read = reader.read(text, now)
    took_ms = (time.perf_counter() - began_s) * 1000
    if not isinstance(read, CodeRead):
        raise Internal("A code that was made for this moment was not read.")
    return took_ms


def _secrets_of(event: Event) -> EpochSecrets:
    key = event.key()
    return EpochSecrets(
        event=event.id,
        epoch=key.epoch,
        starts=key.starts,
        ends=key.ends,
        slot_s=key.slot_s,
        envelope_key=event.envelope,
        issuer=event.issuer,
        issuer_public=key.issuer,
    )


def _make_subject(event: Event) -> CodeSubject:
    ticket_type = _make_type(event)
    return CodeSubject(
        master=event.master,
        event=_make_event_row(event, ticket_type.tenant),
        ticket=_make_ticket(ticket_type),
        ticket_type=ticket_type,
    )


def _make_event_row(event: Event, tenant: TenantId) -> EventRow:
    window = event.policy.window
    return EventRow(
        tenant=tenant,
        id=event.id,
        venue_id=VenueId(uuid4()),
        name="Benchmark",
        state=EventState.OPEN,
        policy=event.policy,
        sale_starts=window.doors,
        sale_ends=window.ends,
        max_per_user=20,
        slot_s=_SLOT_S,
        epoch_zero=event.starts,
        epoch_s=int(_DAY.total_seconds()),
        reveal_at=event.starts,
        bundle_version=1,
    )


def _make_type(event: Event) -> TicketTypeRow:
    return TicketTypeRow(
        tenant=TenantId(uuid4()),
        id=TicketTypeId(uuid4()),
        event=event.id,
        product=1,
        name="Standing",
        price_cents=0,
        currency="EUR",
        zones=1,
        entries=0,
        code_policy=0,
        max_per_order=10,
        total=1,
        available=1,
        reserved=0,
        sold=0,
    )


def _make_ticket(ticket_type: TicketTypeRow) -> TicketRow:
    return TicketRow(
        tenant=ticket_type.tenant,
        id=TicketId(uuid4()),
        event=ticket_type.event,
        ticket_type=ticket_type.id,
        order=None,
        owner=UserId(uuid4()),
        holder_name="Guest",
        seat="",
        state=State.ACTIVE,
        generation=1,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )


def main() -> int:
    """Run the benchmark."""
    usual = f"{_ROUNDS}, quick: {_QUICK_ROUNDS}"
    parser = make_parser("codes", "Time reading and making codes beside the bare cryptography.", _EXAMPLES, usual)
    arguments = parser.parse_args()
    tickets = arguments.tickets or (_QUICK_ROUNDS if arguments.quick else _ROUNDS)
    rows = Bench(event=make_event(), tickets=tickets).rows()
    medians = {row.what: row.median for row in rows}
    ratio = medians[f"read a code, slot {_HOUR_SLOT}, cold, ms"] / medians[f"bare cryptography, slot {_HOUR_SLOT}, ms"]
    notes = {
        "codes": f"{tickets} tickets, a day of {_SLOT_S} s slots, one reader, nothing remembered at the first look",
        f"slot {_HOUR_SLOT}, an hour into the day": f"{ratio:.2f} times the bare cryptography",
    }
    show(Report(benchmark="codes", machine=describe_machine(), notes=notes, rows=rows), as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
