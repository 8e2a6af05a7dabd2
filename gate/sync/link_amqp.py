"""The link over RabbitMQ: words up to an exchange, letters down in the gate's own queue, the feed from its event's stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import structlog
from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from msgspec import Struct

from gate.sync.broker_channel import (
    BrokerTarget,
    Consumption,
    as_link_problems,
    close_quietly,
    connect,
    consume,
    stream_time,
)
from gate.sync.problems import ServerAway
from shared.ids import EventId, GateId, TenantId
from shared.problems import TicketTokenError
from shared.sync.broker import (
    FEED,
    UNASKED,
    UP,
    Place,
    Word,
    decode_letter,
    decode_stream_frame,
    encode_message,
    key_of,
    name_key,
    name_queue,
    name_stream,
)
from shared.sync.wire import CommandsFrame, FeedFrame, GateFrame, ServerFrame, Welcome
from shared.trace import HEADER, write_parent

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

CONNECT_WITHIN_S = 10.0
SEND_WITHIN_S = 10.0
_LETTERS_AHEAD = 32
_FEED_AHEAD = 16


class BrokerSelf(Struct, frozen=True, kw_only=True):
    """Who the gate is, as far as names at the broker say."""

    tenant: TenantId
    event: EventId
    gate: GateId

    def stream(self, place: Place) -> str:
        """Return the stream of the gate's event that a place is in."""
        return name_stream(self.tenant, self.event, place.edition)


class AmqpLink:
    """One connection to the broker; what answers another one's words is passed over."""

    def __init__(self, connection: AbstractConnection, who: BrokerSelf, account: str) -> None:
        self._connection = connection
        self._who = who
        self._account = account
        self._session = uuid4()
        # Not bounded here: the broker hands out no more than may be unacknowledged.
        self._inbox: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._exchange: AbstractExchange | None = None
        self.place: Place | None = None

    async def open(self) -> None:
        """Begin to read the gate's queue, and make ready to publish."""
        _log.debug("server.asked", trace=self.trace)
        outward = self._connection.channel(publisher_confirms=True, on_return_raises=True)
        await outward.initialize(timeout=CONNECT_WITHIN_S)
        outward.close_callbacks.add(lambda *_: self._end())
        self._exchange = await outward.get_exchange(UP, ensure=False)
        # Alone: were there two, each would get half of the letters. The older one keeps it until the broker lets it go.
        queue = name_queue(self._who.tenant, self._who.gate)
        wish = Consumption(queue=queue, ahead=_LETTERS_AHEAD, exclusive=True)
        _ = await consume(self._connection, wish, self._inbox.put_nowait, self._end)

    async def send(self, frame: GateFrame) -> None:
        """Send a frame and return once the broker has it.

        Raises:
            ServerAway, GateRefused, NotOurServer: it could not be sent in time.
        """
        if self._exchange is None:
            raise ServerAway("The link is not open.")
        message_id = str(uuid4())
        message = Message(
            encode_message(Word(session=self._session, frame=frame)),
            headers={HEADER: write_parent(self.trace, message_id.encode())},
            content_type="application/msgpack",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=message_id,
            user_id=self._account,
        )
        key = name_key(key_of(frame), self._who.tenant, self._who.gate)
        try:
            with as_link_problems():
                async with asyncio.timeout(SEND_WITHIN_S):
                    await self._exchange.publish(message, key, mandatory=True)
        except TicketTokenError as problem:
            raise ServerAway(f"The link broke while sending: {problem}") from problem

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Yield what the server sends until the link ends.

        Raises:
            CodeMalformed: something that is not a frame of this protocol.
        """
        while (message := await self._inbox.get()) is not None:
            frame = self._read(message)
            try:
                with as_link_problems():
                    await message.ack()
                    if isinstance(frame, Welcome) and self.place is not None:
                        await self._follow(self.place)
            except TicketTokenError as problem:
                # What cannot be acknowledged comes again, to whatever connection follows this one.
                _log.info("link.broken", code=problem.code, message=str(problem))
                return
            if frame is not None:
                yield frame

    async def open_reader(
        self, wish: Consumption, inbox: asyncio.Queue[AbstractIncomingMessage | None]
    ) -> AbstractChannel:
        """Read something else over the same connection; None in the inbox says that it ended."""
        return await consume(self._connection, wish, inbox.put_nowait, lambda: inbox.put_nowait(None))

    async def close(self) -> None:
        """End the link; closing twice is fine."""
        self._end()
        await close_quietly(self._connection)

    @property
    def trace(self) -> str:
        """By which the server's log tells of what came over this connection."""
        return self._session.hex

    @property
    def who(self) -> BrokerSelf:
        """Who the gate is."""
        return self._who

    @property
    def is_open(self) -> bool:
        """Whether the connection stands."""
        return self._connection.connected.is_set() and not self._connection.is_closed

    def _end(self) -> None:
        self._inbox.put_nowait(None)

    def _read(self, message: AbstractIncomingMessage) -> ServerFrame | None:
        if message.exchange == FEED:
            carried = decode_stream_frame(message.body)
            return carried if isinstance(carried, FeedFrame) else None
        letter = decode_letter(message.body)
        if letter.session == UNASKED:
            # Before the welcome nothing is listened to; what lay in the queue is said again then.
            welcomed = self.place is not None
            return letter.frame if welcomed and isinstance(letter.frame, CommandsFrame) else None
        if letter.session != self._session:
            return None
        if isinstance(letter.frame, Welcome):
            self.place = letter.place or Place()
        return letter.frame

    async def _follow(self, place: Place) -> None:
        """Begin to read the feed; earlier entries than asked for may come, and are known by their positions."""
        start = "first" if place.from_ms is None else stream_time(place.from_ms)
        wish = Consumption(queue=self._who.stream(place), ahead=_FEED_AHEAD, stream_from=start)
        _ = await consume(self._connection, wish, self._inbox.put_nowait, self._end)


class AmqpDialler:
    """Connects to one broker, as often as asked."""

    def __init__(self, target: BrokerTarget, who: BrokerSelf) -> None:
        self._target = target
        self._who = who

    async def connect(self) -> AmqpLink:
        """Return a new connection, not yet welcomed.

        Raises:
            ServerAway: no answer in time.
            NotOurServer: something else than the broker answers, or one whose certificate nobody vouches for.
            GateRefused: the broker does not accept this gate's account.
        """
        with as_link_problems():
            async with asyncio.timeout(CONNECT_WITHIN_S):
                connection = await connect(self._target)
                link = AmqpLink(connection, self._who, self._target.account)
                try:
                    await link.open()
                except BaseException:
                    await link.close()
                    raise
        return link
