"""An address that cannot be a broker's is refused before anything is opened, and never shown."""

from __future__ import annotations

import pytest

from server.bus.rabbit import check_address, open_rabbit
from server.bus.rabbit_link import RabbitPlan
from shared.problems import SettingsInvalid
from shared.settings import Secret


@pytest.mark.parametrize(
    "url", ["", "hop", "http://host/", "amqp://", "amqp://host:port/", "amqp://host:99999/", "//user:hush@host/"]
)
async def test_it_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="RABBITMQ_URL") as caught:
        async with open_rabbit(RabbitPlan(url=Secret(url))):
            raise AssertionError(url)
    assert "hush" not in str(caught.value)


def test_usable_ones_are_taken() -> None:
    for url in ("amqp://127.0.0.1", "amqps://user:password@broker.example:5671/%2Fhouse"):
        check_address(Secret(url))
    assert RabbitPlan(url=Secret("amqps://broker/%2Fhouse")).vhost == "/house"
    assert RabbitPlan(url=Secret("amqps://broker")).vhost == "/"
