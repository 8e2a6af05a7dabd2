"""What gates may do at the broker, as data, and which settings make a plan."""

from __future__ import annotations

import base64
import hashlib
import re
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from server.bus.gate_topology import GATES, event_stream, gate_keys, gate_queue, gate_rights, joined
from server.bus.topology import TICKETS
from server.gate_broker import plan_gate_broker
from server.services.broker_access import hash_password
from server.settings import Settings
from shared.ids import EventId, GateId, TenantId
from shared.problems import SettingsInvalid
from shared.settings import Secret
from shared.sync.broker import UP, name_key, name_queue, name_stream

TENANT, GATE, EVENT = TenantId(uuid4()), GateId(uuid4()), EventId(uuid4())
SETTINGS = Settings(
    database_url=Secret("d"),
    worker_database_url=Secret("w"),
    jwt_secret=Secret("j"),
    qr_encryption_key=Secret("q"),
    rabbitmq_url=Secret("amqp://tt:word@mq/tickets"),
    rabbitmq_management_url=Secret("http://tt:word@mq:15672"),
    gate_amqp_url="amqps://mq.example.org/tickets",
    gate_amqp_ca="PEM",
)


def test_rights_fit_the_gates_own_names_and_no_others() -> None:
    rights = gate_rights(TENANT, GATE, EVENT)
    queue, stream = name_queue(TENANT, GATE), name_stream(TENANT, EVENT)
    shared = [queue.name for queue in (*TICKETS.queues, *GATES.queues)] + [one.name for one in GATES.exchanges]
    foreign = [name_queue(TENANT, GateId(UUID(int=1))), name_stream(TenantId(UUID(int=1)), EVENT)]
    names = [queue, stream, "amq.default", "", *shared, *foreign, queue + "x", "x" + queue, queue.replace(".", "-")]
    assert [name for name in names if re.search(rights.read, name)] == [queue, stream]
    assert {name for name in names if re.search(rights.write, name)} == {UP}
    assert [name for name in names if re.search(rights.configure, name)] == [""]


def test_keys_fit_the_gates_own_and_no_others() -> None:
    own = [name_key(kind, TENANT, GATE) for kind in ("words", "scans")]
    others = [name_key("words", TENANT, GateId(UUID(int=1))), name_key("orders", TENANT, GATE), own[0] + ".x", "#", ""]
    assert [key for key in (*own, *others) if re.search(gate_keys(TENANT, GATE), key)] == own


def test_queues_are_bounded_and_streams_age() -> None:
    assert gate_queue(TENANT, GATE).argument("x-max-length") == 1000
    assert event_stream(TENANT, EVENT).argument("x-queue-type") == "stream"
    assert {event_stream(TENANT, EVENT).argument(name) is None for name in ("x-max-age", "x-max-length-bytes")} == {
        False
    }
    whole = joined(TICKETS, GATES)
    exchanges = {one.name for one in whole.exchanges}
    assert {binding.exchange for binding in whole.bindings} <= exchanges
    assert len({one.name for one in whole.queues}) == len(whole.queues)
    dead = {one.argument("x-dead-letter-exchange") for one in whole.queues} - {None}
    assert dead <= exchanges


def test_a_password_is_hashed_as_the_broker_does() -> None:
    salt = bytes.fromhex("908dc60a")
    # The example of the broker's own documentation.
    assert hash_password("test12", salt) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    decoded = base64.b64decode(hash_password("x", salt))
    assert decoded == salt + hashlib.sha256(salt + b"x").digest()


def test_a_plan_needs_the_broker_its_administration_and_an_address_without_an_account() -> None:
    plan = plan_gate_broker(SETTINGS)
    assert plan is not None
    assert (plan.vhost, plan.offer.address, plan.offer.authority) == (
        "tickets",
        "amqps://mq.example.org/tickets",
        "PEM",
    )
    assert plan_gate_broker(replace(SETTINGS, gate_amqp_url=None)) is None
    for wrong in (
        {"rabbitmq_url": None},
        {"rabbitmq_management_url": None},
        {"gate_amqp_url": "https://mq.example.org/tickets"},
        {"gate_amqp_url": "amqps://me:word@mq.example.org/tickets"},
        {"gate_amqp_url": "amqps://mq.example.org/other"},
    ):
        with pytest.raises(SettingsInvalid):
            plan_gate_broker(replace(SETTINGS, **wrong))
