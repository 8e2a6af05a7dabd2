"""The broker is kept in line with the database: after a crash in between, a loss of memory, a stray hand."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiormq.exceptions import AMQPError
from msgspec import Struct

from server.bus.gate_office import RabbitOffice, open_office
from server.bus.queue_states import StreamNames
from server.doctor_gates import compare_accounts
from server.services.broker_access import offer_account
from server.services.broker_keeper import BrokerKeeper, Repairs
from server.services.rows_broker import AccountRow, StreamRow
from shared.clock import ManualClock
from shared.problems import Denied, Unavailable
from shared.settings import Secret
from shared.sync.access import BrokerAccess, open_access
from shared.sync.broker import UP, name_account, name_queue, name_stream
from tests.conftest import Databases
from tests.integration.broker.stage import plan_of
from tests.integration.broker.thief import breaking_in, consuming, publishing
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage, open_stage
from tests.services.plugin import VirtualHost


class Desk(Struct, frozen=True, kw_only=True, eq=False):
    """A keeper in a test's own hands: nothing happens by itself."""

    stage: Stage
    office: RabbitOffice
    keeper: BrokerKeeper
    vhost: VirtualHost

    async def offer(self, gate: PaperGate) -> BrokerAccess:
        """Write down that a gate shall have an account."""
        async with self.stage.db.tenant(self.stage.tenant) as tx:
            sealed = await offer_account(tx, plan_of(self.vhost).offer, gate.row, os.urandom)
        return open_access(sealed, gate.id, gate.seal)

    async def account(self, gate: PaperGate) -> AccountRow:
        """Return what is noted of a gate's account."""
        async with self.stage.db.worker() as unit:
            [row] = [row for row in await unit.broker.accounts() if row.gate == gate.id]
        return row

    async def stream(self) -> StreamRow:
        """Return what is noted of the event's stream."""
        async with self.stage.db.worker() as unit:
            [row] = await unit.broker.streams()
        return row

    async def opens(self, access: BrokerAccess) -> bool:
        """Say whether the broker lets an account in."""
        try:
            async with breaking_in(access) as thief:
                # An account that may say anything is as bad as none.
                return await thief.tries(publishing(UP, "words.0.0")) == "ChannelAccessRefused"
        except AMQPError:
            return False


@pytest.fixture
async def desk(database: Databases, clock: ManualClock, vhost: VirtualHost) -> AsyncIterator[Desk]:
    async with open_stage(database, clock) as stage, open_office(Secret(vhost.api_url), vhost.name) as office:
        keeper = BrokerKeeper(office, stage.db, clock)
        await office.prepare()
        yield Desk(stage=stage, office=office, keeper=keeper, vhost=vhost)


async def test_wishes_are_carried_out_once_and_a_crash_in_between_is_made_good(desk: Desk) -> None:
    gate = await desk.stage.enrol()
    access = await desk.offer(gate)
    assert not await desk.opens(access)
    # The broker was told and the program died before it noted that.
    await desk.office.grant(await desk.account(gate))
    assert (await desk.account(gate)).due
    assert await desk.keeper.run_once() == 2
    assert await desk.opens(access)
    assert await desk.keeper.run_once() == 0
    again = await desk.offer(gate)
    assert await desk.keeper.run_once() == 1
    assert (await desk.opens(access), await desk.opens(again)) == (False, True)
    await desk.stage.enrolment.revoke(desk.stage.tenant, gate.id, desk.stage.clock.now())
    await desk.office.remove(desk.stage.tenant, gate.id)
    assert await desk.keeper.run_once() == 1
    assert await desk.keeper.run_once() == 0
    assert not await desk.opens(again)
    # A wish that comes after the end opens nothing.
    late = await desk.offer(gate)
    assert await desk.keeper.run_once() == 1
    assert not await desk.opens(late)


