"""Can the message broker be reached with the account this gate has?"""

from __future__ import annotations

import asyncio
from pathlib import Path

from gate.sync.broker_address import read_broker_address
from gate.sync.broker_channel import BrokerTarget, as_link_problems, close_quietly, connect
from shared.sync.access import BrokerAccess

_WITHIN_S = 10.0


async def probe_broker(access: BrokerAccess, certificate: Path, *, allow_plain: bool) -> str:
    """Log in and out again; return the broker's host.

    Raises:
        ServerAway, NotOurServer, GateRefused: it is away, speaks something else, or does not know the account.
        InputUnusable: its address may not be used.
    """
    address = read_broker_address(access.address, allow_plain=allow_plain)
    target = BrokerTarget(
        address=address,
        account=access.account,
        password=access.password,
        authority=access.authority,
        certificate=certificate,
    )
    with as_link_problems():
        async with asyncio.timeout(_WITHIN_S):
            connection = await connect(target)
        await close_quietly(connection)
    return address.host
