"""`tickettoken dlq` shows what did not get through and puts it back; without a broker it says that there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from uuid import uuid4

import aio_pika
import msgspec
import pytest
import structlog

from server import cli_dlq
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.cli import build_parser
from server.services.rows_facts import RefusedMessage
from shared.problems import InputUnusable, Unavailable
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.server.messages.post import Gazette, publish_all, waiting
from tests.integration.server.schema.connections import connected
from tests.integration.server.selling.stage import JWT_SECRET, Shop
from tests.services.plugin import VirtualHost
from tests.services.processes import HOST, free_port


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Give the next test its logs back: a command sets them up for its own process."""
    yield
    structlog.reset_defaults()


def environ(database: Databases, url: str | None = None) -> dict[str, str]:
    """Return the environment of an installation."""
    settings = {
        "DATABASE_URL": database.app_dsn,
        "WORKER_DATABASE_URL": database.worker_dsn,
        "JWT_SECRET": JWT_SECRET.value,
        "QR_ENCRYPTION_KEY": "q8Zr1vXw4mTn7LkJ3hGf6dSa9pYo2cBe",
    }
    return settings if url is None else settings | {"RABBITMQ_URL": url}


async def run(settings: Mapping[str, str], *words: str) -> int:
    """Run `tickettoken dlq …` and return its exit status."""
    return await asyncio.to_thread(_run, settings, words)


def _run(settings: Mapping[str, str], words: tuple[str, ...]) -> int:
    arguments = build_parser().parse_args(["dlq", *words])
    command = cli_dlq.list_dead if words[0] == "list" else cli_dlq.replay_dead
    return command(arguments, settings)


async def bury(vhost: VirtualHost, message_id: str, body: bytes) -> None:
    """Have a message die as one that its reader refused."""
    async with open_rabbit(RabbitPlan(url=Secret(vhost.url))) as bus:
        await bus.check()
    async with await aio_pika.connect(vhost.admin_url) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange("tickettoken_events", ensure=False)
        await exchange.publish(aio_pika.Message(body, message_id=message_id), "payment.completed")
        inbox = await channel.get_queue("ticket.inbox", ensure=False)
        async with asyncio.timeout(20):
            while (message := await inbox.get(fail=False)) is None:
                pass
            await message.reject(requeue=False)
            while not (
                await channel.declare_queue("ticket.dead-letters", passive=True)
            ).declaration_result.message_count:
                pass


async def test_dead_letters_are_shown_with_their_reason_and_put_back(
    shop: Shop, database: Databases, vhost: VirtualHost, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, message_id = environ(database, vhost.url), str(uuid4())
    await bury(vhost, message_id, b'{"odd":1}')
    why = RefusedMessage(
        message_id=message_id,
        queue="ticket.inbox",
        key="payment.completed",
        code="message_malformed",
        reason="The payload is not that of payment.completed.",
        refused_at=shop.clock.now(),
    )
    async with shop.parts.database.worker() as unit:
        await unit.refusals.refuse(why)
    assert await run(settings, "list") == 0
    shown = capsys.readouterr().out
    assert message_id in shown
    assert "message_malformed: The payload is not that of payment.completed." in shown
    assert await run(settings, "list", "--json") == 0
    listed = msgspec.json.decode(capsys.readouterr().out, type=cli_dlq.Listed)
    assert [(one.message_id, one.body, one.queue) for one in listed.messages] == [
        (message_id, '{"odd":1}', "ticket.inbox")
    ]
    assert await run(settings, "replay", "nobody-knows-this") == 1
    assert await run(settings, "replay", message_id, "--json") == 0
    assert capsys.readouterr().out.splitlines()[-1] == '{"letters":1,"facts":0}'
    assert await run(settings, "list") == 0
    assert capsys.readouterr().out == "everything got through\n"


async def test_what_strangers_wrote_cannot_steer_the_terminal(
    shop: Shop, database: Databases, vhost: VirtualHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (await shop.stock()).sold == 0
    await bury(vhost, "id\0\x1b[2J\r\nall is well", b"{}")
    capsys.readouterr()
    assert await run(environ(database, vhost.url), "list") == 0
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.split("\n")), ascii(shown)
    (named,) = (line for line in shown.splitlines() if line.startswith("sha256:"))
    assert await run(environ(database, vhost.url), "replay", named) == 0


async def test_without_a_broker_it_says_so_and_shows_facts_that_were_given_up(
    shop: Shop, database: Databases, capsys: pytest.CaptureFixture[str]
) -> None:
    await shop.reserve(shop.buyer(), 1)
    async with connected(database.owner_dsn) as owner:
        await owner.execute("ALTER TABLE facts NO FORCE ROW LEVEL SECURITY")
        await owner.execute("UPDATE facts SET payload = 'x'")
    await publish_all(shop.parts.database, Gazette(), shop.clock)
    assert await run(environ(database), "list") == 0
    told = capsys.readouterr()
    assert "there is no broker (RABBITMQ_URL is not set)" in told.err
    assert "data_damaged" in told.out
    assert "1 did not get through" in told.out
    assert await run(environ(database), "replay", "--all") == 0
    assert "1 on the way again (0 messages, 1 facts)" in capsys.readouterr().out
    assert [one.parked for one in await waiting(shop.parts.database)] == [False]


async def test_neither_ids_nor_all_is_refused(database: Databases) -> None:
    for words in (["replay"], ["replay", "--all", "some-id"]):
        with pytest.raises(InputUnusable, match="--all"):
            await run(environ(database), *words)


async def test_a_broker_that_is_away_is_one_problem(database: Databases) -> None:
    with pytest.raises(Unavailable, match="RABBITMQ_URL"):
        await run(environ(database, f"amqp://{HOST}:{free_port()}/"), "list")
