"""How many orders a second one client, and eight, get through a whole embedded server over HTTP.

Run: `python -m benchmarks.selling [SECONDS]`. PostgreSQL is durable here, as in service.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import aiohttp

from server.embedded_stack import EmbeddedServer, embedded_server
from server.seed import SeededEvent
from server.settings import EmbeddedSettings, Payments
from shared.logs import configure_logs


async def order(session: aiohttp.ClientSession, server: EmbeddedServer, event: SeededEvent) -> float:
    """Reserve and buy one ticket as somebody new; return the seconds it took."""
    token = server.make_token(event.tenant, uuid4(), "customer", "")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": os.urandom(16).hex()}
    wish = {"eventId": str(event.event), "tickets": [{"ticketTypeId": str(event.types[0].id), "quantity": 1}]}
    begun = time.perf_counter()
    async with session.post("/api/v1/tickets/reserve", json=wish, headers=headers) as response:
        held = await response.json()
    paid = {
        "reservationId": held["reservationId"],
        "paymentId": f"demo_{held['totalCents']}_{held['currency']}_{os.urandom(8).hex()}",
    }
    async with session.post("/api/v1/tickets/purchase", json=paid, headers=headers) as response:
        response.raise_for_status()
    return time.perf_counter() - begun


async def measure(server: EmbeddedServer, event: SeededEvent, clients: int, seconds: float) -> str:
    """Let some clients order until the time is over and return a line of figures."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    async def one_client() -> None:
        async with aiohttp.ClientSession(server.base_url) as session:
            while time.perf_counter() < end:
                taken.append(await order(session, server, event))

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(one_client())
    taken.sort()
    median, late = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    return (
        f"{clients} client(s): {len(taken) / seconds:.0f} orders/s, "
        f"p50 {median * 1000:.1f} ms, p99 {late * 1000:.1f} ms ({len(taken)} orders)"
    )


async def main(directory: Path, seconds: float) -> None:
    """Measure and print."""
    configure_logs("warning")
    async with embedded_server(directory / "data", EmbeddedSettings(payments=Payments.DEMO)) as server:
        event = (await server.seed(places=100_000)).main
        await measure(server, event, 1, 2)
        for clients in (1, 8):
            cpu_s = time.process_time()
            figures = await measure(server, event, clients, seconds)
            print(f"{figures}, {(time.process_time() - cpu_s) / seconds:.0%} of a core for server and clients")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the database runs as another account when this one is root
        asyncio.run(main(Path(place), float(sys.argv[1]) if len(sys.argv) > 1 else 8.0))
