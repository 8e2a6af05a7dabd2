"""What the gate would answer at a moment, decided beside its files: nothing is written down and nobody is told."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from gate.admit import AdmitParts, Post, Shown
from gate.clockbelief import ClockBelief
from gate.deciding import decide_on, make_record, name_gate
from gate.identity import load_identity
from gate.inspection import open_data
from gate.keystore import load_keys
from gate.knowledge import Knowledge, KnowledgeParts
from gate.ports import Journal, LogHead, Sighting, Tickets
from gate.selfcheck import ClockSelfCheck
from gate.trust import OrganiserTrust
from shared.admission.verdict import Reason
from shared.clock import ManualClock, from_unix_ms, unix_ms
from shared.codes.number import write_number
from shared.ids import ScanId
from shared.problems import Unavailable
from shared.settings import Secret
from shared.sync.scan import GENESIS, LoggedRecord, ScanRecord, encode_record, extend_chain, hash_code


class Answered(Struct, frozen=True, kw_only=True):
    """What the gate would have said: when, of which ticket, and why; ``prior`` is the admission a refusal points at."""

    at: datetime
    code: str
    number: str | None
    admitted: bool
    reason: Reason
    prior_at: datetime | None = None
    prior_gate: str | None = None
    skew_s: int | None = None


class Past:
    """The copy of the event with the passages that had happened by a moment."""

    def __init__(self, tickets: Tickets, until_ms: int) -> None:
        self._tickets = tickets
        self._until_ms = until_ms

    async def find(self, handle_hash: bytes) -> Sighting:
        """Return what is known of a handle, without what came later."""
        found = await self._tickets.find(handle_hash)
        return replace(found, admissions=[one for one in found.admissions if one.at_ms < self._until_ms])

    async def find_numbered(self, lowest: bytes, highest: bytes) -> list[bytes]:
        """Return the handle hashes between two, both included; five at most."""
        return await self._tickets.find_numbered(lowest, highest)


class Notepad:
    """A journal that begins with what the gate had recorded by a moment and goes on in memory alone."""

    def __init__(self, journal: Journal, until_ms: int) -> None:
        self._journal = journal
        self._until_ms = until_ms
        self._records: list[ScanRecord] = []

    async def head(self) -> LogHead:
        """Return where the log ends, with what is only remembered."""
        head = await self._journal.head()
        if not self._records:
            return head
        return LogHead(gate_seq=self._records[-1].gate_seq, hlc=self._records[-1].hlc)

    async def append(self, record: ScanRecord) -> LoggedRecord:
        """Remember one record."""
        self._records.append(record)
        body = encode_record(record)
        return LoggedRecord(gate_seq=record.gate_seq, body=body, chain=extend_chain(GENESIS, body))

    async def find_admissions(self, handle_hash: bytes) -> list[ScanRecord]:
        """Return the records of a ticket that admit or take an admission back, oldest first."""
        before = [one for one in await self._journal.find_admissions(handle_hash) if one.at_ms < self._until_ms]
        return before + [one for one in self._records if one.in_ledger and one.handle_hash == handle_hash]

    async def find_admitted(self, scan: ScanId) -> ScanRecord | None:
        """Return the admitting record of an id."""
        return next((one for one in self._records if one.scan == scan), None) or await self._journal.find_admitted(scan)

    async def last_records(self, records: int) -> list[ScanRecord]:
        """Return the last records, newest first."""
        mine = self._records[::-1][:records]
        return mine + await self._journal.last_records(records - len(mine)) if len(mine) < records else mine


class Rehearsal:
    """Answers codes one after the other, from a moment on; what it admits counts for what it is asked next."""

    def __init__(self, parts: AdmitParts, clock: ManualClock) -> None:
        self._parts = parts
        self._clock = clock
        self._began = clock.now()

    async def answer(self, text: str, shown_s: float) -> Answered:
        """Return the answer to a code shown so many seconds after the beginning; no earlier than the one before."""
        ahead = self._began + timedelta(seconds=shown_s) - self._clock.now()
        self._clock.advance(max(timedelta(0), ahead))
        decided = await decide_on(self._parts, Shown(text=text, taken_s=self._clock.monotonic()))
        verdict, handle_hash = decided.verdict, decided.examined.handle_hash
        if verdict.admitted and verdict.reason is not Reason.DOUBLE_READ:
            await self._parts.journal.append(make_record(self._parts, await self._parts.journal.head(), decided))
        prior = verdict.prior
        return Answered(
            at=decided.now,
            code=hash_code(text).hex(),
            number=write_number(handle_hash) if handle_hash is not None else None,
            admitted=verdict.admitted,
            reason=verdict.reason,
            prior_at=from_unix_ms(prior.at_ms) if prior is not None else None,
            prior_gate=name_gate(self._parts, decided.briefing, prior.gate) if prior is not None else None,
            skew_s=decided.examined.skew_s,
        )


@asynccontextmanager
async def open_rehearsal(directory: Path, at: datetime, passphrase: Secret | None) -> AsyncIterator[Rehearsal]:
    """Open a gate's files to ask what it would answer from a moment on; an agent may be working beside it.

    Tickets' states and the policy are those of now: a gate keeps no history of them. Passages are those until ``at``.

    Raises:
        NotFound: the gate is not enrolled.
        Unavailable: it has no tickets or keys.
        TicketTokenError: a file cannot be used.
    """
    identity = await asyncio.to_thread(load_identity, directory)
    keys = await asyncio.to_thread(load_keys, directory, passphrase)
    clock = ManualClock(at)
    async with open_data(directory, clock) as data:
        trust = OrganiserTrust(directory, identity)
        knowledge = Knowledge(
            KnowledgeParts(identity=identity, trust=trust, keys=keys, log=data.log, world=data.world, clock=clock)
        )
        await knowledge.load()
        if not knowledge.ready:
            raise Unavailable("This gate has no tickets or keys yet: run it once with the server in reach.")
        post = Post(
            gate=identity.gate,
            name=identity.name,
            direction=identity.direction,
            zones=identity.zones,
            products=identity.products,
        )
        parts = AdmitParts(
            post=post,
            journal=Notepad(data.log, unix_ms(at)),
            tickets=Past(data.world, unix_ms(at)),
            surroundings=knowledge,
            belief=ClockBelief(ClockSelfCheck(), clock),
            clock=clock,
            random_bytes=os.urandom,
        )
        yield Rehearsal(parts, clock)
