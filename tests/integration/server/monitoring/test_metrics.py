"""What a running server tells Prometheus: that it counts what happens, to whom it tells it, and what it never tells."""

from __future__ import annotations

import asyncio
import re

import pytest

from server.listening import PortBusy, bind
from server.parts import Share
from server.settings_monitoring import MonitoringPlan
from shared.clock import ManualClock
from shared.settings import Secret
from shared.sync.scan import Mode
from shared.sync.wire import Ack, Ping, Scans, Vitals
from tests.conftest import Databases
from tests.integration.server.doors.house import House, open_house
from tests.integration.server.doors.linked import enter, settle
from tests.integration.server.doors.stage import EVENING

TOKEN = "0123456789abcdefghijklmnopqrstuvwxyz"
PLAN = MonitoringPlan(host="127.0.0.1", port=0, token=Secret(TOKEN))
SAMPLE = re.compile(r"^(tickettoken_\w+(?:\{.*\})?) (\S+)$", re.MULTILINE)
PATIENCE_S = 60
HELD = Vitals(mode=Mode.ONLINE, held=True)


async def ask(house: House, authorization: str | None = f"Bearer {TOKEN}") -> tuple[int, str]:
    """Ask for the metrics; return status and text."""
    assert house.metrics_url is not None
    headers = {} if authorization is None else {"Authorization": authorization}
    async with house.client.get(house.metrics_url, headers=headers) as response:
        return response.status, await response.text()


async def read(house: House) -> dict[str, float]:
    """Return every sample of our own."""
    status, text = await ask(house)
    assert status == 200
    return {name: float(value) for name, value in SAMPLE.findall(text)}


async def until(house: House, name: str, value: float) -> dict[str, float]:
    """Return the samples once one of them has a value; figures are kept for some seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while (samples := await read(house)).get(name) != value:
            pass
    return samples


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at the evening."""
    return ManualClock(EVENING)


async def test_an_evening_is_told_in_numbers_and_without_a_name(database: Databases, clock: ManualClock) -> None:
    async with open_house(database, clock, monitoring=PLAN) as house:
        stage = house.stage
        [ticket] = await stage.issue(1, name="Grace Hopper")
        gate, silent = await stage.enrol("North"), await stage.enrol("South")
        head = await settle(house)
        await house.client.get(f"{house.base_url}/api/v1/events/{stage.event}", headers=house.organiser())
        wire, _ = await enter(house, gate, feed_seq=head)
        await wire.send(Ping(sent_ms=0, backlog=7, feed_seq=head, bundle_version=0, scans_per_minute=12, vitals=HELD))
        await gate.scan(ticket)
        await wire.send(Scans(signed=gate.batch()))
        await wire.until(Ack)
        samples = await until(house, "tickettoken_gates_backlog_records", 7)
        text = (await ask(house))[1]
    route = "/api/v1/events/{event}"
    assert samples[f'tickettoken_http_requests_total{{method="GET",route="{route}",status="200"}}'] == 1
    assert samples[f'tickettoken_http_request_seconds_count{{route="{route}"}}'] == 1
    assert samples['tickettoken_scan_records_total{way="websocket"}'] == 1
    assert samples['tickettoken_gates{state="heard"}'] == 1
    assert samples['tickettoken_gates{state="silent"}'] == 1
    assert samples["tickettoken_gates_scans_per_minute"] == 12
    assert samples['tickettoken_gates_by_mode{mode="held"}'] == 1
    assert samples['tickettoken_gates_by_mode{mode="online"}'] == 0
    assert samples["tickettoken_nft_oldest_seconds"] == 0
    assert not [name for name in samples if name.startswith("tickettoken_queue_messages")]  # there is no broker
    assert samples["tickettoken_gate_links"] == 1
    assert samples["tickettoken_relay_leading"] == 1
    assert samples["tickettoken_feed_entries"] >= head
    assert samples['tickettoken_worker_up{worker="relay"}'] == 1
    assert 0 < samples["tickettoken_key_horizon_seconds"] < 100 * 3600
    assert samples['tickettoken_database_connections{role="app",state="most"}'] == 10
    for secret in (stage.tenant, stage.event, ticket.id, gate.id, silent.id, "Hopper", "North", TOKEN):
        assert str(secret) not in text


async def test_metrics_are_for_whoever_has_the_token_and_on_their_own_port(
    database: Databases, clock: ManualClock
) -> None:
    async with open_house(database, clock, monitoring=PLAN) as house:
        for shown in (None, "Bearer wrong", f"Basic {TOKEN}", f"bearer {TOKEN}x", "Bearer \udcff"):
            assert await ask(house, shown) == (401, "A token is needed.\n")
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with house.client.get(f"{house.base_url}/metrics", headers=headers) as response:
            assert response.status == 404
        async with house.client.get(str(house.metrics_url).replace("/metrics", "/health")) as response:
            assert response.status == 404
        answers = await asyncio.gather(*(ask(house) for _ in range(20)))
        assert {status for status, _ in answers} == {200}


async def test_a_server_without_work_leaves_the_installation_to_the_workers(
    database: Databases, clock: ManualClock
) -> None:
    async with open_house(database, clock, monitoring=PLAN, share=Share.SERVE) as house:
        samples = await read(house)
    assert "tickettoken_build_info" in "".join(samples)
    assert samples["tickettoken_figures_up"] == 0
    assert 'tickettoken_worker_up{worker="relay"}' not in samples


async def test_a_port_that_is_taken_is_told_by_its_own_setting(database: Databases, clock: ManualClock) -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        plan = MonitoringPlan(host="127.0.0.1", port=port, token=None)
        with pytest.raises(PortBusy, match=f"port {port} on 127.0.0.1 is in use: choose another METRICS_PORT"):
            async with open_house(database, clock, monitoring=plan):
                pass
