"""Keeping the broker in line with the database: accounts, queues and streams that should be there, none that should not.

The database says what is wanted; the broker is told, then that is noted. A crash between the two is repaired by telling
again, a broker that lost its memory by looking at it now and then.
"""

from __future__ import annotations

import structlog
from msgspec import Struct

from server.services.ports_broker import BrokerDatabase, BrokerOffice
from server.services.rows_broker import AccountRow
from shared.clock import Clock
from shared.sync.broker import name_account, name_stream

log = structlog.get_logger()


class Repairs(Struct, frozen=True, kw_only=True):
    """What an inspection put right."""

    granted: int = 0
    dismissed: int = 0
    streams: int = 0


class BrokerKeeper:
    """Carries out what is wanted, and looks whether it holds; one process at a time does so."""

    def __init__(self, office: BrokerOffice, book: BrokerDatabase, clock: Clock) -> None:
        self._office = office
        self._book = book
        self._clock = clock

    async def run_once(self) -> int:
        """Carry out what is wanted and not done yet; return how much that was.

        Raises:
            Unavailable: the broker's administration or the database is away.
            Denied: the administration does not take our account.
        """
        async with self._book.worker() as unit:
            due = [account for account in await unit.broker.accounts() if account.due]
            undeclared = [stream for stream in await unit.broker.streams() if stream.declared_at is None]
        # Who was revoked goes first.
        for account in sorted(due, key=lambda one: not one.revoked):
            await self._carry_out(account)
        for stream in undeclared:
            await self._office.declare_stream(stream.tenant, stream.event)
            async with self._book.worker() as unit:
                await unit.broker.mark_declared(stream, self._clock.now())
        return len(due) + len(undeclared)

    async def inspect(self) -> Repairs:
        """Look what the broker has, put right what differs, and return how much did.

        Raises:
            Unavailable, Denied: see ``run_once``.
        """
        await self._office.prepare()
        async with self._book.worker() as unit:
            accounts, streams = await unit.broker.accounts(), await unit.broker.streams()
        faults = await self._office.find_faults([account for account in accounts if not account.due])
        wanted_soon = {name_account(account.gate) for account in accounts if account.due and not account.revoked}
        for account in faults.lacking:
            await self._carry_out(account)
        strangers = [name for name in faults.strangers if name not in wanted_soon]
        for name in strangers:
            await self._office.dismiss(name)
        there = await self._office.list_streams()
        lost = [one for one in streams if one.declared_at and name_stream(one.tenant, one.event) not in there]
        for stream in lost:
            async with self._book.worker() as unit:
                await unit.broker.mark_lost(stream)
        repairs = Repairs(granted=len(faults.lacking), dismissed=len(strangers), streams=len(lost))
        if repairs != Repairs():
            log.warning(
                "broker.repaired", granted=repairs.granted, dismissed=repairs.dismissed, streams=repairs.streams
            )
        return repairs

    async def _carry_out(self, account: AccountRow) -> None:
        if account.revoked:
            await self._office.remove(account.tenant, account.gate)
            async with self._book.worker() as unit:
                await unit.broker.mark_removed(account, self._clock.now())
            log.info("broker.account_removed", gate=str(account.gate))
            return
        await self._office.grant(account)
        async with self._book.worker() as unit:
            await unit.broker.mark_applied(account)
        log.info("broker.account_made", gate=str(account.gate))
