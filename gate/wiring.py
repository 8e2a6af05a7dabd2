"""How the parts of a gate that face the server are put together."""

from __future__ import annotations

import random

import aiohttp
from msgspec import Struct

from gate.admit import Admitter
from gate.deciding import Post
from gate.desk import ScanDesk
from gate.gauge import Gauge
from gate.identity import Identity
from gate.obedience import Obedience, ObedienceParts
from gate.remote import GateRemote, RemoteParts
from gate.setup import AgentSetup, Stores
from gate.sync.backoff import Backoff
from gate.sync.doer import Doer, DoerParts
from gate.sync.driver import DriverParts, SyncDriver
from gate.watch import Watch


class Ears(Struct, frozen=True, kw_only=True, eq=False):
    """Who is told when something came from the server, who does what it commands, and how the gate is when it asks."""

    watch: Watch
    obedience: Obedience
    gauge: Gauge


def make_remote(setup: AgentSetup, session: aiohttp.ClientSession) -> GateRemote:
    parts = RemoteParts(
        directory=setup.directory,
        identity=setup.identity,
        keys=setup.keys,
        clock=setup.clock,
        broker=setup.broker,
    )
    return GateRemote(parts, session)


def make_post(identity: Identity) -> Post:
    return Post(
        gate=identity.gate,
        name=identity.name,
        direction=identity.direction,
        zones=identity.zones,
        products=identity.products,
        role=identity.role,
    )


def make_obedience(setup: AgentSetup, stores: Stores, desk: ScanDesk, admitter: Admitter) -> Obedience:
    return Obedience(
        ObedienceParts(
            directory=setup.directory,
            trust=stores.trust,
            post=stores.post,
            desk=desk,
            turn=admitter.turn,
            belief=stores.belief,
            clock=setup.clock,
        )
    )


def make_driver(setup: AgentSetup, stores: Stores, server: GateRemote, ears: Ears) -> SyncDriver:
    doer = Doer(
        DoerParts(
            gate=setup.identity.gate,
            sign_key=setup.keys.sign,
            engine=stores.engine,
            outbox=stores.log,
            copy=stores.world,
            listener=stores.knowledge,
            belief=stores.belief,
            obedient=ears.obedience,
            vitals=ears.gauge.read,
        )
    )
    return SyncDriver(
        DriverParts(
            event=setup.identity.event,
            engine=stores.engine,
            remote=server,
            doer=doer,
            listener=stores.knowledge,
            backoff=Backoff(setup.backoff, random.random),
            clock=setup.clock,
            on_change=ears.watch.ring,
            tick_s=setup.tick_s,
        )
    )
