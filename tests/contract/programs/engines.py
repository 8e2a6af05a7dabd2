"""Two ways to run the programs in a virtual machine of this process, held to the same tests.

``Model``: stubs that take any call stand where the programs stand, so that signatures, sizes, fees and tables are checked by the
machine itself, and the rules are those of `tests.chain_node.bubblegum`. ``Compiled``: the programs of the folder that
`TICKETTOKEN_SOLANA_PROGRAMS` names, and nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace
from solders.account import Account
from solders.address_lookup_table_account import ID as LOOKUP_TABLES
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import CompiledInstruction, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from server.chain.accounts import TreeConfig, read_tree, read_tree_config
from server.chain.programs import BUBBLEGUM, MPL_CORE, MPL_NOOP, SPL_NOOP, find_tree_config
from server.chain.refusals import read_refusal
from server.chain.transactions import LARGEST
from tests.chain_node.bubblegum import Bubblegum, ProgramRefused
from tests.chain_node.called import read_accounts, read_calls
from tests.chain_node.stub_program import stub_program

_OPEN_TABLE = bytes.fromhex("01000000ffffffffffffffff").ljust(56, b"\0")
RICH = 1_000_000_000_000


class Refused(Exception):
    """A transaction failed; ``number`` is what the program that refused says."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Engine(Protocol):
    """A chain in this process."""

    def run(
        self, calls: Sequence[Instruction], signers: Sequence[Keypair], table: AddressLookupTableAccount | None = None
    ) -> list[bytes]:
        """Land one transaction, paid by the first signer; return the events that programs wrote.

        Raises:
            Refused: a program refused.
        """
        ...

    def root(self, tree: Pubkey) -> bytes:
        """Return a tree's root."""
        ...

    def config(self, tree: Pubkey) -> TreeConfig:
        """Return who may mint into a tree, and how many were minted."""
        ...

    def rent(self, size: int) -> int:
        """Return the lamports that an account of so many bytes must hold."""
        ...

    def plant(self, table: AddressLookupTableAccount) -> None:
        """Put a lookup table where transactions find it."""
        ...


class _Machine:
    """What both have in common."""

    def __init__(self, programs: Mapping[Pubkey, bytes]) -> None:
        self._svm = LiteSVM()
        self._tables: dict[Pubkey, list[Pubkey]] = {}
        for address, binary in programs.items():
            self._svm.add_program(address, binary)

    def rent(self, size: int) -> int:
        return int(self._svm.minimum_balance_for_rent_exemption(size))

    def plant(self, table: AddressLookupTableAccount) -> None:
        body = _OPEN_TABLE + b"".join(bytes(one) for one in table.addresses)
        self._svm.set_account(table.key, Account(RICH, body, LOOKUP_TABLES))
        self._svm.warp_to_slot(100)
        self._tables[table.key] = list(table.addresses)

    def _land(
        self, calls: Sequence[Instruction], signers: Sequence[Keypair], table: AddressLookupTableAccount | None
    ) -> tuple[bytes, list[list[CompiledInstruction]]]:
        payer = signers[0].pubkey()
        if self._svm.get_balance(payer) in (None, 0):
            self._svm.airdrop(payer, RICH)
        self._svm.expire_blockhash()
        tables = [] if table is None else [table]
        message = MessageV0.try_compile(payer, list(calls), tables, self._svm.latest_blockhash())
        transaction = VersionedTransaction(message, list(signers))
        assert len(bytes(transaction)) <= LARGEST, "the transaction does not fit into a packet"
        done = self._svm.send_transaction(transaction)
        if isinstance(done, FailedTransactionMetadata):
            refusal = read_refusal(done.meta().logs())
            assert refusal is not None, (done.err(), done.meta().logs())
            raise Refused(refusal.number)
        inner = [[one.instruction() for one in group] for group in done.inner_instructions()]
        return bytes(transaction), inner


class Compiled(_Machine):
    """The programs themselves."""

    def run(
        self, calls: Sequence[Instruction], signers: Sequence[Keypair], table: AddressLookupTableAccount | None = None
    ) -> list[bytes]:
        raw, inner = self._land(calls, signers, table)
        keys = read_accounts(raw, self._tables)
        noops = {keys.index(one) for one in (MPL_NOOP, SPL_NOOP) if one in keys}
        return [bytes(one.data) for group in inner for one in group if one.program_id_index in noops]

    def root(self, tree: Pubkey) -> bytes:
        return read_tree(self._data(tree)).root

    def config(self, tree: Pubkey) -> TreeConfig:
        return read_tree_config(self._data(find_tree_config(tree)))

    def _data(self, address: Pubkey) -> bytes:
        account = self._svm.get_account(address)
        assert account is not None
        return bytes(account.data)


class Model(_Machine):
    """Stubs and our rules."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys((BUBBLEGUM, MPL_CORE), stub_program()))
        self.rules = Bubblegum()

    def run(
        self, calls: Sequence[Instruction], signers: Sequence[Keypair], table: AddressLookupTableAccount | None = None
    ) -> list[bytes]:
        raw, _ = self._land(calls, signers, table)
        signing = frozenset(one.pubkey() for one in signers)
        try:
            return [event for _, event in self.rules.run(read_calls(raw, self._tables), signing)]
        except ProgramRefused as refused:
            raise Refused(refused.number) from refused

    def root(self, tree: Pubkey) -> bytes:
        # Through the account's bytes, as any reader sees it.
        size = replace(self.rules.trees[tree].shape).account_bytes
        return read_tree(self.rules.account(tree, size)).root

    def config(self, tree: Pubkey) -> TreeConfig:
        return read_tree_config(self.rules.config(tree))
