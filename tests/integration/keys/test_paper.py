"""Codes on paper through three days, rotations and transfers, and the same rule at the door for them as for any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gate.examine import state_facts
from gate.ports import Sighting
from server.domain.access import Role, User
from server.services.event_requests import PolicyChanges
from server.services.events import change_policy
from server.services.key_rotation import rotate_event
from server.services.paper import PaperCode, fill_sheet, show_paper_code
from server.services.problems import CodeOver, StaticCodeNotAllowed, TicketUnknown
from server.services.rows import TicketRow
from shared.admission.policy import Place, Policy
from shared.admission.presence import Presence
from shared.admission.rule import decide
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.codes.capsule import CodePolicy, Profile
from shared.codes.reader import CodeRead, CodeReader
from shared.ids import GateId
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.keys.stage import DAY, Festival, long_policy, open_festival, stranger
from tests.integration.server.doors.stage import DOORS
from tests.integration.server.selling.test_codes import rotate


@pytest.fixture
async def paper(database: Databases, clock: ManualClock) -> AsyncIterator[Festival]:
    """Give the event with codes on paper, for every ticket."""
    policy = long_policy(static_codes=True)
    async with open_festival(database, clock, policy, code_policy=CodePolicy.STATIC_ALLOWED) as opened:
        yield opened


async def print_code(paper: Festival, ticket: TicketRow) -> PaperCode:
    """Return what the owner prints now."""
    return await show_paper_code(paper.context, paper.owner(ticket), ticket.id)


def admit(festival: Festival, reader: CodeReader, text: str, policy: Policy) -> Reason:
    """Return what a gate says to a code on paper that it knows nothing else of."""
    read = reader.read(text, festival.clock.now())
    if not isinstance(read, CodeRead):
        return read.reason
    facts = state_facts(read, Sighting(ticket=None, superseded=False, admissions=[]))
    place = Place(gate=GateId(stranger()))
    return decide(facts, Presence(), policy, place, festival.clock.now()).reason


async def test_a_printed_code_is_read_on_every_day_of_the_event(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    paper.clock.step_wall(-20 * DAY)
    code = await print_code(paper, ticket)
    assert len(code.qr_data) == 192
    paper.clock.step_wall(20 * DAY)
    for _ in range(3):
        reader = await paper.reader(gate)
        assert admit(paper, reader, code.qr_data, long_policy(static_codes=True)) is Reason.OK
        paper.clock.advance(DAY)


async def put_off(paper: Festival, by: timedelta) -> None:
    """Have the event take place another day."""
    event = await paper.stage.event_row()
    organiser = User(tenant=paper.stage.tenant, user=stranger(), role=Role.VENUE_MANAGER)
    then = DOORS + by
    changes = PolicyChanges(version=event.version, doors_at=then, starts_at=then, ends_at=then + DAY)
    await change_policy(paper.context, organiser, event.id, changes)


async def test_a_printed_code_outlives_a_postponement(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    printed = (await print_code(paper, ticket)).qr_data
    await put_off(paper, 9 * DAY)
    paper.clock.advance(9 * DAY)
    reader = await paper.reader(gate)
    for text in (printed, (await print_code(paper, ticket)).qr_data):
        assert isinstance(reader.read(text, paper.clock.now()), CodeRead)


async def test_paper_printed_after_a_gate_was_revoked_does_not_open_for_it(paper: Festival) -> None:
    stolen, gate, ticket = await paper.stage.enrol("west"), await paper.stage.enrol("east"), await paper.ticket()
    await put_off(paper, 9 * DAY)
    paper.clock.advance(2 * DAY)
    before, had = (await print_code(paper, ticket)).qr_data, await paper.reader(stolen)
    await paper.stage.enrolment.revoke(paper.stage.tenant, stolen.id, paper.clock.now())
    after, has = (await print_code(paper, ticket)).qr_data, await paper.reader(gate)
    now = paper.clock.now()
    assert [isinstance(has.read(text, now), CodeRead) for text in (before, after)] == [True, True]
    assert [isinstance(had.read(text, now), CodeRead) for text in (before, after)] == [True, False]


async def test_printing_again_gives_the_same_code(paper: Festival) -> None:
    ticket = await paper.ticket()
    first = await print_code(paper, ticket)
    paper.clock.advance(timedelta(hours=1))
    assert await print_code(paper, ticket) == first


async def test_a_printed_code_has_no_live_part(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    read = (await paper.reader(gate)).read((await print_code(paper, ticket)).qr_data, paper.clock.now())
    assert isinstance(read, CodeRead)
    assert (read.capsule.header.profile, read.proof, read.skew_slots) == (Profile.STATIC, None, None)
    assert read.capsule.anchor == bytes(16)


async def test_an_event_that_takes_no_paper_refuses_what_was_printed(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    code, reader = await print_code(paper, ticket), await paper.reader(gate)
    assert admit(paper, reader, code.qr_data, long_policy(static_codes=False)) is Reason.STATIC_CODE_REFUSED
    assert admit(paper, reader, code.qr_data, long_policy(static_codes=True)) is Reason.OK


async def test_a_live_capsule_without_its_live_part_is_no_printed_code(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    live = rotate(await paper.wallet(ticket), paper.clock)
    cut = live[:192]
    reader = await paper.reader(gate)
    assert admit(paper, reader, cut, long_policy(static_codes=True)) is Reason.STATIC_CODE_REFUSED


async def test_a_ticket_that_changed_hands_has_another_printed_code(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    before = await print_code(paper, ticket)
    passed_on = await paper.stage.move(ticket.id, State.TRANSFERRED, new_generation=True)
    after = await print_code(paper, passed_on)
    reader = await paper.reader(gate)
    reads = [reader.read(code.qr_data, paper.clock.now()) for code in (before, after)]
    handles = {read.capsule.claims.handle for read in reads if isinstance(read, CodeRead)}
    assert len(handles) == 2


async def test_printed_codes_outlive_scheduled_rotations_and_not_emergencies(paper: Festival) -> None:
    gate, ticket = await paper.stage.enrol(), await paper.ticket()
    policy = long_policy(static_codes=True)
    printed = (await print_code(paper, ticket)).qr_data
    paper.clock.advance(DAY)
    await rotate_event(paper.elsewhere(), paper.stage.tenant, paper.stage.event, at_once=False)
    assert admit(paper, await paper.reader(gate), printed, policy) is Reason.OK
    paper.clock.advance(2 * DAY - timedelta(hours=2))
    rotated = await rotate_event(paper.elsewhere(), paper.stage.tenant, paper.stage.event, at_once=True)
    assert rotated.paper_codes
    reader = await paper.reader(gate)
    assert admit(paper, reader, printed, policy) is Reason.OK
    paper.clock.advance(paper.context.overlap)
    assert admit(paper, reader, printed, policy) is Reason.EPOCH_UNKNOWN
    assert admit(paper, reader, (await print_code(paper, ticket)).qr_data, policy) is Reason.OK


async def test_only_the_owner_prints_and_only_while_the_ticket_counts(paper: Festival) -> None:
    ticket = await paper.ticket()
    with pytest.raises(TicketUnknown):
        await show_paper_code(paper.context, replace(paper.owner(ticket), user=stranger()), ticket.id)
    await paper.stage.move(ticket.id, State.REVOKED)
    with pytest.raises(CodeOver, match="revoked"):
        await print_code(paper, ticket)


@pytest.mark.parametrize(("by_event", "by_type"), [(True, 0), (False, CodePolicy.STATIC_ALLOWED), (False, 0)])
async def test_paper_needs_the_types_and_the_events_consent(
    database: Databases, clock: ManualClock, by_event: bool, by_type: int
) -> None:
    async with open_festival(database, clock, long_policy(static_codes=by_event), code_policy=by_type) as refusing:
        ticket = await refusing.ticket()
        with pytest.raises(StaticCodeNotAllowed):
            await print_code(refusing, ticket)
        with pytest.raises(StaticCodeNotAllowed):
            await fill_sheet(refusing.context, refusing.owner(ticket), ticket.id)
