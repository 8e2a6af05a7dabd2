"""A broker that lets nobody in without a certificate of its own authority's: who shows which, and who refuses whom."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from msgspec import Struct
from msgspec.structs import replace

from gate.broker import CERTIFICATE_NAME, save_access
from gate.sync.broker_address import read_broker_address
from gate.sync.broker_channel import BrokerTarget, as_link_problems, close_quietly, connect
from gate.sync.broker_probe import probe_broker
from gate.sync.problems import NotOurServer, ServerAway
from gate.sync.ways import Way
from server.bus.gate_office import open_office
from server.bus.problems import BusAway
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from shared.clock import ManualClock
from shared.problems import InputUnusable
from shared.settings import Secret
from shared.sync.access import BrokerAccess
from tests.conftest import Databases
from tests.integration.broker.agents import enrol_at
from tests.integration.broker.stage import open_exchange
from tests.services.certificates import TLS_NAME, Authority
from tests.services.messages import Request, Running
from tests.services.plugin import Broker, VirtualHost, open_vhost
from tests.services.private import PrivateService
from tests.services.processes import HOST

OLD = timedelta(days=3)
REFUSED = (NotOurServer, ServerAway)
"""Which of the two depends on whether the broker's reason or the end of the connection is quicker."""


class Strict(Struct, frozen=True, kw_only=True, eq=False):
    """The broker, the authority of its clients, and files of certificates."""

    running: Running
    clients: Authority

    def write_files(self, directory: Path) -> dict[str, Path]:
        """Write a good certificate, one of a stranger's, one out of date, and the broker's own authority."""
        authority = directory / "authority.pem"
        authority.write_text(self.running.authority)
        return {
            "authority": authority,
            "good": self.clients.write_client_file(directory / "good.pem"),
            "stranger": Authority().write_client_file(directory / "stranger.pem"),
            "expired": self.clients.write_client_file(directory / "expired.pem", OLD),
        }


@pytest.fixture(scope="module")
def strict() -> Iterator[Strict]:
    """Give a RabbitMQ that wants certificates."""
    clients = Authority()
    with PrivateService(Request(service="rabbitmq", client_authority=clients.pem)) as started:
        yield Strict(running=started.running, clients=clients)


@pytest.fixture
async def own_vhost(strict: Strict) -> AsyncIterator[VirtualHost]:
    """Give a virtual host in it."""
    running = strict.running
    async with open_vhost(Broker(amqp_url=running.url, api_url=running.api_url)) as opened:
        yield opened


@asynccontextmanager
async def outdated_server(directory: Path) -> AsyncIterator[tuple[int, Path]]:
    """Run something that speaks TLS with a certificate out of date; give its port and the file of its authority."""
    authority = Authority()
    file = directory / "outdated-authority.pem"
    file.write_text(authority.pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.write_server_file(directory / "outdated.pem", OLD))
    server = await asyncio.start_server(lambda _, writer: writer.close(), HOST, 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1], file


async def test_the_server_shows_its_certificate_and_says_what_is_wrong_with_it(
    strict: Strict, own_vhost: VirtualHost, tmp_path: Path
) -> None:
    files, running = strict.write_files(tmp_path), strict.running
    account, api_account = (
        urlsplit(own_vhost.url).netloc.rpartition("@")[0],
        urlsplit(running.api_url).netloc.rpartition("@")[0],
    )
    place, trusting = f"{account}@{TLS_NAME}", f"cafile={files['authority']}"

    async def ask_both(port: int, api_port: int, query: str) -> None:
        """Ask the broker, then its management API; raises what the first of them said."""
        url = Secret(f"amqps://{place}:{port}/{own_vhost.name}?{query}")
        async with open_rabbit(RabbitPlan(url=url, tries=1)) as bus:
            await bus.check()
        async with open_office(
            Secret(f"https://{api_account}@{TLS_NAME}:{api_port}/api?{query}"), own_vhost.name
        ) as office:
            await office.list_streams()

    good = f"{trusting}&certfile={files['good']}"
    await ask_both(running.tls_port, running.tls_api_port, good)
    for wrong in ("", f"&certfile={files['stranger']}", f"&certfile={files['expired']}"):
        with pytest.raises(BusAway, match=r"accept this server's certificate.*see certfile"):
            await ask_both(running.tls_port, running.tls_api_port, trusting + wrong)
        async with open_office(
            Secret(f"https://{api_account}@{TLS_NAME}:{running.tls_api_port}?{trusting}{wrong}"), own_vhost.name
        ) as office:
            with pytest.raises(BusAway, match="RABBITMQ_MANAGEMENT_URL"):
                await office.list_streams()
    async with outdated_server(tmp_path) as (port, authority):
        with pytest.raises(BusAway, match=r"not trusted: certificate has expired"):
            await ask_both(port, port, f"cafile={authority}")


async def test_a_gate_shows_its_certificate_and_says_what_is_wrong_with_it(
    strict: Strict, own_vhost: VirtualHost, tmp_path: Path
) -> None:
    files, running, parts = strict.write_files(tmp_path), strict.running, urlsplit(own_vhost.url)
    target = BrokerTarget(
        address=read_broker_address(f"amqps://{TLS_NAME}:{running.tls_port}/{own_vhost.name}", allow_plain=False),
        account=parts.username or "",
        password=Secret(parts.password or ""),
        authority=running.authority,
    )

    async def try_out(one: BrokerTarget) -> None:
        with as_link_problems():
            await close_quietly(await connect(one))

    await try_out(replace(target, certificate=files["good"]))
    for wrong in (None, tmp_path / "none.pem", files["stranger"], files["expired"]):
        with pytest.raises(REFUSED, match=r"accept this gate's certificate.*broker-client\.pem"):
            await try_out(replace(target, certificate=wrong))
    with pytest.raises(InputUnusable, match="with its key"):
        await try_out(replace(target, certificate=files["authority"]))
    with pytest.raises(NotOurServer, match=r"trusts: unable to get local issuer|trusts: self"):
        await try_out(replace(target, authority=Authority().pem, certificate=files["good"]))
    async with outdated_server(tmp_path) as (port, authority):
        elsewhere = replace(target.address, port=port)
        with pytest.raises(NotOurServer, match="certificate has expired"):
            await try_out(replace(target, address=elsewhere, authority=authority.read_text()))


async def test_a_whole_gate_uses_the_certificate_in_its_directory(
    database: Databases, strict: Strict, own_vhost: VirtualHost, tmp_path: Path
) -> None:
    running = strict.running
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(open_exchange(database, ManualClock(datetime.now(UTC)), own_vhost))
        post = await enrol_at(exchange, tmp_path / "north")
        tls = f"amqps://{TLS_NAME}:{running.tls_port}/{own_vhost.name}"
        access: BrokerAccess = replace(post.access, address=tls, authority=running.authority)
        await asyncio.to_thread(save_access, post.directory, access)
        own = post.directory / CERTIFICATE_NAME
        async with post.running() as agent:
            await agent.until(lambda now: now.way == Way.WEBSOCKET)
        with pytest.raises(REFUSED, match="certificate"):
            await probe_broker(access, own, allow_plain=False)
        strict.clients.write_client_file(own)
        assert await probe_broker(access, own, allow_plain=False) == TLS_NAME
        async with post.running() as agent:
            await agent.until(lambda now: now.way == Way.BROKER)
