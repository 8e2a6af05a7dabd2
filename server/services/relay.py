"""The relay: gives every committed change its place in its event's feed, one relay at a time, taken over when it dies."""

from __future__ import annotations

import asyncio

import structlog
from msgspec import Struct

from server.services.ports_gates import OpenRelaySession, RelaySession
from server.services.pulse import Beat, no_beat
from shared.problems import TicketTokenError

BATCH = 500
POLL_S = 2.0
_RETRY_S = (0.1, 0.5, 2.0)

log = structlog.get_logger()


class RelayState(Struct, kw_only=True):
    """What a relay is doing, for the health page: whether it is connected, whether it leads, how much it moved."""

    connected: bool = False
    leading: bool = False
    moved: int = 0


async def run_relay(
    open_session: OpenRelaySession, state: RelayState, beat: Beat = no_beat, *, poll_s: float = POLL_S
) -> None:
    """Relay until cancelled; a lost session is opened anew.

    While another process leads, this one asks every ``poll_s`` seconds whether it may. The same interval bounds how
    long an entry can wait should a notice be lost.
    """
    failures = 0
    while True:
        try:
            async with open_session() as session:
                state.connected = True
                failures = 0
                await _serve(session, state, beat, poll_s)
        except TicketTokenError as problem:
            # without a relay nothing reaches the gates: there is no problem after which giving up would be better
            log.warning("relay.stopped", code=problem.code)
        finally:
            state.connected = state.leading = False
        await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
        failures += 1


async def _serve(session: RelaySession, state: RelayState, beat: Beat, poll_s: float) -> None:
    while True:
        beat()
        if await session.lead():
            if not state.leading:
                log.info("relay.leading")
            state.leading = True
            await _drain(session, state, beat)
        await session.wait(poll_s)


async def _drain(session: RelaySession, state: RelayState, beat: Beat) -> None:
    while moved := await session.turn(BATCH):
        state.moved += moved
        beat()
        if moved < BATCH:
            return
