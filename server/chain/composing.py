"""Transactions put together: as many mints as fit into one, or one change of a leaf, with what they may cost."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from server.chain import instructions as v2
from server.chain import instructions_v1 as v1
from server.chain.hashes import hash_data
from server.chain.metadata import Metadata, MetadataChange
from server.chain.signing import Keys, Signer
from server.chain.transactions import LARGEST, MOST_UNITS, Budget, Draft, measure
from server.services.rows_mint import TxKind

SIGNATURE_LAMPORTS = 5_000
MINT_LAMPORTS = 90_000
"""What the protocol takes for a mint of version 2."""
TRANSFER_LAMPORTS = 6_000
SYMBOL = "TIX"

_BASE_UNITS = 5_000
# Measured with the programs of June 2026, plus a fifth; the limit asked for is paid, so it is no larger than that.
_MINT_UNITS = {1: 70_000, 2: 115_000}
_CHANGE_UNITS = 160_000


class Target(Struct, frozen=True, kw_only=True):
    """A tree to mint into; ``table`` has the accounts that all its mints name, so that more of them fit into one transaction."""

    tree: Pubkey
    version: int
    table: AddressLookupTableAccount | None = None


class Renaming(Struct, frozen=True, kw_only=True):
    """What an asset says now, and what it is to say."""

    current: Metadata
    change: MetadataChange


class Wanted(Struct, frozen=True, kw_only=True):
    """One mint: whose it is to be, and what it says."""

    owner: Pubkey
    metadata: Metadata


class Change(Struct, frozen=True, kw_only=True):
    """One change of a leaf. ``holder`` is the wallet that has it, whose signature a tree of version 1 wants."""

    kind: TxKind
    place: v2.Place
    holder: Signer
    new_owner: Pubkey | None = None
    renaming: Renaming | None = None


class Composed(Struct, frozen=True, kw_only=True):
    """A draft, who signs it, and what it costs at most in lamports, rent apart."""

    draft: Draft
    signers: tuple[Signer, ...]
    lamports: int


def data_hash(metadata: Metadata, version: int) -> bytes:
    """Return the hash by which a minted asset is known again."""
    written = metadata.write_v2() if version == 2 else metadata.write_v1()
    return hash_data(written, metadata.fee_points)


def compose_mints(keys: Keys, target: Target, wanted: Sequence[Wanted], price: int) -> Composed:
    """Return a transaction with the first of these mints, as many as fit beside a nonce; at least one."""
    calls = [_mint(keys, target, one) for one in wanted]
    draft, count = _draft_mints(keys, target, calls[:1], price), 1
    while count < len(calls):
        larger = _draft_mints(keys, target, calls[: count + 1], price)
        if _units(target.version, count + 1) > MOST_UNITS or measure(larger, durable=True) > LARGEST:
            break
        draft, count = larger, count + 1
    signers = _distinct(keys.payer, keys.minter)
    fee = MINT_LAMPORTS * count if target.version == 2 else 0
    return Composed(draft=draft, signers=signers, lamports=_cost(draft, signers) + fee)


def compose_change(keys: Keys, change: Change, price: int) -> Composed:
    """Return a transaction that changes one leaf, signed by whoever may move, freeze, burn or rename."""
    second = change.place.leaf.collection_hash is not None
    draft = _draft(keys, [_change(keys, change)], _CHANGE_UNITS, price)
    mover = keys.operator if second else change.holder
    signers = _distinct(keys.payer, mover if change.renaming is None else keys.minter)
    fee = TRANSFER_LAMPORTS if second and change.kind is TxKind.TRANSFER else 0
    return Composed(draft=draft, signers=signers, lamports=_cost(draft, signers) + fee)


def compose_nothing(keys: Keys, price: int) -> Composed:
    """Return a transaction that does nothing but use up its nonce."""
    draft = _draft(keys, [], _BASE_UNITS, price)
    return Composed(draft=draft, signers=(keys.payer,), lamports=_cost(draft, (keys.payer,)))


def budgeted(composed: Composed, units: int) -> Composed:
    """Return the same with another limit of compute units, which are paid whether they are used or not."""
    before, budget = composed.draft.budget, replace(composed.draft.budget, units=min(units, MOST_UNITS))
    lamports = composed.lamports - before.lamports + budget.lamports
    return replace(composed, draft=replace(composed.draft, budget=budget), lamports=lamports)


def _mint(keys: Keys, target: Target, wanted: Wanted) -> Instruction:
    wish = v2.Mint(
        tree=target.tree,
        payer=keys.payer.address,
        minter=keys.minter.address,
        owner=wanted.owner,
        metadata=wanted.metadata,
    )
    return v1.mint(wish) if target.version == 1 else v2.mint(wish)


def _change(keys: Keys, change: Change) -> Instruction:
    place, new_owner = change.place, change.new_owner
    if change.renaming is not None:
        return _rename(keys, place, change.renaming)
    if place.leaf.collection_hash is None:
        if new_owner is not None:
            return v1.transfer(place, change.holder.address, new_owner)
        return v1.burn(place, change.holder.address)
    signers = v2.Signers(payer=keys.payer.address, authority=keys.operator.address)
    if new_owner is not None:
        return v2.transfer(place, signers, new_owner)
    return {TxKind.FREEZE: v2.freeze, TxKind.THAW: v2.thaw, TxKind.BURN: v2.burn}[change.kind](place, signers)


def _rename(keys: Keys, place: v2.Place, renaming: Renaming) -> Instruction:
    # Whoever mints may also say what an asset says: with a collection as its editor, without one as the tree's delegate.
    signers = v2.Signers(payer=keys.payer.address, authority=keys.minter.address)
    update = v1.update_metadata if place.leaf.collection_hash is None else v2.update_metadata
    return update(place, signers, renaming.current, renaming.change)


def _draft_mints(keys: Keys, target: Target, calls: list[Instruction], price: int) -> Draft:
    draft = _draft(keys, calls, _units(target.version, len(calls)), price)
    return draft if target.table is None else replace(draft, tables=(target.table,))


def _units(version: int, mints: int) -> int:
    return _BASE_UNITS + mints * _MINT_UNITS[version]


def _draft(keys: Keys, calls: list[Instruction], units: int, price: int) -> Draft:
    return Draft(
        payer=keys.payer.address, instructions=tuple(calls), budget=Budget(units=min(units, MOST_UNITS), price=price)
    )


def _cost(draft: Draft, signers: Sequence[Signer]) -> int:
    return SIGNATURE_LAMPORTS * len(signers) + draft.budget.lamports


def _distinct(*signers: Signer) -> tuple[Signer, ...]:
    return tuple({one.address: one for one in signers}.values())
