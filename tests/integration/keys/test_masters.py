"""A new master secret: what was made before stays as it is, what comes is made with the new one, and the old one can go."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from server.services.key_care import KEPT_AFTER_EVENT, retire_key
from server.services.key_rotation import rotate_master
from server.services.key_status import read_status
from server.services.problems import KeyNeeded, KeyRetired, KeyUnknown
from server.services.rows import KeyKind, TicketRow
from server.services.snapshot import Snapshots
from server.services.ticket_page import SignedTicketPages, Standing, make_ticket_link
from shared.admission.verdict import Reason
from shared.codes.keys import derive_handle, hash_handle
from shared.sync.feed import TicketEntry, TombstoneEntry
from shared.sync.wire import unpack_chunk
from shared.tickets.lifecycle import State
from tests.integration.keys.stage import Festival


async def rotate(festival: Festival) -> int:
    """Make a new master as another process does."""
    return await rotate_master(festival.elsewhere(), festival.stage.tenant)


async def handle_of(festival: Festival, ticket: TicketRow) -> bytes:
    """Return the hash of a ticket's present generation, by the master the row names."""
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        masters = await festival.elsewhere().vault.masters(tx)
    return hash_handle(derive_handle(masters.of(ticket.master), ticket.id, ticket.generation))


async def test_tickets_made_before_keep_handle_seed_and_codes(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    before = await festival.wallet(ticket)
    assert await rotate(festival) == 2
    after = await festival.wallet(ticket)
    assert (after.seed, after.capsules) == (before.seed, before.capsules)
    assert festival.look(await festival.reader(gate), after) is Reason.OK


async def test_tickets_made_afterwards_come_from_the_new_master(festival: Festival) -> None:
    gate, old = await festival.stage.enrol(), await festival.ticket()
    await rotate(festival)
    new = await festival.ticket()
    assert (old.master, new.master) == (1, 2)
    assert festival.look(await festival.reader(gate), await festival.wallet(new)) is Reason.OK
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        found = [
            await tx.tickets.find_handle(festival.stage.event, await handle_of(festival, one)) for one in (old, new)
        ]
    assert [(row.ticket, row.master) for row in found if row is not None] == [(old.id, 1), (new.id, 2)]


async def test_a_new_generation_takes_the_newest_master_and_buries_the_old_handle(festival: Festival) -> None:
    ticket = await festival.ticket()
    dead = await handle_of(festival, ticket)
    await rotate(festival)
    passed_on = await festival.stage.move(ticket.id, State.TRANSFERRED, new_generation=True)
    assert (passed_on.master, passed_on.generation) == (2, 1)
    await festival.stage.relay_all()
    entries = await festival.stage.feed()
    assert [entry.handle_hash for entry in entries if isinstance(entry, TombstoneEntry)] == [dead]
    alive = [entry.handle_hash for entry in entries if isinstance(entry, TicketEntry)]
    assert alive[-1] == await handle_of(festival, passed_on)


async def test_a_step_within_a_generation_keeps_its_master(festival: Festival) -> None:
    gate, ticket = await festival.stage.enrol(), await festival.ticket()
    before = await festival.wallet(ticket)
    await rotate(festival)
    await gate.scan(ticket)
    await gate.hand_over()
    stored = await festival.stage.ticket(ticket.id)
    assert (stored.state, stored.generation, stored.master) == (State.CHECKED_IN, 0, 1)
    assert (await festival.wallet(stored)).seed == before.seed
    await festival.stage.relay_all()
    told = {entry.handle_hash for entry in await festival.stage.feed() if isinstance(entry, TicketEntry)}
    assert told == {await handle_of(festival, ticket)}


async def test_a_snapshot_names_tickets_of_every_master(festival: Festival) -> None:
    old = await festival.ticket()
    await rotate(festival)
    new = await festival.ticket()
    stage = festival.stage
    snapshots = Snapshots(stage.db, stage.vault, festival.context.random_bytes)
    manifest = await snapshots.current(stage.tenant, stage.event, stage.clock.now())
    named = set()
    for n in range(len(manifest.chunks)):
        body = await snapshots.chunk(stage.tenant, stage.event, UUID(manifest.snapshot), n)
        named |= {entry.handle_hash for entry in unpack_chunk(body) if isinstance(entry, TicketEntry)}
    assert named == {await handle_of(festival, old), await handle_of(festival, new)}


async def test_scans_of_tickets_of_every_master_are_proven(festival: Festival) -> None:
    gate, old = await festival.stage.enrol(), await festival.ticket()
    await rotate(festival)
    new = await festival.ticket()
    for ticket in (old, new):
        await gate.scan(ticket)
    await gate.hand_over()
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        scans = await tx.scans.list_of_event(festival.stage.event, None, 10)
    assert {(scan.ticket, scan.proven) for scan in scans} == {(old.id, True), (new.id, True)}


async def test_links_signed_before_go_on_opening(festival: Festival) -> None:
    ticket = await festival.ticket()
    pages = SignedTicketPages(festival.context, festival.mint)
    early = await make_ticket_link(festival.context, festival.owner(ticket), ticket.id)
    await rotate(festival)
    late = await make_ticket_link(festival.context, festival.owner(ticket), ticket.id)
    shown = [await pages.open(link.path.removeprefix("/t/")) for link in (early, late)]
    assert [page.standing for page in shown] == [Standing.READY] * 2
    await festival.stage.move(ticket.id, State.TRANSFERRED, new_generation=True)
    page = await pages.open(early.path.removeprefix("/t/"))
    assert (page.standing, page.wallet) == (Standing.REPLACED, None)


async def test_a_master_is_retired_only_when_its_events_are_over_for_a_month(festival: Festival) -> None:
    ticket, tenant = await festival.ticket(), festival.stage.tenant
    await rotate(festival)
    with pytest.raises(KeyNeeded, match="1 codes of 1 events"):
        await retire_key(festival.context, tenant, KeyKind.MASTER, 1)
    ends = (await festival.stage.event_row()).policy.window.ends
    festival.clock.step_wall(ends + KEPT_AFTER_EVENT - festival.clock.now())
    await retire_key(festival.context, tenant, KeyKind.MASTER, 1)
    async with festival.stage.db.tenant(tenant) as tx:
        assert [row.id for row in await tx.keys.list_all(KeyKind.MASTER)] == [2]
        with pytest.raises(KeyRetired, match="Master secret 1"):
            (await festival.elsewhere().vault.masters(tx)).of(ticket.master)


async def test_the_newest_master_cannot_be_retired(festival: Festival) -> None:
    await festival.ticket()
    festival.clock.step_wall(timedelta(days=100))
    with pytest.raises(KeyNeeded, match="newest"):
        await retire_key(festival.context, festival.stage.tenant, KeyKind.MASTER, 1)
    with pytest.raises(KeyUnknown):
        await retire_key(festival.context, festival.stage.tenant, KeyKind.MASTER, 7)


async def test_status_counts_what_each_master_made(festival: Festival) -> None:
    ticket, _ = await festival.stage.issue(2)
    await rotate(festival)
    await festival.stage.move(ticket.id, State.TRANSFERRED, new_generation=True)
    status = await read_status(festival.context, festival.stage.tenant)
    assert [(one.number, one.generations, one.newest) for one in status.masters] == [(1, 2, False), (2, 1, True)]
