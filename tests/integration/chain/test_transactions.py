"""Signed bytes on a real node: they land once, whoever sends them and however often."""

from __future__ import annotations

import asyncio
import os

import pytest
from msgspec.structs import replace
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import (
    CreateAccountParams,
    InitializeNonceAccountParams,
    TransferParams,
    create_account,
    initialize_nonce_account,
    transfer,
)

from server.chain.accounts import read_nonce
from server.chain.ledger import Ledger, Status
from server.chain.problems import Trouble
from server.chain.programs import SYSTEM
from server.chain.signing import MemorySigner, read_signer
from server.chain.transactions import (
    LARGEST,
    Budget,
    Draft,
    DurableNonce,
    TransactionTooLarge,
    measure,
    seal_nonce,
    seal_recent,
)
from shared.problems import Internal, SettingsInvalid
from shared.settings import Secret
from tests.integration.chain.conftest import Chain

BUDGET = Budget(units=20_000, price=1_000)
AMOUNT = 5_000_000


def pay(chain: Chain, to: Pubkey, lamports: int = AMOUNT) -> Draft:
    """Return a draft that gives somebody lamports."""
    wish = TransferParams(from_pubkey=chain.payer.address, to_pubkey=to, lamports=lamports)
    return Draft(payer=chain.payer.address, instructions=(transfer(wish),), budget=BUDGET)


async def landed(ledger: Ledger, signature: Signature) -> Status:
    """Return a transaction's status once it has one."""
    async with asyncio.timeout(30):
        while True:
            [status] = await ledger.statuses([signature])
            if status is not None and status.confirmed:
                return status


async def balance(chain: Chain, address: Pubkey) -> int:
    account = await chain.ledger.account(address)
    return 0 if account is None else account.lamports


async def make_nonce(chain: Chain) -> DurableNonce:
    """Make a nonce account that the payer may advance."""
    own = MemorySigner(Keypair.from_seed(os.urandom(32)))
    wish = CreateAccountParams(
        from_pubkey=chain.payer.address,
        to_pubkey=own.address,
        lamports=await chain.ledger.rent(80),
        space=80,
        owner=SYSTEM,
    )
    begin = InitializeNonceAccountParams(nonce_pubkey=own.address, authority=chain.payer.address)
    draft = Draft(
        payer=chain.payer.address, instructions=(create_account(wish), initialize_nonce_account(begin)), budget=BUDGET
    )
    sealed = await seal_recent(draft, await chain.ledger.recent(), [chain.payer, own])
    assert (await chain.nodes.send(sealed.raw)).taken == 1
    assert not (await landed(chain.ledger, sealed.signature)).failed
    return await read_durable(chain, own.address)


async def read_durable(chain: Chain, address: Pubkey) -> DurableNonce:
    account = await chain.ledger.account(address)
    assert account is not None
    assert account.owner == SYSTEM
    return DurableNonce(address=address, nonce=read_nonce(account.data))


async def test_the_same_bytes_sent_again_and_again_land_once(chain: Chain) -> None:
    to = Keypair().pubkey()
    sealed = await seal_recent(pay(chain, to), await chain.ledger.recent(), [chain.payer])
    assert sealed.last_height is not None
    assert (await chain.nodes.send(sealed.raw)).taken == 1
    assert not (await landed(chain.ledger, sealed.signature)).failed
    for _ in range(5):
        assert (await chain.nodes.send(sealed.raw)).find(Trouble.KNOWN) is not None
    assert await balance(chain, to) == AMOUNT
    assert not await chain.ledger.is_absent(sealed.signature)
    history = await chain.ledger.history(to, until=None)
    assert [(one.signature, one.failed) for one in history] == [(sealed.signature, False)]


async def test_of_two_transactions_under_one_nonce_one_lands(chain: Chain) -> None:
    durable = await make_nonce(chain)
    one, two = Keypair().pubkey(), Keypair().pubkey()
    first = await seal_nonce(pay(chain, one), durable, [chain.payer])
    second = await seal_nonce(pay(chain, two), durable, [chain.payer])
    assert first.last_height is None
    assert (await chain.nodes.send(first.raw)).taken == 1
    await landed(chain.ledger, first.signature)
    assert (await chain.nodes.send(second.raw)).find(Trouble.EXPIRED) is not None
    assert (await balance(chain, one), await balance(chain, two)) == (AMOUNT, 0)
    assert await chain.ledger.is_absent(second.signature)
    assert (await read_durable(chain, durable.address)).nonce.value != durable.nonce.value


