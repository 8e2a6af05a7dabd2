"""The doctor's look at what gates have at the broker: an account and a queue for each, a stream for each event."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from server.bus.gate_office import RabbitOffice, open_office
from server.doctor_messages import Seen
from server.gate_broker import GateBrokerPlan
from server.services.ports_broker import BrokerDatabase
from server.services.rows_broker import StreamRow
from shared.sync.broker import name_account, name_stream

_REPAIRED = "a running server puts it right within a minute"


async def compare_accounts(plan: GateBrokerPlan, database: BrokerDatabase) -> Seen:
    """Look whether the broker has the gates' accounts and the events' streams as they are wanted, and no others.

    Raises:
        Unavailable, Denied: the broker's management API or the database cannot be asked.
    """
    async with database.worker() as unit:
        accounts, streams = await unit.broker.accounts(), await unit.broker.streams()
    async with open_office(plan.management_url, plan.vhost) as office:
        faults = await office.find_faults([account for account in accounts if not account.due])
        there, broken = await _look_at_queues(office, streams)
    wanted = {name_account(account.gate) for account in accounts if account.due and not account.revoked}
    told = [
        f"{count} {what}"
        for count, what in (
            (sum(account.due for account in accounts), "accounts still to be made or removed"),
            (len(faults.lacking), "accounts missing or with other rights than wanted"),
            (len(set(faults.strangers) - wanted), "accounts of gates that nobody wants"),
            (sum(name_stream(one.tenant, one.event, one.edition) not in there for one in streams), "streams missing"),
            (len(broken), "streams or queues the broker cannot start"),
        )
        if count
    ]
    if told:
        return Seen(detail=f"{', '.join(told)}: {_REPAIRED}", warning=True)
    gates = sum(not account.revoked for account in accounts)
    return Seen(
        detail=f"{gates} gates have their accounts there, {len(streams)} events their streams, nobody else has any"
    )


async def _look_at_queues(office: RabbitOffice, streams: Sequence[StreamRow]) -> tuple[Collection[str], Sequence[str]]:
    found = await office.list_streams()
    wanted = {name_stream(one.tenant, one.event, one.edition) for one in streams}
    return found.there, [*sorted(wanted & set(found.broken)), *await office.find_stuck()]
