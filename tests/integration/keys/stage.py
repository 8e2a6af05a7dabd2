"""An event of three days whose keys are looked after: gates that read with what they were sent, phones with what they fetched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct
from msgspec.structs import replace

from server.db.pool import open_database
from server.domain.access import Role, User
from server.services.bundles import make_bundle
from server.services.codes import CodeMint
from server.services.context import Context
from server.services.keys import KeyVault
from server.services.rows import TicketRow
from server.services.show_code import Wallet, fill_wallet
from shared.admission.policy import Policy, Window
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.codes.bundle import KeyBundle, open_bundle
from shared.codes.keys import KeyRing
from shared.codes.reader import CodeRead, CodeReader
from shared.ids import UserId
from tests.conftest import Databases
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import DOORS, Stage, set_up_with
from tests.integration.server.selling.test_codes import rotate

DAY = timedelta(days=1)
OLD_KEK = hashlib.sha256(b"the first key-encryption key").digest()
NEW_KEK = hashlib.sha256(b"the second key-encryption key").digest()
RING = KeyRing({"k1": OLD_KEK})


class Festival(Struct, frozen=True, kw_only=True, eq=False):
    """A stage, and what it takes to show and read codes on it."""

    stage: Stage
    mint: CodeMint

    @property
    def clock(self) -> ManualClock:
        """The clock of everybody."""
        return self.stage.clock

    @property
    def context(self) -> Context:
        """What use cases are handed."""
        return self.stage.context

    def elsewhere(self, ring: KeyRing = RING) -> Context:
        """Return the means of another process: the same database, nothing remembered."""
        return replace(self.context, vault=KeyVault(ring, os.urandom, self.clock))

    async def ticket(self) -> TicketRow:
        """Issue one ticket."""
        return (await self.stage.issue(1))[0]

    def owner(self, ticket: TicketRow) -> User:
        """Return whose ticket it is."""
        assert ticket.owner is not None
        return User(tenant=ticket.tenant, user=UserId(ticket.owner), role=Role.CUSTOMER)

    async def wallet(self, ticket: TicketRow) -> Wallet:
        """Return what a phone that asks now is given."""
        return await fill_wallet(self.context, self.mint, self.owner(ticket), ticket.id)

    async def bundle(self, gate: PaperGate) -> KeyBundle:
        """Return what a gate that connects now is sent, opened as the gate opens it."""
        now = self.clock.now()
        async with self.stage.db.tenant(self.stage.tenant) as tx:
            row, event = await tx.gates.get(gate.id), await tx.events.get(self.stage.event)
            assert row is not None
            assert event is not None
            made = await make_bundle(tx, self.context, row, event, now)
        return open_bundle(made.sealed, gate.id, gate.seal, Ed25519PublicKey.from_public_bytes(gate.config_key))

    async def reader(self, gate: PaperGate) -> CodeReader:
        """Return how a gate that connects now reads codes."""
        return CodeReader((await self.bundle(gate)).epochs)

    def look(self, reader: CodeReader, wallet: Wallet) -> Reason:
        """Hold a phone in front of a gate now and return what the gate makes of the code."""
        read = reader.read(rotate(wallet, self.clock), self.clock.now())
        return Reason.OK if isinstance(read, CodeRead) else read.reason


def long_policy(**changes: object) -> Policy:
    """Return a policy for three days."""
    window = Window(doors=DOORS, starts=DOORS, ends=DOORS + 3 * DAY)
    return replace(Policy(version=1, window=window), **changes)


@asynccontextmanager
async def open_festival(
    database: Databases, clock: ManualClock, policy: Policy | None = None, *, code_policy: int = 0
) -> AsyncIterator[Festival]:
    """Open a database and set the event up in it."""
    async with open_database(database.app_dsn, database.worker_dsn) as db:
        vault = KeyVault(RING, os.urandom, clock)
        stage = await set_up_with(db, vault, clock, policy or long_policy(), code_policy)
        yield Festival(stage=stage, mint=CodeMint())


def stranger() -> UserId:
    """Return somebody nobody knows."""
    return UserId(uuid4())
