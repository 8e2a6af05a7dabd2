"""What a gate's data directory says, read beside an agent that may be working on it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from gate.identity import load_identity
from gate.keystore import load_keys
from gate.knowledge import Knowledge, KnowledgeParts
from gate.store.lock import LOCK_NAME
from gate.store.log import ScanLog, open_log, verify_records
from gate.store.problems import StoreDamaged, StoreNotWritable
from gate.store.world import World, open_world
from gate.trust import OrganiserTrust
from shared.clock import Clock, from_unix_ms
from shared.ids import EventId, GateId, IncarnationId, uuid7
from shared.problems import Unavailable
from shared.settings import Secret
from shared.sync.scan import GENESIS

_AT_ONCE = 1000


class Inventory(Struct, frozen=True, kw_only=True):
    """The disk's side of a gate: what it recorded, what it knows, and until when its keys last."""

    gate: GateId
    name: str
    event: EventId
    event_name: str
    server: str
    running: bool
    scans: int
    backlog: int
    admitted: int
    exited: int
    refused: int
    tickets: int
    feed_seq: int
    complete: bool
    confirmed: datetime | None
    keys_until: datetime | None
    bundle_version: int
    revoked: bool


class OpenedData(Struct, frozen=True, kw_only=True, eq=False):
    """A data directory, opened."""

    log: ScanLog
    world: World


def is_running(directory: Path) -> bool:
    """Say whether an agent holds the directory."""
    try:
        with (directory / LOCK_NAME).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@asynccontextmanager
async def open_data(directory: Path, clock: Clock) -> AsyncIterator[OpenedData]:
    """Open both stores; a gate that never ran gets empty ones. Of a disk that takes no files a copy is opened elsewhere.

    Raises:
        TicketTokenError: a file cannot be used; the message says what to do, and nothing was changed.
    """
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(_open_in(directory, clock))
        except StoreNotWritable:
            # Not even reading works there: what was being written when it stopped has to be settled first.
            place = Path(stack.enter_context(TemporaryDirectory(prefix="tickettoken-gate-")))
            await asyncio.to_thread(_copy, directory, place)
            opened = await stack.enter_async_context(_open_in(place, clock))
        yield opened


@asynccontextmanager
async def _open_in(directory: Path, clock: Clock) -> AsyncIterator[OpenedData]:
    async with AsyncExitStack() as stack:
        log = await open_log(directory, IncarnationId(uuid7(clock.now(), os.urandom)))
        stack.push_async_callback(log.close)
        world = await open_world(directory)
        stack.push_async_callback(world.close)
        yield OpenedData(log=log, world=world)


def _copy(directory: Path, place: Path) -> None:
    try:
        for file in directory.glob("*.db*"):
            if not file.name.endswith("-shm"):  # of a program that is gone; the next one makes its own
                shutil.copyfile(file, place / file.name)
    except OSError as exc:
        raise Unavailable(
            f"{directory} takes no files, and it cannot be copied to {place} to be read there ({exc.strerror}): name a "
            "directory with room in TMPDIR."
        ) from exc


async def take_inventory(directory: Path, clock: Clock, passphrase: Secret | None = None) -> Inventory:
    """Return what a data directory says.

    Raises:
        NotFound: the gate is not enrolled.
        TicketTokenError: a file cannot be used; the message says what to do.
    """
    identity = await asyncio.to_thread(load_identity, directory)
    keys = await asyncio.to_thread(load_keys, directory, passphrase)
    async with open_data(directory, clock) as data:
        trust = OrganiserTrust(directory, identity)
        parts = KnowledgeParts(identity=identity, trust=trust, keys=keys, log=data.log, world=data.world, clock=clock)
        knowledge = Knowledge(parts)
        state, head = await knowledge.load(), await data.log.head()
        counts = knowledge.counts()
        return Inventory(
            gate=identity.gate,
            name=identity.name,
            event=identity.event,
            event_name=knowledge.event_name,
            server=identity.server,
            running=await asyncio.to_thread(is_running, directory),
            scans=head.gate_seq,
            backlog=head.gate_seq - data.log.acked,
            admitted=counts.admitted,
            exited=counts.exited,
            refused=counts.refused,
            tickets=knowledge.tickets,
            feed_seq=state.feed_seq,
            complete=state.complete,
            confirmed=None if state.confirmed_ms is None else from_unix_ms(state.confirmed_ms),
            keys_until=knowledge.keys_until,
            bundle_version=knowledge.bundle_version,
            revoked=knowledge.revoked,
        )


async def verify_log(log: ScanLog) -> int:
    """Check every record's number and hash; return how many there are.

    Raises:
        StoreDamaged: a record is missing or was altered.
    """
    head, previous = (await log.head()).gate_seq, GENESIS
    for after in range(0, head, _AT_ONCE):
        upto = min(after + _AT_ONCE, head)
        records = await log.read_between(after, upto)
        if len(records) != upto - after or not verify_records(records, previous):
            raise StoreDamaged(
                f"{log.path}: a record between {after + 1} and {upto} is missing or was altered. Copy the file to a safe place "
                "and tell the organiser: the server holds what it acknowledged."
            )
        previous = records[-1].chain
    return head
