"""What a gate's account at the broker is good for, besides being that gate: nothing."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from gate.sync.problems import GateRefused
from server.bus.gate_topology import SCANS, WORDS
from server.bus.topology import DEAD, DEAD_LETTERS, EVENTS, FOREIGN_EVENTS, INBOX, REPLAY
from server.domain import flood
from shared.sync.broker import DOWN, FEED, UP, Word, encode_message, name_account, name_key, name_queue, name_stream
from shared.sync.wire import Bye, Ping, Pong, Scans, Welcome
from tests.integration.broker.stage import Exchange
from tests.integration.broker.thief import (
    Attempt,
    Thief,
    ask_management,
    binding,
    breaking_in,
    consuming,
    cutting,
    declaring,
    declaring_exchange,
    deleting,
    deleting_exchange,
    forwarding,
    getting,
    publishing,
    purging,
    unbinding,
)
from tests.integration.server.doors.house import hello
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import open_policy, set_up_with

REFUSED = "ChannelAccessRefused"


async def neighbours(exchange: Exchange) -> tuple[PaperGate, PaperGate, PaperGate]:
    """Return a gate, its neighbour, and one of another tenant, all of them linked once."""
    house = exchange.house
    other = await set_up_with(house.parts.database, house.parts.context.vault, house.stage.clock, open_policy())
    gates = await house.stage.enrol("mine"), await house.stage.enrol("next"), await other.enrol("theirs")
    for gate in gates:
        line = await exchange.link(gate)
        await line.until(Welcome)
        await line.link.close()
    return gates


def forbidden(mine: PaperGate, other: PaperGate) -> dict[str, Attempt]:
    """Return what one gate's account must not do to another gate."""
    tenant, gate, event = other.row.tenant, other.id, other.row.event
    theirs = name_queue(tenant, gate)
    return {
        "words for another": publishing(UP, name_key("words", tenant, gate)),
        "scans for another": publishing(UP, name_key("scans", tenant, gate)),
        "read another's letters": consuming(theirs),
        "write another's letters": publishing(DOWN, f"{tenant}.{gate}"),
        "write by the default exchange": publishing("", theirs),
        "write the feed": publishing(FEED, f"{tenant}.{event}"),
        "empty another's queue": purging(theirs),
        "delete another's queue": deleting(theirs),
        "copy another's letters": binding(name_queue(mine.row.tenant, mine.id), DOWN, f"{tenant}.{gate}"),
    }


def forbidden_to_all(mine: PaperGate) -> dict[str, Attempt]:
    """Return what no gate's account must do."""
    tenant, gate, event = mine.row.tenant, mine.id, mine.row.event
    own, stream = name_queue(tenant, gate), name_stream(tenant, event)
    attempts = {
        "declare a queue": declaring(f"mine-{uuid4()}"),
        "declare an exchange": declaring_exchange(f"mine-{uuid4()}"),
        "redeclare its queue": declaring(own),
        "delete its queue": deleting(own),
        "delete its stream": deleting(stream),
        "delete the exchange": deleting_exchange(UP),
        "bind its queue to what gates say": binding(own, UP, "#"),
        "bind its queue to domain events": binding(own, EVENTS, "#"),
        "write its own feed": publishing(FEED, f"{tenant}.{event}"),
        "write its own letters": publishing(DOWN, f"{tenant}.{gate}"),
        "another kind of word": publishing(UP, name_key("orders", tenant, gate)),
        "more words in a key": publishing(UP, name_key("words", tenant, gate) + ".more"),
        "to a built-in exchange": publishing("amq.topic", "ticket.created"),
    }
    attempts |= {
        f"publish to {name}": publishing(name, "ticket.created") for name in (EVENTS, FOREIGN_EVENTS, DEAD, REPLAY)
    }
    attempts |= {f"consume {name}": consuming(name) for name in (SCANS, WORDS, INBOX, DEAD_LETTERS)}
    return attempts | {f"empty {name}": purging(name) for name in (SCANS, WORDS, INBOX, DEAD_LETTERS)}


async def outcomes(thief: Thief, attempts: dict[str, Attempt]) -> dict[str, str]:
    return {name: await thief.tries(attempt) for name, attempt in attempts.items()}


