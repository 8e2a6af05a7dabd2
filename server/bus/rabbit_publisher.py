"""Publishing until the broker confirms: a message is posted again, under the same id, when its confirmation is lost."""

from __future__ import annotations

import asyncio

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, HeadersType
from aio_pika.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from aiormq.exceptions import ChannelAccessRefused

from server.bus.patience import reconnect_delay_s
from server.bus.problems import BusDenied, BusFull, Unroutable
from server.bus.rabbit_link import RabbitLink, RabbitPlan, away, naming_losses
from server.bus.rabbit_opening import RABBIT_PROBLEMS
from server.services.ports_bus import Posting
from shared.problems import TicketTokenError
from shared.trace import HEADER, write_parent

_REFUSALS = (ChannelAccessRefused, ChannelNotFoundEntity)

_log = structlog.get_logger()


class RabbitPublisher:
    """Posts through one channel of one connection."""

    def __init__(self, plan: RabbitPlan, link: RabbitLink, role: str) -> None:
        self._plan = plan
        self._link = link
        self._role = role
        self._room = asyncio.Semaphore(plan.most_unconfirmed)

    async def check(self) -> None:
        """Return if there is a channel to post through.

        Raises:
            BusAway: there is none, nor can one be opened.
            BusDenied, TopologyDiffers: the broker does not have what this program needs, or not for this account.
        """
        try:
            with naming_losses():
                async with asyncio.timeout(self._plan.confirm_timeout_s):
                    _ = await self._link.channel(self._role)
        except RABBIT_PROBLEMS as exc:
            raise away(exc) from exc

    async def post(self, posting: Posting, headers: HeadersType | None = None) -> None:
        """Return once the broker has taken the message; it may have taken it twice.

        Raises:
            Unroutable: no queue takes it although one must, or the exchange is missing.
            BusFull: a queue has no room.
            BusDenied: this account may not publish there.
            BusAway: no try was confirmed.
        """
        async with self._room:
            problem: BaseException | None = None
            for attempt in range(1, self._plan.tries + 1):
                # A refusal ends the channel for all messages under way on it: each then finds out alone whose it was.
                alone = isinstance(problem, _REFUSALS)
                repeated, problem = problem, await self._try(posting, headers, alone=alone)
                if problem is None:
                    return
                if alone and (isinstance(problem, ChannelAccessRefused) or type(problem) is type(repeated)):
                    break
                if attempt < self._plan.tries:
                    _log.warning("bus.post_again", message=posting.message_id, problem=type(problem).__name__)
                    await self._plan.pause(reconnect_delay_s(attempt))
            raise _explain(posting, problem) from problem

    async def _try(self, posting: Posting, headers: HeadersType | None, *, alone: bool) -> BaseException | None:
        """Post once; return what went wrong if it may go right the next time."""
        channel: AbstractChannel | None = None
        try:
            with naming_losses():
                async with asyncio.timeout(self._plan.confirm_timeout_s):
                    if alone:
                        await self._publish_alone(posting, headers)
                        return None
                    channel = await self._link.channel(self._role)
                    await _publish(channel, posting, headers)
        except PublishError as exc:
            raise Unroutable(
                f"No queue takes {posting.key} from {posting.exchange}: run `tickettoken doctor`."
            ) from exc
        except DeliveryError as exc:
            raise BusFull(f"The broker refused {posting.key}: a queue is full, see why nothing reads it.") from exc
        except RABBIT_PROBLEMS as exc:
            if channel is not None:
                # Whether the message arrived is unknown, and so is the state of the channel. A missing exchange is
                # declared anew with the connection.
                await self._link.drop(channel)
            return exc
        return None

    async def _publish_alone(self, posting: Posting, headers: HeadersType | None) -> None:
        async with await self._link.open_channel(confirms=True) as channel:
            await _publish(channel, posting, headers)


async def _publish(channel: AbstractChannel, posting: Posting, headers: HeadersType | None) -> None:
    exchange = await channel.get_exchange(posting.exchange, ensure=False)
    await exchange.publish(_message(posting, headers), posting.key, mandatory=posting.must_route)


def _message(posting: Posting, headers: HeadersType | None) -> Message:
    # The same message again is the same step of its trace.
    parent = write_parent(posting.trace, posting.message_id.encode()) if posting.trace else None
    return Message(
        posting.body,
        headers={**(headers or {}), HEADER: parent} if parent else headers,
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        message_id=posting.message_id,
        app_id="tickettoken",
    )


def _explain(posting: Posting, problem: BaseException | None) -> TicketTokenError:
    if isinstance(problem, ChannelAccessRefused):
        return BusDenied(f"This account may not publish {posting.key} to {posting.exchange}: grant it the permission.")
    if isinstance(problem, ChannelNotFoundEntity):
        return Unroutable(f"The broker has no exchange {posting.exchange}: run `tickettoken doctor`.")
    return away(problem or TimeoutError())
