"""An address that cannot be a broker's is refused before anything is opened, and never shown."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("amqps://user:hush@host/?no_verify_ssl=1", "no_verify_ssl"),
        ("amqp://user:hush@host/?cafile=/tmp/ca.pem", "scheme has no TLS"),
        ("amqps://user:hush@host/?keyfile=/tmp/key.pem", "without the certfile"),
        ("amqps://user:hush@host/?cafile=/nowhere/ca.pem", "cafile=/nowhere/ca.pem cannot be read"),
        ("amqps://user:hush@host/?certfile=/nowhere/own.pem", "certfile=/nowhere/own.pem cannot be read"),
        ("amqps://user:hush@host/?cafile=EMPTY", "is not usable"),
        ("amqps://user:hush@host/?certfile=EMPTY&keyfile=EMPTY", "is not usable"),
    ],
)
async def test_certificates_that_cannot_be_meant_are_refused_before_anything_is_opened(
    url: str, meant: str, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate\n")
    with pytest.raises(SettingsInvalid, match=meant) as caught:
        async with open_rabbit(RabbitPlan(url=Secret(url.replace("EMPTY", str(empty))))):
            raise AssertionError(url)
    assert "RABBITMQ_URL" in str(caught.value)
    assert "hush" not in str(caught.value)
