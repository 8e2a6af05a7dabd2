"""What every part of the mint worker works with: the plan, the chain, the book, and what is wrong at the moment."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from server.chain.ledger import Ledger
from server.chain.merkle import Shape
from server.chain.nodes import Nodes
from server.chain.signing import Keys, Signer
from server.chain.storage import MetadataStorage
from server.chain.wallets import Wallets
from server.services.ports_mint import MintDatabase
from shared.clock import Clock
from shared.ids import RandomBytes
from shared.secrecy import Reticent

log = structlog.get_logger()

PAUSE = timedelta(seconds=15)
MAINNET = "mainnet"


class Caps(Struct, frozen=True, kw_only=True):
    """The most lamports that may be spent: with one transaction, in an hour, in a day."""

    tx: int = 1_000_000_000
    hour: int = 2_000_000_000
    day: int = 10_000_000_000


class MintPlan(Reticent, frozen=True, kw_only=True):
    """How minting is done. ``creator`` makes trees and collections; without it they are made by hand, with the key from its safe.

    ``version`` 2 is Bubblegum with a collection per organiser, 1 the cheap one without. Assets that are to go are burned
    ``burn_after`` they were frozen. A priority fee is at most ``most_price`` millionths of a lamport a compute unit.
    """

    network: str
    keys: Keys
    creator: Signer | None
    wallets: Wallets
    storage: MetadataStorage
    shape: Shape
    version: int = 2
    nonces: int = 8
    caps: Caps = Caps()
    burn_after: timedelta = timedelta(0)
    most_price: int = 200_000
    most_tries: int = 8


class MintState(Struct, kw_only=True):
    """What the worker is doing, for the health page and metrics; ``problem`` is the code of what holds all minting up.

    ``faults`` is how much of the last comparison with the chain needs a person, None before there was one.
    """

    leading: bool = False
    problem: str | None = None
    halted_until: datetime | None = None
    minted: int = 0
    in_flight: int = 0
    faults: int | None = None
    compared_at: datetime | None = None


class Desk(Struct, frozen=True, kw_only=True):
    """The means of the worker's parts."""

    db: MintDatabase
    nodes: Nodes
    ledger: Ledger
    plan: MintPlan
    clock: Clock
    random_bytes: RandomBytes
    state: MintState

    def halt(self, problem: str) -> None:
        """Sign nothing new for a while: what is wrong would meet every transaction."""
        if self.state.problem != problem:
            log.warning("mint.halted", problem=problem)
        self.state.problem = problem
        self.state.halted_until = self.clock.now() + PAUSE

    def resume(self) -> None:
        """Note that a transaction was taken: whatever was wrong is over."""
        if self.state.problem is not None:
            log.info("mint.resumed", problem=self.state.problem)
        self.state.problem = self.state.halted_until = None

    def is_halted(self) -> bool:
        """Tell whether signing waits; after the pause one round may try."""
        until = self.state.halted_until
        return until is not None and self.clock.now() < until
