"""What a gate says of printed codes counts when it shows that it held the code, and bars nobody when it does not."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from server.db.pool import open_database
from server.services.keys import KeyVault
from server.services.rows import TicketRow
from server.services.rows_gates import ScanRow
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.codes.capsule import CodePolicy
from shared.codes.keys import KeyRing, derive_handle
from shared.ids import ScanId, uuid7
from shared.sync.feed import AdmissionEntry
from shared.sync.scan import tag_seen
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage, open_policy, set_up_with


async def open_printing(database: Databases, clock: ManualClock, code_policy: int) -> AsyncIterator[Stage]:
    async with open_database(database.app_dsn, database.worker_dsn) as db:
        vault = KeyVault(KeyRing({"k1": os.urandom(32)}), os.urandom, clock)
        yield await set_up_with(db, vault, clock, open_policy(static_codes=True), code_policy)


@pytest.fixture
async def printing(database: Databases, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give an event whose tickets may be printed."""
    async for stage in open_printing(database, clock, int(CodePolicy.STATIC_ALLOWED)):
        yield stage


@pytest.fixture
async def phones_only(database: Databases, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give an event whose ticket type has no printed codes."""
    async for stage in open_printing(database, clock, 0):
        yield stage


async def handle_of(stage: Stage, ticket: TicketRow) -> bytes:
    async with stage.db.tenant(stage.tenant) as tx:
        master = (await stage.vault.masters(tx)).of(ticket.master)
    return derive_handle(master, ticket.id, ticket.generation)


async def scanned(stage: Stage, ticket: TicketRow, handle: bytes | None) -> tuple[ScanRow, list[AdmissionEntry]]:
    """Hand in one admission without a live code, tagged with a handle if one is given; return it and what gates hear."""
    gate = await stage.enrol()
    await stage.relay_all()
    before = (await stage.feed())[-1].seq
    scan = ScanId(uuid7(stage.clock.now(), os.urandom))
    tag = {} if handle is None else {"seen": tag_seen(handle, scan)}
    await gate.scan(ticket, scan=scan, proof=None, **tag)
    assert (await gate.hand_over()).ack.upto == 1
    await stage.relay_all()
    async with stage.db.tenant(stage.tenant) as tx:
        [row] = await tx.scans.list_of_event(stage.event, None, 10)
    return row, [one for one in await stage.feed(before) if isinstance(one, AdmissionEntry)]


async def test_a_sheet_that_was_held_up_counts_everywhere(printing: Stage) -> None:
    [ticket] = await printing.issue(1)
    row, told = await scanned(printing, ticket, await handle_of(printing, ticket))
    assert (row.proven, row.server_reason) == (True, Reason.OK)
    assert (await printing.ticket(ticket.id)).state is State.CHECKED_IN
    assert [one.admission.proven for one in told] == [False]


async def test_a_gate_that_only_says_so_spoils_no_printed_ticket(printing: Stage) -> None:
    [ticket] = await printing.issue(1)
    row, told = await scanned(printing, ticket, None)
    assert (row.admitted, row.proven, told) == (True, False, [])
    assert (await printing.ticket(ticket.id)).state is State.ACTIVE


async def test_another_tickets_handle_tags_nothing(printing: Stage) -> None:
    mine, theirs = await printing.issue(2)
    row, told = await scanned(printing, theirs, await handle_of(printing, mine))
    assert (row.proven, told) == (False, [])
    assert (await printing.ticket(theirs.id)).state is State.ACTIVE


async def test_a_tag_is_worth_nothing_where_codes_are_not_printed(phones_only: Stage) -> None:
    [ticket] = await phones_only.issue(1)
    row, told = await scanned(phones_only, ticket, await handle_of(phones_only, ticket))
    assert (row.proven, told) == (False, [])
    assert (await phones_only.ticket(ticket.id)).state is State.ACTIVE


async def test_a_tag_fits_its_own_scan_alone(printing: Stage) -> None:
    [ticket] = await printing.issue(1)
    gate = await printing.enrol()
    old = ScanId(uuid7(printing.clock.now(), os.urandom))
    await gate.scan(ticket, proof=None, seen=tag_seen(await handle_of(printing, ticket), old))
    await gate.hand_over()
    assert (await printing.ticket(ticket.id)).state is State.ACTIVE
