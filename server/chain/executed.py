"""A transaction as the ledger keeps it: what it did to trees, read from the events its programs wrote."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw, Struct
from solders.instruction import CompiledInstruction
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from server.chain.base58 import decode_base58
from server.chain.events import LeafWritten, TreeChanged, read_event
from server.chain.nodes import Nodes
from server.chain.programs import BUBBLEGUM, MPL_COMPRESSION, MPL_NOOP, SPL_COMPRESSION, SPL_NOOP
from shared.problems import DataDamaged

_NOOPS = frozenset({MPL_NOOP, SPL_NOOP})
_WRITERS = frozenset({BUBBLEGUM, MPL_COMPRESSION, SPL_COMPRESSION})
"""Whose word counts: anybody may have the program that notes events note whatever they like."""
_NULL = b"null"
_OPTIONS = {"encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}


class _Inner(Struct, frozen=True, rename="camel"):
    program_id_index: int
    data: str
    stack_height: int | None = None


class _Group(Struct, frozen=True):
    index: int
    instructions: list[_Inner]


class _Loaded(Struct, frozen=True):
    writable: list[str] = []
    readonly: list[str] = []


class _Meta(Struct, frozen=True, rename="camel"):
    err: Raw = Raw(_NULL)
    inner_instructions: list[_Group] | None = None
    loaded_addresses: _Loaded | None = None


class _Told(Struct, frozen=True):
    slot: int
    transaction: tuple[str, str]
    meta: _Meta | None = None


class Write(Struct, frozen=True, kw_only=True):
    """One write of a tree: the path it left, and the leaf as it is since then; None: it was burned."""

    change: TreeChanged
    leaf: LeafWritten | None


class Executed(Struct, frozen=True, kw_only=True):
    """What a transaction did, in the order in which it did it."""

    signature: Signature
    slot: int
    failed: bool
    writes: tuple[Write, ...]


async def fetch_executed(nodes: Nodes, signature: Signature) -> Executed | None:
    """Return what a confirmed transaction did; None while the node asked does not know it.

    Raises:
        NodeFailed, ChainAway: nobody tells, or nobody so that it can be read.
    """
    params: list[Any] = [str(signature), _OPTIONS]
    return await nodes.read_by("getTransaction", params, lambda raw: _read(signature, raw))


def _read(signature: Signature, raw: bytes) -> Executed | None:
    told = msgspec.json.decode(raw, type=_Told | None)
    if told is None:
        return None
    meta = told.meta or _Meta()
    message = _message(told)
    accounts = _accounts(message, meta)
    events: list[LeafWritten | TreeChanged] = []
    for group in sorted(meta.inner_instructions or [], key=lambda one: one.index):
        for data in _noted(group, accounts, _outer(message.instructions, group.index)):
            event = read_event(decode_base58(data))
            events += [] if event is None else [event]
    failed = bytes(meta.err) != _NULL
    return Executed(signature=signature, slot=told.slot, failed=failed, writes=() if failed else _pair(events))


def _noted(group: _Group, accounts: list[Pubkey], outer: int | None) -> list[str]:
    """Return what the trees' own programs had noted down, in one call and the calls that it made."""
    callers: dict[int, Pubkey | None] = {1: _at(accounts, outer)}
    noted: list[str] = []
    for call in group.instructions:
        # Nodes that do not tell how deep a call is tell only of calls that the outer one made.
        height, program = call.stack_height or 2, _at(accounts, call.program_id_index)
        if program in _NOOPS and callers.get(height - 1) in _WRITERS:
            noted.append(call.data)
        callers[height] = program
    return noted


def _at(accounts: list[Pubkey], index: int | None) -> Pubkey | None:
    return accounts[index] if index is not None and 0 <= index < len(accounts) else None


def _outer(calls: Sequence[CompiledInstruction], index: int) -> int | None:
    return calls[index].program_id_index if 0 <= index < len(calls) else None


def _message(told: _Told) -> Message | MessageV0 | MessageV1:
    try:
        return VersionedTransaction.from_bytes(base64.b64decode(told.transaction[0], validate=True)).message
    except (ValueError, binascii.Error) as exc:
        raise DataDamaged("The node sent a transaction that cannot be read.") from exc


def _accounts(message: Message | MessageV0 | MessageV1, meta: _Meta) -> list[Pubkey]:
    loaded = meta.loaded_addresses or _Loaded()
    try:
        more = [Pubkey.from_string(one) for one in (*loaded.writable, *loaded.readonly)]
    except ValueError as exc:
        raise DataDamaged("The node sent an address that is none.") from exc
    return [*message.account_keys, *more]


def _pair(events: list[LeafWritten | TreeChanged]) -> tuple[Write, ...]:
    """Join each change of a tree with the leaf that was told just before it."""
    writes: list[Write] = []
    told: LeafWritten | None = None
    for event in events:
        if isinstance(event, LeafWritten):
            told = event
            continue
        leaf = told if told is not None and told.hash == event.leaf else None
        writes.append(Write(change=event, leaf=leaf))
        told = None
    return tuple(writes)