async def test_what_differs_at_the_broker_is_put_right(desk: Desk) -> None:
    gates = [await desk.stage.enrol(name) for name in ("a", "b", "c", "d")]
    accesses = [await desk.offer(gate) for gate in gates]
    await desk.keeper.run_once()
    assert await desk.keeper.inspect() == Repairs()
    seen = await compare_accounts(plan_of(desk.vhost), desk.stage.db)
    assert (seen.warning, seen.detail[:7]) == (False, "4 gates")
    lost, loose, queueless, _ = gates
    tenant, vhost = desk.stage.tenant, desk.vhost.name
    await desk.office.ask("DELETE", f"users/{name_account(lost.id)}")
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    await desk.office.ask("PUT", f"permissions/{vhost}/{name_account(loose.id)}", everything)
    await desk.office.ask("DELETE", f"queues/{vhost}/{name_queue(tenant, queueless.id)}")
    await desk.office.ask("PUT", "users/gate.nobody", {"password": "x", "tags": ""})
    await desk.office.ask("PUT", f"permissions/{vhost}/gate.nobody", everything)
    await desk.office.ask("DELETE", f"queues/{vhost}/{name_stream(tenant, desk.stage.event)}")
    seen = await compare_accounts(plan_of(desk.vhost), desk.stage.db)
    assert seen.warning
    assert (
        "3 accounts missing or with other rights than wanted, 1 accounts of gates that nobody wants, 1 streams"
        in seen.detail
    )
    assert await desk.keeper.inspect() == Repairs(granted=3, dismissed=1, streams=1)
    assert await desk.keeper.run_once() == 1
    assert await desk.keeper.inspect() == Repairs()
    assert [await desk.opens(access) for access in accesses] == [True] * 4
    assert not await desk.opens(BrokerAccess(address=accesses[3].address, account="gate.nobody", password=Secret("x")))


class Pessimist(RabbitOffice):
    """An administration that takes a stream for broken, as the broker says of one that it cannot start."""

    broken: frozenset[str] = frozenset()

    async def list_streams(self) -> StreamNames:
        """Return the streams there; those named are broken."""
        found = await super().list_streams()
        return StreamNames(there=found.there, broken=self.broken & set(found.there))


async def test_a_stream_the_broker_cannot_start_is_followed_by_another_edition(desk: Desk) -> None:
    gate = await desk.stage.enrol()
    access = await desk.offer(gate)
    await desk.keeper.run_once()
    tenant, event = desk.stage.tenant, desk.stage.event
    names = [name_stream(tenant, event, edition) for edition in range(2)]
    async with aiohttp.ClientSession(desk.vhost.api_url) as session:
        office = Pessimist(session, desk.vhost.name)
        office.broken = frozenset(names[:1])
        keeper = BrokerKeeper(office, desk.stage.db, desk.stage.clock)
        # The account is given the right to read what is to come, and the stream is due again.
        assert await keeper.inspect() == Repairs(granted=1, streams=1)
        row = await desk.stream()
        assert (row.edition, row.declared_at) == (1, None)
        assert await keeper.run_once() == 1
        assert set((await office.list_streams()).there) == set(names)
        async with breaking_in(access) as thief:
            tried = [await thief.tries(consuming(name, **{"x-stream-offset": "first"})) for name in names]
        assert tried == ["ChannelAccessRefused", "done"]
        # What can be deleted of the earlier ones is; it is no repair that nothing else was amiss.
        assert await keeper.inspect() == Repairs()
        assert set((await office.list_streams()).there) == {names[1]}


async def test_accounts_of_others_who_share_the_broker_are_left_alone(desk: Desk) -> None:
    await desk.office.ask("PUT", "users/gate.of-another-house", {"password": "x", "tags": ""})
    try:
        assert await desk.keeper.inspect() == Repairs()
        assert b"gate.of-another-house" in await desk.office.ask("GET", "users")
    finally:
        await desk.office.ask("DELETE", "users/gate.of-another-house")


async def test_administration_that_is_away_or_refuses_is_named(desk: Desk) -> None:
    parts = desk.vhost.api_url.split("@")
    async with open_office(Secret("http://u:p@127.0.0.1:1"), desk.vhost.name) as office:
        with pytest.raises(Unavailable, match="RABBITMQ_MANAGEMENT_URL"):
            await office.prepare()
    async with open_office(Secret(f"http://nobody:wrong@{parts[1]}"), desk.vhost.name) as office:
        with pytest.raises(Denied, match="administrator"):
            await office.prepare()
