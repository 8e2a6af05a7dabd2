"""What is needed of AMQP 0-9-1: connecting, reading a queue, publishing with confirmation, and every failure as our own."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aio_pika
import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    IncompatibleProtocolError,
    InvalidFrameError,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed
from msgspec import Struct
from pamqp.common import FieldTable
from pamqp.exceptions import PAMQPException
from yarl import URL

from gate.sync.broker_address import BrokerAddress
from gate.sync.problems import GateRefused, NotOurServer, ServerAway
from shared.problems import InputUnusable, TicketTokenError
from shared.settings import Secret

CLOSE_WITHIN_S = 2.0
_HEARTBEAT_S = 10
_STEP_WITHIN_S = 5.0
_FOREIGN = (IncompatibleProtocolError, InvalidFrameError, PAMQPException, ssl.SSLError)
_REFUSALS = (AuthenticationError, ProbableAuthenticationError, ChannelAccessRefused, ConnectionNotAllowed)
_BROKEN = (*CONNECTION_EXCEPTIONS, TimeoutError)

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

Take = Callable[[AbstractIncomingMessage], None]


class BrokerTarget(Struct, frozen=True, kw_only=True):
    """Where the broker is, and the account to use there.

    ``authority`` holds the broker's own certificates (PEM), if it has some; ``certificate`` is the file of this gate's own and
    its key, for a broker that asks for one, and need not be there.
    """

    address: BrokerAddress
    account: str
    password: Secret
    authority: str | None = None
    certificate: Path | None = None


class Consumption(Struct, frozen=True, kw_only=True):
    """How a queue is read: how many messages ahead, alone or not, and a stream from where."""

    queue: str
    ahead: int
    exclusive: bool = False
    stream_from: str | datetime | None = None


@contextmanager
def as_link_problems() -> Iterator[None]:
    """Turn what the library raises into what a link may raise: ServerAway, NotOurServer, GateRefused."""
    try:
        yield
    except TicketTokenError:
        raise
    except Exception as exc:
        raise _name_problem(exc) from exc


async def connect(target: BrokerTarget) -> AbstractConnection:
    """Return a new connection; to be called within a time limit and ``as_link_problems``."""
    for library in ("aio_pika", "aiormq"):
        # Lost connections are our own events; the libraries would add a traceback to each.
        logging.getLogger(library).setLevel(logging.CRITICAL)
    address = target.address
    context = await asyncio.to_thread(_trust, target) if address.tls else None
    url = URL.build(
        scheme="amqps" if address.tls else "amqp",
        user=target.account,
        password=target.password.value,
        host=address.host,
        port=address.port,
        path="/" + address.vhost.replace("/", "%2F") if address.vhost != "/" else "//",
        query={"heartbeat": str(_HEARTBEAT_S), "name": target.account},
        encoded=False,
    )
    connection = aio_pika.Connection(url, ssl_context=context)
    try:
        await connection.connect()
    except BaseException:
        # Dropped unclosed it would try to close itself when it is collected, in whichever thread that happens.
        await connection.close()
        raise
    return connection


async def consume(
    connection: AbstractConnection, wish: Consumption, take: Take, end: Callable[[], None]
) -> AbstractChannel:
    """Have a queue's messages taken, on a channel of its own, until that ends; whoever took one acknowledges it."""
    channel = connection.channel(publisher_confirms=False)
    await channel.initialize(timeout=_STEP_WITHIN_S)
    channel.close_callbacks.add(lambda *_: end())
    below = await channel.get_underlay_channel()
    below.on_consumer_cancel_callbacks.add(lambda _: end())
    await channel.set_qos(prefetch_count=wish.ahead, timeout=_STEP_WITHIN_S)
    queue = await channel.get_queue(wish.queue, ensure=False)

    async def arrive(message: AbstractIncomingMessage) -> None:
        take(message)

    offset: FieldTable = {} if wish.stream_from is None else {"x-stream-offset": wish.stream_from}
    await queue.consume(arrive, exclusive=wish.exclusive, arguments=offset, timeout=_STEP_WITHIN_S)
    return channel


def stream_time(moment_ms: int) -> datetime:
    """Return a moment as the broker wants a stream's beginning: with whole seconds."""
    return datetime.fromtimestamp(moment_ms // 1000, UTC)


async def close_quietly(thing: AbstractConnection | AbstractChannel) -> None:
    """Close something that may be broken already."""
    try:
        async with asyncio.timeout(CLOSE_WITHIN_S):
            await thing.close()
    except _BROKEN as exc:
        _log.debug("broker.close_failed", kind=type(exc).__name__)
    finally:
        # A connection lets go of its transport at the first attempt; this one only notes that it is closed.
        if isinstance(thing, AbstractConnection):
            await thing.close()


def _trust(target: BrokerTarget) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=target.authority)
    own = target.certificate
    if own is not None and own.exists():
        try:
            context.load_cert_chain(own)
        except OSError as exc:
            raise InputUnusable(f"{own} holds no certificate (PEM) with its key: mend it or take it away.") from exc
    return context


def _name_problem(exc: Exception) -> TicketTokenError:
    if isinstance(exc, ChannelAccessRefused) and "exclusive" in str(exc):
        return ServerAway(
            "An older connection of this gate still reads its queue; the broker ends it in half a minute."
        )
    # A broker that closes the connection while it is being opened is reported as one that answers strangely.
    closed = isinstance(exc, InvalidFrameError) and "Connection.Close" in str(exc)
    if closed or isinstance(exc, _REFUSALS):
        return GateRefused("The broker does not accept this gate's account, or not for this.")
    refusal = next((one for one in (exc, exc.__cause__) if isinstance(one, ssl.SSLError)), None)
    if refusal is not None:
        return NotOurServer(_describe_refusal(refusal))
    if isinstance(exc, _FOREIGN) or isinstance(exc.__cause__, _FOREIGN):
        return NotOurServer(
            f"Something else than the broker answers at its address ({type(exc).__name__}): does this network want a login?"
        )
    if isinstance(exc, ConnectionResetError) or isinstance(exc.__cause__, ConnectionResetError):
        # With TLS 1.3 a client's certificate is looked at after the handshake, and the end can overtake the reason.
        return ServerAway(
            "The broker ended the connection; over TLS that is also how one does not accept this gate's certificate: "
            "see broker-client.pem in its data directory."
        )
    # aiormq ends what was under way on a lost connection with a bare Exception at times.
    if isinstance(exc, _BROKEN) or type(exc) is Exception:
        return ServerAway(f"The broker does not answer ({type(exc).__name__}).")
    raise exc


def _describe_refusal(problem: ssl.SSLError) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"What answers as the broker has no certificate this gate trusts: {problem.verify_message}."
    reason = (problem.reason or str(problem)).replace("_", " ").lower()
    if "alert" in reason:
        return f"The broker does not accept this gate's certificate ({reason}): see broker-client.pem in its data directory."
    return f"Something else than the broker answers at its address ({reason}): does this network want a login?"
