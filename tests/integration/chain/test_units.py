"""What a transaction may use is asked of a node before it is signed, and a node's lies have bounds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import Struct
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from server.chain.composing import Composed
from server.chain.ledger import Simulated
from server.chain.problems import ChainAway
from server.chain.transactions import Budget, Draft, unsigned
from server.chain.units import Alike, Units, choose_units
from shared.clock import ManualClock
from tests.integration.chain.conftest import Chain

ALIKE = Alike("mint", 2, 14, 1, table=False)


def pays(payer: Pubkey, units: int, lamports: int = 5_000_000) -> Composed:
    """Return a payment with a limit that is far too wide or too narrow."""
    wish = TransferParams(from_pubkey=payer, to_pubkey=Keypair().pubkey(), lamports=lamports)
    draft = Draft(payer=payer, instructions=(transfer(wish),), budget=Budget(units=units, price=1_000_000))
    return Composed(draft=draft, signers=(), lamports=5_000 + draft.budget.lamports)


class Oracle(Struct, kw_only=True):
    """The desk of somebody who asks one node: its ledger says what it was told to."""

    clock: ManualClock
    told: list[Simulated | Exception]

    @property
    def ledger(self) -> Oracle:
        """Return where simulations are asked for."""
        return self

    async def simulate(self, _: bytes) -> Simulated:
        """Answer what was told next."""
        answer = self.told.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_a_node_says_what_a_transaction_would_use(chain: Chain) -> None:
    composed = pays(chain.payer.address, 20_000)
    done = await chain.ledger.simulate(unsigned(composed.draft))
    # Two calls to set the budget and one to pay: the built-in programs take 150 each.
    assert (done.failed, done.units) == (False, 450)
    refused = await chain.ledger.simulate(unsigned(pays(chain.payer.address, 20_000, 10**18).draft))
    assert refused.failed


async def test_a_limit_follows_the_simulation_and_with_it_the_price(clock: ManualClock) -> None:
    oracle = Oracle(clock=clock, told=[Simulated(failed=False, units=80_000), Simulated(failed=False, units=90_000)])
    units, composed = Units(oracle), pays(Keypair().pubkey(), 115_000)  # type: ignore[arg-type] # as much of a desk as is used
    settled = await units.settle(composed, ALIKE)
    assert settled.draft.budget.units == 80_000 * 6 // 5 + 150 + 4_500
    assert composed.lamports - settled.lamports == 115_000 - settled.draft.budget.units
    again = await units.settle(composed, ALIKE)
    assert (again.draft.budget, len(oracle.told)) == (settled.draft.budget, 1)
    clock.advance(timedelta(minutes=1))
    assert (await units.settle(composed, ALIKE)).draft.budget.units == 90_000 * 6 // 5 + 4_650


@pytest.mark.parametrize(
    "told", [Simulated(failed=True, units=900), Simulated(failed=False, units=None), ChainAway("nobody answers")]
)
async def test_without_a_simulation_the_measured_limit_stays(clock: ManualClock, told: Simulated | Exception) -> None:
    oracle = Oracle(clock=clock, told=[told])
    composed = pays(Keypair().pubkey(), 115_000)
    assert await Units(oracle).settle(composed, ALIKE) == composed  # type: ignore[arg-type] # as much of a desk as is used


@pytest.mark.parametrize(("simulated", "limit"), [(1, 57_500), (10**12, 230_000), (100_000, 124_650)])
def test_a_lie_halves_or_doubles_the_limit_at_worst(simulated: int, limit: int) -> None:
    assert choose_units(simulated, 1, 115_000) == limit
