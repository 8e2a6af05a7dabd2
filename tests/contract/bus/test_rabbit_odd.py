"""A message with properties no library reads is handled as any other, and shown as a dead letter beside the others."""

from __future__ import annotations

import aio_pika
import pytest
from pamqp.commands import Basic

from server.bus.rabbit import open_rabbit
from server.bus.topology import FOREIGN_EVENTS
from server.services.ports_bus import Outcome
from tests.contract.bus.rig import Inbox, consuming, payment, until
from tests.contract.bus.test_rabbit_faults import plan_for
from tests.services.plugin import VirtualHost


class Noise(str):
    """A text whose bytes are no UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Return the noise."""
        return b"\xff\xfe\xfd"


ODD = {
    "message id": Basic.Properties(message_id=Noise("noise")),
    "header": Basic.Properties(headers={"odd": 1, Noise("noise"): 2}, message_id="odd-1"),
}


@pytest.mark.parametrize("kind", sorted(ODD))
async def test_a_message_with_unreadable_properties_stops_nobody(vhost: VirtualHost, kind: str) -> None:
    async with open_rabbit(plan_for(vhost.url)) as bus, await aio_pika.connect(vhost.admin_url) as connection:
        await bus.check()
        inbox = Inbox(Outcome.DEAD)
        async with connection.channel() as channel:
            below = await channel.get_underlay_channel()
            await below.basic_publish(
                b"odd", exchange=FOREIGN_EVENTS, routing_key="payment.completed", properties=ODD[kind]
            )
        await bus.post(payment("p1"))
        async with consuming(bus, inbox):
            arrived = {one.body: one for one in await inbox.have(2)}
        odd = arrived[b"odd"]
        assert (odd.message_id.startswith("sha256:"), odd.attempt, len(inbox.arrived)) == (True, 1, 2)
        dead = await until(lambda: bus.list_dead(10), lambda found: len(found) == 2)
        assert {one.message_id for one in dead} == {odd.message_id, "p1"}