async def test_a_gates_account_may_do_nothing_but_be_that_gate(exchange: Exchange) -> None:
    mine, beside, foreign = await neighbours(exchange)
    access = await exchange.access(mine)
    await exchange.settled(mine)
    async with breaking_in(access) as thief:
        for attempts in (forbidden(mine, beside), forbidden(mine, foreign), forbidden_to_all(mine)):
            assert await outcomes(thief, attempts) == dict.fromkeys(attempts, REFUSED)
        stream = name_stream(foreign.row.tenant, foreign.row.event)
        assert await thief.tries(consuming(stream, **{"x-stream-offset": "first"})) == REFUSED
        # What it may do works, so that the refusals above mean something.
        own = name_stream(mine.row.tenant, mine.row.event)
        assert await thief.tries(consuming(own, **{"x-stream-offset": "first"})) == "done"
        assert await thief.tries(consuming(name_queue(mine.row.tenant, mine.id))) == "done"
        key = name_key("words", mine.row.tenant, mine.id)
        assert await thief.tries(publishing(UP, key)) == "done"
        assert await thief.tries(publishing(UP, key, user_id=name_account(mine.id))) == "done"
        assert await thief.tries(publishing(UP, key, user_id=name_account(beside.id))) == "ChannelPreconditionFailed"
        # A stream can be emptied by nobody: whoever tries is thrown out.
        assert await thief.tries(purging(own)) != "done"
        await asyncio.wait_for(thief.lost.wait(), 10)


async def names(exchange: Exchange, kind: str) -> list[str]:
    """Return the names of all queues or exchanges there are; the default exchange has none."""
    async with exchange.house.client.get(f"{exchange.vhost.api_url}/api/{kind}/{exchange.vhost.name}") as answer:
        return [str(one["name"]) for one in await answer.json() if one["name"]]


async def test_every_method_on_everything_there_is_is_refused_but_for_what_makes_a_gate(exchange: Exchange) -> None:
    mine, _, _ = await neighbours(exchange)
    access = await exchange.access(mine)
    await exchange.settled(mine)
    own, stream = name_queue(mine.row.tenant, mine.id), name_stream(mine.row.tenant, mine.row.event)
    queues, exchanges = await names(exchange, "queues"), await names(exchange, "exchanges")
    assert {own, stream, SCANS, WORDS, INBOX, DEAD_LETTERS} < set(queues)
    assert {UP, DOWN, FEED, EVENTS, FOREIGN_EVENTS, DEAD, REPLAY, "amq.direct"} < set(exchanges)
    attempts: dict[str, Attempt] = {}
    for queue in queues:
        attempts |= {f"delete {queue}": deleting(queue), f"redeclare {queue}": declaring(queue)}
        attempts |= {f"bind {queue}": binding(queue, UP, "#"), f"unbind {queue}": unbinding(queue, UP, "#")}
        attempts[f"write {queue}"] = publishing("", queue)
        if queue not in {own, stream}:
            attempts |= {f"get {queue}": getting(queue), f"consume {queue}": consuming(queue)}
            attempts[f"purge {queue}"] = purging(queue)
    for name in exchanges:
        attempts |= {f"delete {name}": deleting_exchange(name), f"redeclare {name}": declaring_exchange(name)}
        attempts |= {f"{name} to {UP}": forwarding(name, UP), f"cut {name} from {UP}": cutting(name, UP)}
        attempts |= {f"{UP} to {name}": forwarding(UP, name), f"copy {name}": binding(own, name, "#")}
        if name != UP:
            attempts[f"publish to {name}"] = publishing(name, name_key("words", mine.row.tenant, mine.id))
    async with breaking_in(access) as thief:
        assert await outcomes(thief, attempts) == dict.fromkeys(attempts, REFUSED)