async def test_a_transaction_that_cannot_be_paid_is_told_and_leaves_no_trace(chain: Chain) -> None:
    poor = MemorySigner(Keypair())
    wish = TransferParams(from_pubkey=poor.address, to_pubkey=chain.payer.address, lamports=1)
    draft = Draft(payer=poor.address, instructions=(transfer(wish),), budget=BUDGET)
    sealed = await seal_recent(draft, await chain.ledger.recent(), [poor])
    assert (await chain.nodes.send(sealed.raw)).find(Trouble.POOR) is not None
    assert await chain.ledger.is_absent(sealed.signature)


async def test_the_priority_fee_is_what_the_budget_says(chain: Chain) -> None:
    to, before = Keypair().pubkey(), await balance(chain, chain.payer.address)
    draft = replace(pay(chain, to), budget=Budget(units=30_000, price=50_000))
    sealed = await seal_recent(draft, await chain.ledger.recent(), [chain.payer])
    await chain.nodes.send(sealed.raw)
    await landed(chain.ledger, sealed.signature)
    assert draft.budget.lamports == 1_500
    assert before - await balance(chain, chain.payer.address) == AMOUNT + 5_000 + 1_500


async def test_a_draft_measures_what_it_weighs_when_sealed(chain: Chain) -> None:
    durable = await make_nonce(chain)
    draft = pay(chain, Keypair().pubkey())
    recent = await seal_recent(draft, await chain.ledger.recent(), [chain.payer])
    nonced = await seal_nonce(draft, durable, [chain.payer])
    assert (measure(draft, durable=False), measure(draft, durable=True)) == (len(recent.raw), len(nonced.raw))


async def test_what_does_not_fit_is_refused_before_it_is_signed(chain: Chain) -> None:
    note = Instruction(SYSTEM, bytes(LARGEST), [])
    draft = Draft(payer=chain.payer.address, instructions=(note,), budget=BUDGET)
    with pytest.raises(TransactionTooLarge):
        await seal_recent(draft, await chain.ledger.recent(), [chain.payer])


async def test_a_key_that_is_not_at_hand_is_named(chain: Chain) -> None:
    stranger = MemorySigner(Keypair())
    with pytest.raises(SettingsInvalid, match=str(chain.payer.address)):
        await seal_recent(pay(chain, stranger.address), await chain.ledger.recent(), [stranger])


async def test_a_keeper_that_signs_something_else_is_found_out(chain: Chain) -> None:
    class Liar(MemorySigner):
        async def sign(self, message: bytes) -> Signature:
            return await super().sign(message + b"?")

    liar = Liar(Keypair.from_bytes(chain.node.payer))
    with pytest.raises(Internal, match="signature"):
        await seal_recent(pay(chain, Keypair().pubkey()), await chain.ledger.recent(), [liar])


def test_keys_are_read_in_both_forms_and_never_shown() -> None:
    keypair = Keypair()
    for text in (str(keypair), keypair.to_json()):
        signer = read_signer(Secret(text), "SOLANA_PAYER_KEY")
        assert signer.address == keypair.pubkey()
        assert str(keypair) not in repr(signer)
    for bad in ("", "abc", "[1, 2]", str(keypair)[:-4]):
        with pytest.raises(SettingsInvalid, match="SOLANA_PAYER_KEY") as caught:
            read_signer(Secret(bad), "SOLANA_PAYER_KEY")
        assert not bad or bad not in str(caught.value)


@pytest.mark.parametrize("units", [0, 1_400_001])
async def test_a_budget_has_its_bounds(chain: Chain, units: int) -> None:
    draft = replace(pay(chain, Keypair().pubkey()), budget=Budget(units=units))
    with pytest.raises(Internal, match="compute units"):
        await seal_recent(draft, await chain.ledger.recent(), [chain.payer])
