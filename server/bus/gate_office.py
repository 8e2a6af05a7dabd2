"""Gates' accounts, queues and streams in RabbitMQ, made and removed through its management API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from server.bus.gate_accounts import Faults, Permission, TopicPermission, User, is_as_wanted, keys_are_right, rights_of
from server.bus.gate_topology import (
    GATES,
    NOTHING,
    Rights,
    event_stream,
    gate_binding,
    gate_keys,
    gate_queue,
    joined,
    stream_binding,
)
from server.bus.management import explain, open_management
from server.bus.problems import BusAway, BusDenied, TopologyDiffers
from server.bus.queue_states import QueueState, StreamNames, sort_streams
from server.bus.topology import TICKETS, Binding, Exchange, Queue
from server.services.rows_broker import AccountRow, StreamRow
from shared.ids import GateId, TenantId
from shared.settings import Secret
from shared.sync.broker import UP, name_account, name_queue

T = TypeVar("T")
Body = Mapping[str, object]

_TIMEOUT_S = 15.0
"""Deleting a queue that cannot be started takes the broker five."""

_ANSWER_S = 8.0
_HASHING = "rabbit_password_hashing_sha256"
_ACCOUNTS = "gate."
_MOST_CONNECTIONS = 4
"""One in use, one that is being tried, and the remains of one that the network tore."""

_MOST_CHANNELS = 16


class RabbitOffice:
    """Implements ``server.services.ports_broker.BrokerOffice``."""

    def __init__(self, session: aiohttp.ClientSession, vhost: str) -> None:
        self._session = session
        self._vhost = quote(vhost, safe="")

    async def prepare(self) -> None:
        """Make sure that what gates share is there.

        Raises:
            BusAway, BusDenied, TopologyDiffers: it is not.
        """
        shared = joined(TICKETS, GATES)
        for exchange in shared.exchanges:
            await self._declare_exchange(exchange)
        for queue in shared.queues:
            await self._declare_queue(queue)
        for binding in shared.bindings:
            await self._bind(binding)

    async def grant(self, account: AccountRow) -> None:
        """Make a gate's queue and account, or bring them into line.

        Raises:
            BusAway, BusDenied, TopologyDiffers: see ``prepare``.
        """
        tenant, gate, name = account.tenant, account.gate, name_account(account.gate)
        await self._declare_expendable(gate_queue(tenant, gate))
        await self._bind(gate_binding(tenant, gate))
        if account.applied_hash not in (None, account.password_hash):
            # Whoever came in by the old password goes; nobody can come in by either in between.
            await self._set_password(name, "")
            await self.ask("DELETE", f"connections/username/{quote(name, safe='')}")
        await self._set_password(name, account.password_hash)
        for limit, most in (("max-connections", _MOST_CONNECTIONS), ("max-channels", _MOST_CHANNELS)):
            await self.ask("PUT", f"user-limits/{name}/{limit}", {"value": most})
        # Keys first: until they are set, whoever may write to the exchange may use any key.
        keys = {"exchange": UP, "write": gate_keys(tenant, gate), "read": NOTHING}
        await self.ask("PUT", f"topic-permissions/{self._vhost}/{name}", keys)
        await self.ask("PUT", f"permissions/{self._vhost}/{name}", _as_body(rights_of(account)))

    async def _set_password(self, name: str, password_hash: str) -> None:
        user = {"password_hash": password_hash, "hashing_algorithm": _HASHING, "tags": ""}
        await self.ask("PUT", f"users/{name}", user)

    async def remove(self, tenant: TenantId, gate: GateId) -> None:
        """End a gate's connections and delete its account and queue.

        Raises:
            BusAway, BusDenied: they may still be there.
        """
        await self.dismiss(name_account(gate))
        await self.ask("DELETE", f"queues/{self._vhost}/{quote(name_queue(tenant, gate), safe='')}")

    async def dismiss(self, name: str) -> None:
        """Delete an account by its name; the account goes first, so that nobody connects again in between.

        Raises:
            BusAway, BusDenied: it may still be there.
        """
        await self.ask("DELETE", f"users/{quote(name, safe='')}")
        # The broker ends a deleted account's connections by itself as well; not every version does.
        await self.ask("DELETE", f"connections/username/{quote(name, safe='')}")

    async def declare_stream(self, stream: StreamRow) -> None:
        """Make an event's stream.

        Raises:
            BusAway, BusDenied, TopologyDiffers: see ``prepare``.
        """
        await self._declare_expendable(event_stream(stream.tenant, stream.event, stream.edition))
        await self._bind(stream_binding(stream.tenant, stream.event, stream.edition))

    async def find_faults(self, accounts: Sequence[AccountRow]) -> Faults:
        """Compare the broker's accounts with these.

        Raises:
            BusAway, BusDenied: it cannot be asked.
        """
        users = {one.name: one for one in await self._read("users", list[User])}
        rights = {one.user: one for one in await self._read(f"permissions/{self._vhost}", list[Permission], own=True)}
        keys = {
            (one.user, one.exchange): one
            for one in await self._read(f"topic-permissions/{self._vhost}", list[TopicPermission], own=True)
        }
        queues = {one.name for one in await self._list_queues() if not one.is_down}
        wanted = {name_account(account.gate): account for account in accounts if not account.revoked}
        lacking = []
        for name, account in wanted.items():
            queue_there = name_queue(account.tenant, account.gate) in queues
            user, right, key = users.get(name), rights.get(name), keys.get((name, UP))
            if not (queue_there and is_as_wanted(account, user, right) and keys_are_right(account, key)):
                lacking.append(account)
        # Others may share this broker: an account is ours if it may do something in our virtual host.
        strangers = [name for name in rights if name.startswith(_ACCOUNTS) and name not in wanted]
        return Faults(lacking=lacking, strangers=strangers)

    async def list_streams(self) -> StreamNames:
        """Return the names of all streams.

        Raises:
            BusAway, BusDenied: they cannot be asked for.
        """
        return sort_streams(await self._list_queues())

    async def drop_stream(self, name: str) -> None:
        """Delete a stream; one that the broker cannot start it does not let go of, which is no problem here.

        Raises:
            BusAway, BusDenied: it may still be there.
        """
        await self.ask("DELETE", f"queues/{self._vhost}/{quote(name, safe='')}")

    async def find_stuck(self) -> list[str]:
        """Return the names of shared queues that the broker has and cannot start.

        Raises:
            BusAway, BusDenied: they cannot be asked for.
        """
        shared = {queue.name for queue in GATES.queues}
        suspects = [one for one in await self._list_queues() if one.name in shared and (one.is_down or one.is_suspect)]
        return [one.name for one in suspects if one.is_down or not await self._answers(one.name)]

    async def remake(self, queue: str) -> None:
        """Delete a shared queue with what is in it, and make it again: what it held, gates send again.

        Raises:
            BusAway, BusDenied: it may be gone.
        """
        await self.ask("DELETE", f"queues/{self._vhost}/{quote(queue, safe='')}")
        await self.prepare()

    async def _declare_exchange(self, exchange: Exchange) -> None:
        path = f"exchanges/{self._vhost}/{quote(exchange.name, safe='')}"
        await self.ask("PUT", path, {"type": exchange.kind, "durable": True})

    async def _list_queues(self) -> list[QueueState]:
        return await self._read(f"queues/{self._vhost}", list[QueueState])

    async def _answers(self, queue: str) -> bool:
        """Tell whether a queue gives up a message, which goes back; one that is stuck lets the question run out of time."""
        wish = {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto", "truncate": 1}
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self.ask("POST", f"queues/{self._vhost}/{quote(queue, safe='')}/get", wish)
        except BusDenied:
            return True  # an administrator without rights in this virtual host cannot tell
        except (BusAway, TimeoutError):
            # It was the queue, unless the whole broker is away, which this tells.
            await self._list_queues()
            return False
        return True

    async def _declare_queue(self, queue: Queue) -> None:
        path = f"queues/{self._vhost}/{quote(queue.name, safe='')}"
        await self.ask("PUT", path, {"durable": True, "arguments": dict(queue.arguments)})

    async def _declare_expendable(self, queue: Queue) -> None:
        """Make a queue; one that is there and cannot be started is deleted first: what was in it is asked for or told again."""
        try:
            await self._declare_queue(queue)
        except BusAway:
            await self.ask("DELETE", f"queues/{self._vhost}/{quote(queue.name, safe='')}")
            await self._declare_queue(queue)

    async def _bind(self, binding: Binding) -> None:
        exchange, queue = quote(binding.exchange, safe=""), quote(binding.queue, safe="")
        await self.ask("POST", f"bindings/{self._vhost}/e/{exchange}/q/{queue}", {"routing_key": binding.key})

    async def _read(self, path: str, form: type[T], *, own: bool = False) -> T:
        # The lists of rights come for the whole broker unless asked by virtual host.
        kind, _, vhost = path.partition("/")
        body = await self.ask("GET", f"vhosts/{vhost}/{kind}" if own else path)
        try:
            return msgspec.json.decode(body, type=form)
        except msgspec.DecodeError as exc:
            raise BusAway("RabbitMQ's management API answers in another form: see RABBITMQ_MANAGEMENT_URL.") from exc

    async def ask(self, method: str, path: str, body: Body | None = None) -> bytes:
        """Return what the management API answers; what is to be deleted and is not there is fine.

        Raises:
            BusAway, BusDenied, TopologyDiffers: it does not do that, or not now.
        """
        try:
            async with self._session.request(method, f"/api/{path}", json=body) as answer:
                said = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise BusAway(
                f"RabbitMQ's management API does not answer ({explain(exc)}): see RABBITMQ_MANAGEMENT_URL."
            ) from exc
        if answer.status in {401, 403}:
            raise BusDenied(
                "RabbitMQ's management API refuses the account of RABBITMQ_MANAGEMENT_URL: it needs the tag `administrator`."
            )
        if answer.status == 400 and method == "PUT":
            raise TopologyDiffers(f"The broker has {path} in another form ({said[:200]!r}): delete it there.")
        if answer.status >= 400 and not (answer.status in {404, 405} and method == "DELETE"):
            raise BusAway(f"RabbitMQ's management API cannot {method} {path} now (HTTP {answer.status}).")
        return said


@asynccontextmanager
async def open_office(api_url: Secret, vhost: str) -> AsyncIterator[RabbitOffice]:
    """Open the broker's administration; ``api_url`` is its address with its account."""
    async with open_management(api_url, _TIMEOUT_S) as session:
        yield RabbitOffice(session, vhost)


def _as_body(rights: Rights) -> Body:
    return {"configure": rights.configure, "write": rights.write, "read": rights.read}
