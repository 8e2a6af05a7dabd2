"""Comparing the broker's exchanges, queues and bindings with ours, through RabbitMQ's management API."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from msgspec import Struct

from server.bus.management import explain, open_management
from server.bus.problems import BusAway, BusDenied
from server.bus.topology import Binding, Topology
from shared.settings import Secret

T = TypeVar("T")

_TIMEOUT_S = 5.0


class Difference(Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be."""

    what: str
    """Such as ``queue ticket.inbox``."""
    expected: str
    found: str


# The API tells much more about each; what is not compared is left out on purpose, so unknown fields are allowed here.
class _Exchange(Struct, frozen=True):
    name: str
    type: str
    durable: bool


class _Queue(Struct, frozen=True):
    name: str
    durable: bool
    arguments: dict[str, str | int | bool | float | list[object] | None]


class _Binding(Struct, frozen=True):
    source: str
    destination: str
    destination_type: str
    routing_key: str


class _State(Struct, frozen=True, kw_only=True):
    exchanges: dict[str, _Exchange]
    queues: dict[str, _Queue]
    bindings: frozenset[tuple[str, str, str]]


async def check_topology(api_url: Secret, vhost: str, topology: Topology) -> list[Difference]:
    """Return how the broker's virtual host differs from the topology; what is nobody's of ours is not looked at.

    ``api_url`` is the management API's address with its account, such as ``http://user:password@host:15672``.

    Raises:
        BusAway: the API does not answer, or not in the form expected.
        BusDenied: it does not take the account.
    """
    state = await _fetch(api_url, vhost)
    differences = _compare_exchanges(topology, state) + _compare_queues(topology, state)
    return differences + _compare_bindings(topology, state)


async def read_broker_clock(api_url: Secret) -> datetime:
    """Return the broker's own time, to the second, as its management API tells it.

    Raises:
        BusAway: the API does not answer, or tells no time.
    """
    try:
        async with open_management(api_url, _TIMEOUT_S) as session, session.get("/api/") as answer:
            return parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError) as exc:
        raise BusAway(
            f"RabbitMQ's management API tells no time ({explain(exc)}): see RABBITMQ_MANAGEMENT_URL."
        ) from exc


async def _fetch(api_url: Secret, vhost: str) -> _State:
    try:
        async with open_management(api_url, _TIMEOUT_S) as session:
            exchanges = await _get(session, "exchanges", vhost, list[_Exchange])
            queues = await _get(session, "queues", vhost, list[_Queue])
            bindings = await _get(session, "bindings", vhost, list[_Binding])
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as exc:
        raise BusAway(
            f"RabbitMQ's management API does not answer ({explain(exc)}): enable its plugin and see RABBITMQ_MANAGEMENT_URL."
        ) from exc
    return _State(
        exchanges={exchange.name: exchange for exchange in exchanges},
        queues={queue.name: queue for queue in queues},
        bindings=frozenset(
            (one.source, one.destination, one.routing_key) for one in bindings if one.destination_type == "queue"
        ),
    )


async def _get(session: aiohttp.ClientSession, kind: str, vhost: str, form: type[T]) -> T:
    async with session.get(f"/api/{kind}/{quote(vhost, safe='')}") as answer:
        if answer.status in {401, 403}:
            raise BusDenied(
                "The management API refuses this account: give it the tag `monitoring` and see its password."
            )
        answer.raise_for_status()
        return msgspec.json.decode(await answer.read(), type=form)


def _compare_exchanges(topology: Topology, state: _State) -> list[Difference]:
    differences = []
    for exchange in topology.exchanges:
        there = state.exchanges.get(exchange.name)
        expected = f"{exchange.kind}, durable"
        found = f"{there.type}, {_durability(there.durable)}" if there is not None else "missing"
        if found != expected:
            differences.append(Difference(what=f"exchange {exchange.name}", expected=expected, found=found))
    return differences


def _compare_queues(topology: Topology, state: _State) -> list[Difference]:
    differences = []
    for queue in topology.queues:
        there = state.queues.get(queue.name)
        if there is None:
            differences.append(Difference(what=f"queue {queue.name}", expected="durable", found="missing"))
            continue
        if not there.durable:
            differences.append(Difference(what=f"queue {queue.name}", expected="durable", found="transient"))
        ours = dict(queue.arguments)
        for name in sorted({*ours, *there.arguments}):
            expected, found = str(ours.get(name, "not set")), str(there.arguments.get(name, "not set"))
            if expected != found:
                differences.append(Difference(what=f"queue {queue.name} {name}", expected=expected, found=found))
    return differences


def _compare_bindings(topology: Topology, state: _State) -> list[Difference]:
    ours = {(one.exchange, one.queue, one.key) for one in topology.bindings}
    queues = {queue.name for queue in topology.queues}
    # Every queue is bound to the default exchange by its name, always; that one has no name.
    there = {one for one in state.bindings if one[0] and one[1] in queues}
    missing = [_difference(one, expected="there", found="missing") for one in sorted(ours - there)]
    return missing + [_difference(one, expected="none", found="there") for one in sorted(there - ours)]


def _difference(binding: tuple[str, str, str], *, expected: str, found: str) -> Difference:
    one = Binding(exchange=binding[0], queue=binding[1], key=binding[2])
    return Difference(what=f"binding {one.exchange} -{one.key}-> {one.queue}", expected=expected, found=found)


def _durability(durable: bool) -> str:  # noqa: FBT001 - the broker's own yes or no
    return "durable" if durable else "transient"
