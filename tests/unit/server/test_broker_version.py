"""A broker that would lose dead letters is refused, whatever it calls itself otherwise."""

from __future__ import annotations

import pytest

from server.bus.checkup import judge_version
from server.bus.problems import BrokerTooOld


@pytest.mark.parametrize("version", ["3.10.8", "3.13.0", "4.0.2", "3.10"])
def test_a_broker_that_is_new_enough_is_named(version: str) -> None:
    assert judge_version({"product": "RabbitMQ", "version": version}) == f"RabbitMQ {version}"
    assert judge_version({"product": b"RabbitMQ", "version": version.encode()}) == f"RabbitMQ {version}"


@pytest.mark.parametrize("version", ["3.9.29", "3.8.0", "2.7.1"])
def test_an_older_one_is_refused(version: str) -> None:
    with pytest.raises(BrokerTooOld, match=version):
        judge_version({"product": "RabbitMQ", "version": version})


def test_one_that_does_not_say_is_not_refused_for_it() -> None:
    assert judge_version({}) == ""
    assert judge_version({"version": "main"}) == "main"
