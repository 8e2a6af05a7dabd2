"""A transaction as the ledger keeps it: what it did to trees, read from the events its programs wrote."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from msgspec import Raw, Struct
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from server.chain.base58 import decode_base58
from server.chain.events import LeafWritten, TreeChanged, read_event
from server.chain.nodes import Nodes
from server.chain.programs import MPL_NOOP, SPL_NOOP
from shared.problems import DataDamaged

_NOOPS = frozenset({MPL_NOOP, SPL_NOOP})
_NULL = b"null"
_OPTIONS = {"encoding": "base64", "commitment": "confirmed", "maxSupportedTransactionVersion": 0}


class _Inner(Struct, frozen=True, rename="camel"):
    program_id_index: int
    data: str


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
        NodeFailed, ChainAway: nobody tells.
        EventUnreadable, DataDamaged: what is told cannot be read.
    """
    params: list[Any] = [str(signature), _OPTIONS]
    told = await nodes.read("getTransaction", params, Raw)
    if bytes(told) == _NULL:
        return None
    try:
        return _read(signature, msgspec.json.decode(bytes(told), type=_Told))
    except msgspec.MsgspecError as exc:
        raise DataDamaged("The node sent a transaction of another form.") from exc


def _read(signature: Signature, told: _Told) -> Executed:
    meta = told.meta or _Meta()
    accounts = _accounts(told, meta)
    events: list[LeafWritten | TreeChanged] = []
    for group in sorted(meta.inner_instructions or [], key=lambda one: one.index):
        for call in group.instructions:
            if call.program_id_index < len(accounts) and accounts[call.program_id_index] in _NOOPS:
                event = read_event(decode_base58(call.data))
                events += [] if event is None else [event]
    failed = bytes(meta.err) != _NULL
    return Executed(signature=signature, slot=told.slot, failed=failed, writes=() if failed else _pair(events))


def _accounts(told: _Told, meta: _Meta) -> list[Pubkey]:
    try:
        transaction = VersionedTransaction.from_bytes(base64.b64decode(told.transaction[0], validate=True))
    except (ValueError, binascii.Error) as exc:
        raise DataDamaged("The node sent a transaction that cannot be read.") from exc
    loaded = meta.loaded_addresses or _Loaded()
    more = [Pubkey.from_string(one) for one in (*loaded.writable, *loaded.readonly)]
    return [*transaction.message.account_keys, *more]


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
