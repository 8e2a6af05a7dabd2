"""One gate loading a snapshot, in a process of its own so that its memory can be told: `gate_load DATA` prints JSON."""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from gate.identity import Identity, load_identity
from gate.keystore import GateKeys, load_keys
from gate.store.shadow import open_shelf
from gate.store.world import open_world
from gate.sync.credential import Credential
from gate.sync.http import GateHttp, open_session
from gate.sync.snapshot import SnapshotProgress, load_snapshot
from shared.clock import SystemClock
from shared.logs import configure_logs


class Loaded(Struct, frozen=True, kw_only=True):
    """What a load took: from the first chunk's arrival to the last row in use, and megabytes of memory at most."""

    tickets: int
    seconds: float
    peak_mb: float


async def load(data: Path, identity: Identity, keys: GateKeys) -> Loaded:
    """Load the event's snapshot into a data directory."""
    credential = Credential(identity.gate, identity.tenant, keys.sign, SystemClock())
    async with open_session() as session:
        http = GateHttp(session, identity.server, credential)
        await http.fetch_manifest(identity.event)  # built from here on: what is measured is the gate's own work
        began_s = time.perf_counter()
        world = await open_world(data)
        async with open_shelf(data) as shelf:
            await load_snapshot(http, shelf, identity.event, _ignore)
        seconds = time.perf_counter() - began_s
        tickets = await world.count_tickets()
        await world.close()
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Loaded(tickets=tickets, seconds=seconds, peak_mb=peak_kb / 1024)


def _ignore(_: SnapshotProgress) -> None:
    """Take no notice of progress."""


if __name__ == "__main__":
    configure_logs("error")  # standard output is the figures'
    place = Path(sys.argv[1])
    sys.stdout.write(msgspec.json.encode(asyncio.run(load(place, load_identity(place), load_keys(place)))).decode())
