"""Which brokers a gate connects to."""

from __future__ import annotations

import pytest

from gate.sync.broker_address import BrokerAddress, read_broker_address
from shared.problems import InputUnusable


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("amqps://mq.example.org", BrokerAddress(host="mq.example.org", port=5671, vhost="/", tls=True)),
        ("amqps://mq.example.org:443/tt", BrokerAddress(host="mq.example.org", port=443, vhost="tt", tls=True)),
        ("amqps://mq.example.org/a%2Fb", BrokerAddress(host="mq.example.org", port=5671, vhost="a/b", tls=True)),
        ("amqp://localhost/tt", BrokerAddress(host="localhost", port=5672, vhost="tt", tls=False)),
        ("amqp://127.0.0.1:5673/", BrokerAddress(host="127.0.0.1", port=5673, vhost="/", tls=False)),
    ],
)
def test_address_is_read_into_its_parts(given: str, taken: BrokerAddress) -> None:
    assert read_broker_address(given, allow_plain=False) == taken


@pytest.mark.parametrize(
    "given",
    [
        "",
        "mq.example.org",
        "https://mq.example.org",
        "amqps://",
        "amqps://user:word@mq.example.org",
        "amqps://a:b:c",
        "amqps://h?a=1",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(InputUnusable, match="not a broker's address"):
        read_broker_address(given, allow_plain=True)


def test_another_machine_without_tls_is_refused_unless_somebody_took_the_risk() -> None:
    with pytest.raises(InputUnusable, match="TICKETTOKEN_GATE_ALLOW_HTTP"):
        read_broker_address("amqp://10.0.0.7/tt", allow_plain=False)
    assert not read_broker_address("amqp://10.0.0.7/tt", allow_plain=True).tls