async def test_a_gates_account_is_nobody_to_the_management_api(exchange: Exchange) -> None:
    gate = await exchange.house.stage.enrol()
    access = await exchange.access(gate)
    await exchange.settled(gate)
    asked = {
        (method, path): await ask_management(exchange.vhost.api_url, access, method, path, exchange.vhost.name)
        for method, path in (
            ("GET", "overview"),
            ("GET", "users"),
            ("GET", "queues/{vhost}"),
            ("GET", "connections"),
            ("GET", "definitions"),
            ("GET", "whoami"),
            ("PUT", "users/{me}"),
            ("PUT", "permissions/{vhost}/{me}"),
            ("PUT", "topic-permissions/{vhost}/{me}"),
            ("DELETE", "topic-permissions/{vhost}/{me}"),
            ("PUT", "queues/{vhost}/mine"),
            ("DELETE", "vhosts/{vhost}"),
        )
    }
    assert asked == dict.fromkeys(asked, 401)


async def test_words_without_the_accounts_name_on_them_are_not_heard(exchange: Exchange) -> None:
    gate = await exchange.house.stage.enrol()
    [ticket] = await exchange.house.stage.issue(1)
    await gate.scan(ticket)
    line = await exchange.link(gate)
    await line.until(Welcome)
    word = Word(session=uuid4(), frame=Scans(signed=gate.batch()))
    async with exchange.admin() as channel:
        target = await channel.get_exchange(UP, ensure=False)
        # As an account would whose rights somebody loosened by mistake.
        key = name_key("scans", gate.row.tenant, gate.id)
        await target.publish(aio_pika.Message(encode_message(word)), key, mandatory=True)
    await exchange.until_queue_empty(SCANS)
    async with exchange.house.stage.db.tenant(gate.row.tenant) as tx:
        assert (await tx.scans.read_log(gate.id, gate.incarnation)).acked == 0
    await line.link.close()


async def test_revocation_cuts_a_gate_off_at_once_and_for_good(exchange: Exchange) -> None:
    house = exchange.house
    gate, beside = await house.stage.enrol("mine"), await house.stage.enrol("next")
    access = await exchange.access(gate)
    line, other = await exchange.dial(gate, access), await exchange.link(beside)
    await line.send(hello(gate))
    await line.until(Welcome)
    await other.until(Welcome)
    async with breaking_in(access) as thief:
        status, _ = await house.ask("POST", f"/api/v1/gates/{gate.id}/revoke", house.organiser())
        assert status == 200
        async with asyncio.timeout(20):
            await thief.lost.wait()
    while (frame := await line.receive()) is not None:
        assert not isinstance(frame, Bye) or frame.code == "device_revoked"
    await line.link.close()
    with pytest.raises(GateRefused):
        await exchange.dial_once(gate, access)
    status, answer = await house.ask("POST", "/gate/v1/broker", house.gate(gate))
    assert (status, answer["code"] if isinstance(answer, dict) else None) == (403, "device_revoked")
    await other.send(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=0))
    await exchange.until_queue_gone(name_queue(gate.row.tenant, gate.id))
    await other.link.close()


async def test_an_account_that_floods_the_server_is_cut_off_while_the_neighbours_are_heard(exchange: Exchange) -> None:
    house = exchange.house
    gate, beside = await house.stage.enrol("mine"), await house.stage.enrol("next")
    access = await exchange.access(gate)
    await (await exchange.dial(gate, access)).link.close()
    other = await exchange.link(beside)
    await other.until(Welcome)
    key = name_key("words", gate.row.tenant, gate.id)
    async with breaking_in(access) as thief:
        # As fast as it can, without waiting for anything, and less than fills the queue all share.
        noise = [(key, b"noise")] * (flood.WORDS.messages + 2 * flood.CUT_AFTER)
        assert await thief.pours(UP, noise) in {"done", "ConnectionClosed", "ChannelInvalidStateError"}
        async with asyncio.timeout(20):
            await thief.lost.wait()
    await other.send(Ping(sent_ms=1, backlog=0, feed_seq=0, bundle_version=0))
    assert (await other.until(Pong)).sent_ms == 1
    await exchange.settled(gate)
    with pytest.raises(GateRefused):
        await exchange.dial_once(gate, access)
    # The gate itself, which has more than a password, gets another account.
    line = await exchange.dial(gate, await exchange.access(gate))
    await line.link.close()
    await other.link.close()
