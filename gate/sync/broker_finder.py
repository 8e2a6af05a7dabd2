"""How the gate reaches the broker: by the account it has, or by a new one that it asks the server for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from msgspec import Struct

from gate.sync.broker_address import read_broker_address
from gate.sync.http import GateHttp
from shared.ids import EventId, GateId, TenantId
from shared.problems import InputUnusable, NotFound
from shared.sync.access import BrokerAccess

if TYPE_CHECKING:
    from gate.sync.link_amqp import AmqpDialler

ASK_AGAIN_S = 3600.0
"""How long a server that offers no broker is not asked again."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class FinderParts(Struct, frozen=True, kw_only=True, eq=False):
    """What a finder works with; ``unseal`` opens and keeps what the server sent, ``certificate`` is where one may lie."""

    tenant: TenantId
    event: EventId
    gate: GateId
    http: GateHttp
    unseal: Callable[[str], Awaitable[BrokerAccess]]
    monotonic: Callable[[], float]
    allow_plain: bool
    certificate: Path


class BrokerFinder:
    """Remembers the account in use."""

    def __init__(self, parts: FinderParts, access: BrokerAccess | None) -> None:
        self._parts = parts
        self._access = access
        self._ask_at_s = 0.0

    async def find(self, renew: bool) -> AmqpDialler | None:  # noqa: FBT001 - the form of `gate.sync.ways.FindBroker`
        """Return how to reach the broker, None where there is none; with ``renew`` ask for a new account first.

        Raises:
            InputUnusable: the broker's address may not be used.
            TicketTokenError: the server could not be asked.
        """
        if renew:
            await self._renew()
        if self._access is None:
            return None
        # Loaded here: a gate whose server uses no broker needs no library for it.
        from gate.sync.broker_channel import BrokerTarget  # noqa: PLC0415
        from gate.sync.link_amqp import AmqpDialler, BrokerSelf  # noqa: PLC0415

        access = self._access
        target = BrokerTarget(
            address=read_broker_address(access.address, allow_plain=self._parts.allow_plain),
            account=access.account,
            password=access.password,
            authority=access.authority,
            certificate=self._parts.certificate,
        )
        who = BrokerSelf(tenant=self._parts.tenant, event=self._parts.event, gate=self._parts.gate)
        return AmqpDialler(target, who)

    async def _renew(self) -> None:
        now_s = self._parts.monotonic()
        if now_s < self._ask_at_s:
            return
        try:
            self._access = await self._parts.unseal(await self._parts.http.renew_broker())
        except (NotFound, InputUnusable) as problem:
            # An older server does not know the question, one without a broker says so: both mean the same here.
            self._ask_at_s = now_s + ASK_AGAIN_S
            _log.info("link.no_broker", code=problem.code)
