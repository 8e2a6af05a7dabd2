"""What a gate is made from: what it is given, and the stores it has opened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from msgspec import Struct

from gate.clockbelief import ClockBelief
from gate.deciding import Post
from gate.identity import Identity
from gate.keystore import GateKeys
from gate.knowledge import Knowledge
from gate.outcome import Outcome
from gate.remote import BrokerChoice
from gate.store.log import ScanLog
from gate.store.world import World
from gate.sync.backoff import BackoffRange
from gate.sync.engine import SyncEngine
from gate.trust import OrganiserTrust
from shared.clock import Clock

OutcomeSink = Callable[[Outcome], Awaitable[None]]


class AgentSetup(Struct, frozen=True, kw_only=True, eq=False):
    """What a gate is made from; ``sink`` gets every outcome before the next scan is decided."""

    directory: Path
    identity: Identity
    keys: GateKeys
    clock: Clock
    software: str
    sink: OutcomeSink
    backoff: BackoffRange = BackoffRange()
    tick_s: float = 1.0
    broker: BrokerChoice = BrokerChoice()


class Stores(Struct, frozen=True, kw_only=True, eq=False):
    log: ScanLog
    world: World
    knowledge: Knowledge
    engine: SyncEngine
    belief: ClockBelief
    trust: OrganiserTrust
    post: Post
