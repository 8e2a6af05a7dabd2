"""The cables between gates and a real broker: each a TCP proxy of its own, through which the gate connects with its account."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from msgspec.structs import replace

from gate.sync.broker_address import read_broker_address
from gate.sync.broker_channel import BrokerTarget
from gate.sync.link_amqp import BrokerSelf
from gate.sync.problems import ServerAway
from server.services.broker_access import BrokerOffer, offer_account
from shared.sync.access import BrokerAccess, open_access
from tests.integration.broker.stage import plan_of
from tests.services.plugin import VirtualHost
from tests.services.wire import Wire, open_wire
from tests.simulation.broker_line import Line, open_line
from tests.simulation.hall import Hall, Post

_PATIENCE_S = 60.0


class Cables:
    """One cable for each gate."""

    def __init__(self, vhost: VirtualHost, hall: Hall, posts: list[Post]) -> None:
        self._vhost = vhost
        self._hall = hall
        self._posts = posts
        self._access: list[BrokerAccess] = []
        self._wires: list[Wire] = []
        self._parted: set[int] = set()
        self._dark = False
        self._breaks = [0] * len(posts)
        self._dialled: dict[Line, int] = {}
        self._stack = AsyncExitStack()

    @property
    def laid(self) -> bool:
        """Whether there are any."""
        return bool(self._wires)

    async def lay(self) -> None:
        """Lay them, and ask for an account for each gate."""
        port = urlsplit(self._vhost.url).port
        assert port is not None
        offer = BrokerOffer(address=plan_of(self._vhost).address)
        async with self._hall.db.tenant(self._hall.tenant) as tx:
            for post in self._posts:
                sealed = await offer_account(tx, offer, post.row, os.urandom)
                self._access.append(open_access(sealed, post.row.id, post.keys.seal))
                self._wires.append(await self._stack.enter_async_context(open_wire(port)))
        for gate in self._parted:
            self._wires[gate].part()

    def part(self, gates: Collection[int]) -> None:
        """Break these gates' connections, and every new one."""
        self._parted.update(gates)
        self._break(gates)

    def mend(self, gates: Collection[int]) -> None:
        """Let these gates connect again."""
        self._parted.difference_update(gates)
        self._join(gates)

    def darken(self) -> None:
        """Break all connections: there is no broker."""
        self._dark = True
        self._break(range(len(self._posts)))

    def lighten(self) -> None:
        """Let those connect again who are not cut off."""
        self._dark = False
        self._join(set(range(len(self._posts))) - self._parted)

    def hold(self, gate: int, line: Line) -> bool:
        """Say whether the cable of a gate has not been broken since this link was made."""
        return self._dialled.get(line) == self._breaks[gate]

    async def dial(self, gate: int) -> Line:
        """Connect a gate; raises ServerAway while its cable is cut."""
        access, row = self._access[gate], self._posts[gate].row
        target = BrokerTarget(
            address=replace(read_broker_address(access.address, allow_plain=False), port=self._wires[gate].port),
            account=access.account,
            password=access.password,
        )
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    line = await open_line(target, BrokerSelf(tenant=row.tenant, event=row.event, gate=row.id))
                except ServerAway:
                    # The broker takes a moment to let go of the gate's connection that broke before.
                    if gate in self._parted or self._dark:
                        raise
                    continue
                self._dialled[line] = self._breaks[gate]
                return line

    def _break(self, gates: Collection[int]) -> None:
        for gate in gates:
            self._breaks[gate] += 1
            if self._wires:
                self._wires[gate].part()

    def _join(self, gates: Collection[int]) -> None:
        for gate in gates:
            if self._wires and not self._dark:
                self._wires[gate].join()

    async def close(self) -> None:
        """Take them away."""
        await self._stack.aclose()
