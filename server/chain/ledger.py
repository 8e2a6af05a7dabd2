"""The questions we ask the chain, with answers as structs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from msgspec import Raw, Struct
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from server.chain.nodes import Nodes
from server.chain.problems import NodeFailed
from shared.problems import DataDamaged

MOST_STATUSES = 256
_CONFIRMED = {"commitment": "confirmed"}


class _Context(Struct, frozen=True):
    slot: int


class _Blockhash(Struct, frozen=True, rename="camel"):
    blockhash: str
    last_valid_block_height: int


class _BlockhashAnswer(Struct, frozen=True):
    value: _Blockhash


class _Status(Struct, frozen=True, rename="camel"):
    slot: int
    err: Raw = Raw(b"null")
    confirmation_status: str | None = None


class _StatusAnswer(Struct, frozen=True):
    context: _Context
    value: list[_Status | None]


class _Account(Struct, frozen=True):
    lamports: int
    owner: str
    data: tuple[str, str]


class _AccountAnswer(Struct, frozen=True):
    context: _Context
    value: _Account | None


class _Simulation(Struct, frozen=True, rename="camel"):
    err: Raw = Raw(b"null")
    units_consumed: int | None = None


class _SimulationAnswer(Struct, frozen=True):
    value: _Simulation


class _Fee(Struct, frozen=True, rename="camel"):
    slot: int
    prioritization_fee: int


class _Signed(Struct, frozen=True):
    signature: str
    slot: int
    err: Raw = Raw(b"null")


class Recent(Struct, frozen=True, kw_only=True):
    """A blockhash to sign with, and the last block in which that counts."""

    blockhash: Hash
    last_height: int


class Status(Struct, frozen=True, kw_only=True):
    """How far a transaction got; ``failed`` means that it landed and did nothing but cost its fee."""

    slot: int
    failed: bool
    finalized: bool
    confirmed: bool


class Account(Struct, frozen=True, kw_only=True):
    """An account as it was at ``slot``."""

    slot: int
    lamports: int
    owner: Pubkey
    data: bytes


class Simulated(Struct, frozen=True, kw_only=True):
    """What a transaction would do now, and the compute units it would use; None where the node does not count."""

    failed: bool
    units: int | None


class Landed(Struct, frozen=True, kw_only=True):
    """A transaction that touched an address."""

    signature: Signature
    slot: int
    failed: bool


class Ledger:
    """The chain as this program reads it."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def recent(self) -> Recent:
        """Return a confirmed blockhash."""
        answer = await self._nodes.read("getLatestBlockhash", [_CONFIRMED], _BlockhashAnswer)
        value = answer.value
        return Recent(blockhash=Hash.from_string(value.blockhash), last_height=value.last_valid_block_height)

    async def finalized_height(self) -> int:
        """Return the number of the last block that can never be taken back."""
        return await self._nodes.read("getBlockHeight", [{"commitment": "finalized"}], int)

    async def statuses(self, signatures: list[Signature]) -> list[Status | None]:
        """Return how far transactions got, in order, at most 256; None for one that this node does not know."""
        answer = await self._nodes.read("getSignatureStatuses", _ask_statuses(signatures), _StatusAnswer)
        return [None if one is None else _read_status(one) for one in answer.value]

    async def is_absent(self, signature: Signature) -> bool:
        """Tell whether every node answers, two at least where there are two, and none has ever seen a transaction."""
        told = await self._everywhere(signature)
        return bool(told) and all(one is None for one in told)

    async def is_failed(self, signature: Signature) -> bool:
        """Tell whether every node answers, two at least where there are two, and all say that a transaction failed."""
        told = await self._everywhere(signature)
        return bool(told) and all(one is not None and _is_set(one.err) for one in told)

    async def _everywhere(self, signature: Signature) -> list[_Status | None]:
        answers = await self._nodes.ask_all("getSignatureStatuses", _ask_statuses([signature]), _StatusAnswer)
        told = [one for one in answers if not isinstance(one, NodeFailed)]
        return [one.value[0] if one.value else None for one in told] if self._are_enough(told) else []

    async def accounts(self, address: Pubkey) -> list[Account | None]:
        """Return an account for good as each node has it, two at least where there are two; none where fewer answer."""
        params = [str(address), {"encoding": "base64", "commitment": "finalized"}]
        answers = await self._nodes.ask_all("getAccountInfo", params, _AccountAnswer)
        told = [one for one in answers if not isinstance(one, NodeFailed)]
        if not self._are_enough(told):
            return []
        return [None if one.value is None else _read_account(one.context.slot, one.value) for one in told]

    def _are_enough(self, told: Sequence[object]) -> bool:
        return len(told) >= min(2, self._nodes.count)

    async def account(self, address: Pubkey, *, finalized: bool = False) -> Account | None:
        """Return an account as confirmed blocks, or those that can never be taken back, have it; None where there is none."""
        options = {"encoding": "base64", "commitment": "finalized" if finalized else "confirmed"}
        answer = await self._nodes.read("getAccountInfo", [str(address), options], _AccountAnswer)
        if answer.value is None:
            return None
        return _read_account(answer.context.slot, answer.value)

    async def slot(self) -> int:
        """Return the newest confirmed slot."""
        return await self._nodes.read("getSlot", [_CONFIRMED], int)

    async def simulate(self, transaction: bytes) -> Simulated:
        """Have a node try out a transaction, which needs neither signatures nor a blockhash that counts."""
        options = {"encoding": "base64", "sigVerify": False, "replaceRecentBlockhash": True, **_CONFIRMED}
        params = [base64.b64encode(transaction).decode(), options]
        answer = await self._nodes.read("simulateTransaction", params, _SimulationAnswer)
        return Simulated(failed=_is_set(answer.value.err), units=answer.value.units_consumed)

    async def rent(self, size: int) -> int:
        """Return the lamports that an account of so many bytes must hold."""
        return await self._nodes.read("getMinimumBalanceForRentExemption", [size], int)

    async def priority_fees(self, addresses: list[Pubkey]) -> list[int]:
        """Return what was paid lately, in micro-lamports per compute unit, to write these accounts."""
        params = [[str(one) for one in addresses]]
        return [
            one.prioritization_fee for one in await self._nodes.read("getRecentPrioritizationFees", params, list[_Fee])
        ]

    async def history(self, address: Pubkey, until: Signature | None, before: Signature | None = None) -> list[Landed]:
        """Return transactions that touched an address, newest first, after ``until`` and before ``before``; up to 1,000."""
        options: dict[str, Any] = {"limit": 1000, **_CONFIRMED}
        if until is not None:
            options["until"] = str(until)
        if before is not None:
            options["before"] = str(before)
        found = await self._nodes.read("getSignaturesForAddress", [str(address), options], list[_Signed])
        return [
            Landed(signature=Signature.from_string(one.signature), slot=one.slot, failed=_is_set(one.err))
            for one in found
        ]


def _ask_statuses(signatures: list[Signature]) -> list[Any]:
    return [[str(one) for one in signatures[:MOST_STATUSES]], {"searchTransactionHistory": True}]


def _is_set(raw: Raw) -> bool:
    return bytes(raw) != b"null"


def _read_status(status: _Status) -> Status:
    level = status.confirmation_status
    return Status(
        slot=status.slot,
        failed=_is_set(status.err),
        finalized=level == "finalized",
        confirmed=level in ("confirmed", "finalized"),
    )


def _read_account(slot: int, account: _Account) -> Account:
    text, encoding = account.data
    if encoding != "base64":
        raise DataDamaged("The node sent an account in another encoding than it was asked for.")
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise DataDamaged("The node sent an account that is no Base64.") from exc
    return Account(slot=slot, lamports=account.lamports, owner=Pubkey.from_string(account.owner), data=data)
