"""Keeping the broker in line with the database: accounts, queues and streams that should be there, none that should not.

The database says what is wanted; the broker is told, then that is noted. A crash between the two is repaired by telling
again, a broker that lost its memory by looking at it now and then.
"""

from __future__ import annotations

import msgspec
import structlog
from msgspec import Struct

from server.services.ports_broker import BrokerDatabase, BrokerOffice
from server.services.rows_broker import AccountRow, StreamRow
from shared.clock import Clock
from shared.sync.broker import base_of_stream, name_account, name_stream

log = structlog.get_logger()


class Repairs(Struct, frozen=True, kw_only=True):
    """What an inspection put right."""

    granted: int = 0
    dismissed: int = 0
    streams: int = 0
    remade: int = 0


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
            await self._office.declare_stream(stream)
            async with self._book.worker() as unit:
                await unit.broker.mark_declared(stream, self._clock.now())
        return len(due) + len(undeclared)

    async def inspect(self) -> Repairs:
        """Look what the broker has, put right what differs, and return how much did.

        Raises:
            Unavailable, Denied: see ``run_once``.
        """
        stuck = await self._office.find_stuck()
        for queue in stuck:
            log.error("broker.queue_stuck", queue=queue)
            await self._office.remake(queue)
        await self._office.prepare()
        # Streams first: another edition of one changes what accounts may read.
        streams = await self._inspect_streams()
        granted, dismissed = await self._inspect_accounts()
        repairs = Repairs(granted=granted, dismissed=dismissed, streams=streams, remade=len(stuck))
        if repairs != Repairs():
            log.warning("broker.repaired", **msgspec.structs.asdict(repairs))
        return repairs

    async def _inspect_accounts(self) -> tuple[int, int]:
        """Put accounts right; return how many were granted and how many dismissed."""
        async with self._book.worker() as unit:
            accounts = await unit.broker.accounts()
        faults = await self._office.find_faults([account for account in accounts if not account.due])
        wanted_soon = {name_account(account.gate) for account in accounts if account.due and not account.revoked}
        for account in faults.lacking:
            await self._carry_out(account)
        strangers = [name for name in faults.strangers if name not in wanted_soon]
        for name in strangers:
            await self._office.dismiss(name)
        return len(faults.lacking), len(strangers)

    async def _inspect_streams(self) -> int:
        """Note which streams are to be made again, let go of earlier editions, and return how many were lost or broken."""
        async with self._book.worker() as unit:
            streams = await unit.broker.streams()
        found = await self._office.list_streams()
        lost = 0
        for stream in streams:
            name = _name(stream)
            if name in found.broken:
                log.error("broker.stream_broken", stream=name)
                async with self._book.worker() as unit:
                    await unit.broker.mark_broken(stream)
            elif stream.declared_at is not None and name not in found.there:
                async with self._book.worker() as unit:
                    await unit.broker.mark_lost(stream)
            else:
                continue
            lost += 1
        # Earlier editions, and those of a database that was lost and restored: whoever reads one is to begin anew.
        known, wanted = {name_stream(one.tenant, one.event) for one in streams}, {_name(one) for one in streams}
        for name in sorted(set(found.there) - wanted):
            if base_of_stream(name) in known:
                await self._office.drop_stream(name)
        return lost

    async def _carry_out(self, account: AccountRow) -> None:
        if account.revoked:
            await self._office.remove(account.tenant, account.gate)
            async with self._book.worker() as unit:
                await unit.broker.mark_removed(account, self._clock.now())
            log.info("broker.account_removed", gate=str(account.gate))
            return
        if account.applied_hash not in {None, account.password_hash}:
            # Another password, perhaps another machine: whoever came with the older one goes.
            await self._office.dismiss(name_account(account.gate))
        await self._office.grant(account)
        async with self._book.worker() as unit:
            await unit.broker.mark_applied(account)
        log.info("broker.account_made", gate=str(account.gate))


def _name(stream: StreamRow) -> str:
    return name_stream(stream.tenant, stream.event, stream.edition)
