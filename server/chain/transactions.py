"""Transactions: put together, measured and signed once; from then on only the same bytes are ever sent."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import AdvanceNonceAccountParams, advance_nonce_account
from solders.transaction import VersionedTransaction

from server.chain.accounts import Nonce
from server.chain.ledger import Recent
from server.chain.signing import Signer, sign_all
from shared.problems import InputUnusable, Internal

LARGEST = 1232
"""Bytes of a transaction on the wire (a packet of IPv6's smallest MTU less its headers)."""

MOST_UNITS = 1_400_000


class TransactionTooLarge(InputUnusable):
    """What was put together does not fit into one transaction: put less into it."""

    code = "chain_transaction_too_large"


class Budget(Struct, frozen=True, kw_only=True):
    """The compute units a transaction may use, and what is paid for each, in millionths of a lamport."""

    units: int
    price: int = 0

    @property
    def lamports(self) -> int:
        """Return the priority fee: the units asked for are paid, used or not, rounded up."""
        return -(-self.units * self.price // 1_000_000)


class Draft(Struct, frozen=True, kw_only=True):
    """What is to be done, and who pays."""

    payer: Pubkey
    instructions: tuple[Instruction, ...]
    budget: Budget
    tables: tuple[AddressLookupTableAccount, ...] = ()


class DurableNonce(Struct, frozen=True, kw_only=True):
    """A nonce account and its present value: of all transactions that name it, one lands."""

    address: Pubkey
    nonce: Nonce


class Sealed(Struct, frozen=True, kw_only=True):
    """A signed transaction as it is stored before it is sent.

    ``last_height`` is the last block in which it can land; None under a durable nonce, which waits for ever.
    """

    raw: bytes
    signature: Signature
    last_height: int | None = None


async def seal_recent(draft: Draft, recent: Recent, signers: Sequence[Signer]) -> Sealed:
    """Sign under a recent blockhash.

    Raises:
        TransactionTooLarge: it does not fit.
        SettingsInvalid: a key is not at hand.
    """
    message = _compile(draft, (), recent.blockhash)
    return await _sign(message, signers, recent.last_height)


async def seal_nonce(draft: Draft, durable: DurableNonce, signers: Sequence[Signer]) -> Sealed:
    """Sign under a durable nonce, which the transaction uses up first of all.

    Raises:
        TransactionTooLarge: it does not fit.
        SettingsInvalid: a key is not at hand.
    """
    advance = advance_nonce_account(
        AdvanceNonceAccountParams(nonce_pubkey=durable.address, authorized_pubkey=durable.nonce.authority)
    )
    message = _compile(draft, (advance,), Hash(durable.nonce.value))
    return await _sign(message, signers, None)


def measure(draft: Draft, *, durable: bool) -> int:
    """Return the bytes a draft will have on the wire, without signing it; more than `LARGEST` cannot be sent."""
    filler = Pubkey(bytes(31) + b"\x09")
    advance = advance_nonce_account(AdvanceNonceAccountParams(nonce_pubkey=filler, authorized_pubkey=draft.payer))
    message = _compile(draft, (advance,) if durable else (), Hash.default())
    return _size(message)


def unsigned(draft: Draft) -> bytes:
    """Return a draft as a node may try it out: without signatures, and without a nonce, which would not fit its blockhash."""
    message = _compile(draft, (), Hash.default())
    nothing = [Signature.default()] * message.header.num_required_signatures
    return bytes(VersionedTransaction.populate(message, nothing))


def _compile(draft: Draft, before: tuple[Instruction, ...], blockhash: Hash) -> MessageV0:
    if not 0 < draft.budget.units <= MOST_UNITS:
        raise Internal(f"A transaction has 1 to {MOST_UNITS} compute units.")
    price = (set_compute_unit_price(draft.budget.price),) if draft.budget.price else ()
    instructions = [*before, set_compute_unit_limit(draft.budget.units), *price, *draft.instructions]
    return MessageV0.try_compile(draft.payer, instructions, list(draft.tables), blockhash)


def _size(message: MessageV0) -> int:
    # a compact length of one byte, then the signatures, then the message
    return 1 + 64 * message.header.num_required_signatures + len(to_bytes_versioned(message))


async def _sign(message: MessageV0, signers: Sequence[Signer], last_height: int | None) -> Sealed:
    size = _size(message)
    if size > LARGEST:
        raise TransactionTooLarge(f"The transaction has {size} bytes, {LARGEST} fit: put less into it.")
    wanted = message.account_keys[: message.header.num_required_signatures]
    signatures = await sign_all(to_bytes_versioned(message), wanted, signers)
    transaction = VersionedTransaction.populate(message, signatures)
    if not all(transaction.verify_with_results()):
        raise Internal("A key's keeper gave a signature that is none.")
    return Sealed(raw=bytes(transaction), signature=signatures[0], last_height=last_height)
