"""Messages from other programs: each has its effect once; what can never have one is refused with a reason that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from msgspec import Struct

from server.services.context import Context
from server.services.order_messages import read_message
from server.services.payment_facts import Contradiction, take_message
from server.services.ports_bus import Arrived, Bus, Envelope, Handler, Outcome
from server.services.ports_facts import RefusalDatabase
from server.services.problems import PaymentReused
from server.services.pulse import Beat
from server.services.rows_facts import RefusedMessage
from shared.problems import Denied, InputUnusable, NotFound, TicketTokenError

PAUSE_S = 30.0
_MOST_REASON = 500

# Trying these again cannot help; everything else may have been bad luck.
_HOPELESS = (InputUnusable, NotFound, Denied, Contradiction, PaymentReused)

Decode = Callable[[bytes], Envelope]
"""Reads a message's body; raises InputUnusable for one that is none."""

log = structlog.get_logger()


class InboxState(Struct, kw_only=True):
    """What a consumer is doing, for the health page; ``problem`` is the code of what keeps it from consuming."""

    taken: int = 0
    refused: int = 0
    problem: str | None = None


class Reader:
    """Handles what arrives in the inbox."""

    def __init__(self, context: Context, database: RefusalDatabase, decode: Decode, state: InboxState) -> None:
        self._context = context
        self._database = database
        self._decode = decode
        self._state = state

    async def handle(self, arrived: Arrived) -> Outcome:
        """Give a message its effect.

        Raises:
            TicketTokenError: it could not be handled now; it is worth another try.
        """
        try:
            envelope = self._decode(arrived.body)
            message = read_message(envelope)
            taken = await take_message(self._context, envelope.tenant_id, message)
        except _HOPELESS as problem:
            await self._refuse(arrived, problem)
            return Outcome.DEAD
        self._state.taken += 1
        log.info(
            "inbox.taken",
            message=message.id,
            tenant=str(envelope.tenant_id),
            key=message.event,
            outcome=taken.outcome,
            repeated=taken.repeated,
        )
        return Outcome.DONE

    async def _refuse(self, arrived: Arrived, problem: TicketTokenError) -> None:
        refused = RefusedMessage(
            message_id=arrived.message_id[:255],
            queue=arrived.queue,
            key=arrived.key[:255],
            code=problem.code,
            # The decoder names fields as they were sent, with whatever is in their names.
            reason="".join(one if one.isprintable() else "\ufffd" for one in str(problem)[:_MOST_REASON]),
            refused_at=self._context.clock.now(),
        )
        async with self._database.worker() as unit:
            await unit.refusals.refuse(refused)
        self._state.refused += 1
        log.warning("inbox.refused", message=arrived.message_id, key=arrived.key, code=problem.code)


async def run_inbox(bus: Bus, queue: str, handler: Handler, state: InboxState, beat: Beat) -> None:
    """Consume a queue until cancelled; what keeps the bus from it is told to health, and it is tried again."""
    while True:
        beat()
        state.problem = None
        try:
            await bus.consume(queue, handler)
        except TicketTokenError as problem:
            state.problem = problem.code
            log.warning("inbox.not_consuming", queue=queue, code=problem.code, problem=str(problem))
        await asyncio.sleep(PAUSE_S)
