"""The same evenings with gates linked through a real RabbitMQ: queues, streams, accounts and confirmations are its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.db.pool import PgDatabase
from tests.services.plugin import VirtualHost, broker, vhost
from tests.simulation.broker_side import BrokerServer
from tests.simulation.seeds import broker_batches, name_batch, plan_of, play_all

__all__ = ["broker", "vhost"]


@pytest.mark.timeout(900)  # three minutes, on a machine that has other things to do
@pytest.mark.parametrize("seeds", broker_batches(), ids=name_batch)
@pytest.mark.parametrize("exits", [False, True], ids=["one entry", "in and out"])
async def test_everybody_agrees_when_the_gates_are_linked_over_a_broker(
    db: PgDatabase, files: Path, vhost: VirtualHost, seeds: range, exits: bool
) -> None:
    class Linked(BrokerServer):
        """The server at this test's virtual host."""

    Linked.vhost = vhost
    plans = [plan_of(seed, exits=exits) for seed in seeds]
    reports = await play_all(db, files, plans, "test_over_broker.py", Linked)
    assert not reports, "\n".join(reports)
