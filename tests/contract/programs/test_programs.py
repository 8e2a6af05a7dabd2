"""What the programs take, refuse and compute: the recorded answers, and the rules our worker counts on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account

from server.chain import instructions as v2
from server.chain import instructions_v1 as v1
from server.chain.collection import Collection, Plugin, PluginWish, create_collection
from server.chain.composing import Target, Wanted, compose_mints
from server.chain.events import LeafWritten, TreeChanged, read_event
from server.chain.hashes import Leaf, hash_creators, hash_data
from server.chain.instructions import Mint, Place, Signers
from server.chain.merkle import Mirror, Shape
from server.chain.metadata import Metadata, MetadataChange
from server.chain.programs import MPL_COMPRESSION, SPL_COMPRESSION
from server.chain.signing import Keys, MemorySigner
from server.chain.tables import shared_accounts
from tests.contract.programs.engines import Engine, Refused
from tests.unit.chain import recorded as seen
from tests.unit.chain.recorded import keypair

SHAPE = Shape(depth=seen.DEPTH, buffer=seen.BUFFER)
PAYER, OWNER = keypair(1), keypair(3)
MINTER, OPERATOR = keypair(21), keypair(22)
NOT_ALLOWED = {6025, 6047}
"""Which of the two is said depends on who signed as what."""


class Forest:
    """The trees of one engine, followed as our follower does, so that proofs are at hand."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.mirrors: dict[Pubkey, Mirror] = {}
        self.leaves: dict[tuple[Pubkey, int], Leaf] = {}

    def land(self, call: Instruction, *signers: Keypair) -> None:
        """Land one call and follow what it did."""
        self.take(self.engine.run([set_compute_unit_limit(400_000), call], signers))

    def take(self, events: list[bytes]) -> None:
        """Follow events, and find every root the engine's own."""
        told: LeafWritten | None = None
        for event in map(read_event, events):
            if isinstance(event, LeafWritten):
                assert event.leaf.hash() == event.hash
                told = event
            elif isinstance(event, TreeChanged):
                mirror = self.mirrors[event.tree]
                mirror.write(event.index, event.leaf)
                assert mirror.root == event.root
                if told is not None:
                    self.leaves[event.tree, event.index] = told.leaf
                told = None
        for tree, mirror in self.mirrors.items():
            assert self.engine.root(tree) == mirror.root

    def place(self, tree: Pubkey, collection: Pubkey | None = None) -> Place:
        """Return where the first leaf is."""
        mirror = self.mirrors[tree]
        proof = tuple(mirror.prove(0))
        return Place(tree=tree, leaf=self.leaves[tree, 0], root=mirror.root, proof=proof, collection=collection)

    def make_tree(self, own: Keypair, version: int, delegate: Pubkey | None = None) -> None:
        """Make a tree whose creator is the payer."""
        program = SPL_COMPRESSION if version == 1 else MPL_COMPRESSION
        kind = v1 if version == 1 else v2
        wish = CreateAccountParams(
            from_pubkey=PAYER.pubkey(),
            to_pubkey=own.pubkey(),
            lamports=self.engine.rent(SHAPE.account_bytes),
            space=SHAPE.account_bytes,
            owner=program,
        )
        calls = [create_account(wish), kind.create_tree(own.pubkey(), SHAPE, Signers(payer=PAYER.pubkey()))]
        if delegate is not None:
            calls.append(v2.set_tree_delegate(own.pubkey(), PAYER.pubkey(), delegate))
        self.engine.run([set_compute_unit_limit(400_000), *calls], [PAYER, own])
        self.mirrors[own.pubkey()] = Mirror(SHAPE.depth)

    def make_collection(self, operator: Pubkey | None = None, editor: Pubkey | None = None) -> None:
        """Make the collection; whoever is not named is the payer."""
        rights = (Plugin.PERMANENT_TRANSFER, Plugin.PERMANENT_BURN, Plugin.PERMANENT_FREEZE)
        plugins = [
            PluginWish(plugin=Plugin.BUBBLEGUM),
            *(PluginWish(plugin=one, authority=operator) for one in rights),
            *([] if editor is None else [PluginWish(plugin=Plugin.UPDATE_DELEGATE, authority=editor)]),
        ]
        wish = Collection(
            address=seen.COLLECTION,
            name="Concert 2027",
            uri="https://t.example/c/1.json",
            plugins=tuple(plugins),
        )
        self.land(create_collection(wish, PAYER.pubkey(), PAYER.pubkey()), PAYER, keypair(5))


def refusal_of(deed: Callable[[], None]) -> int:
    """Return with which number a deed is refused."""
    with pytest.raises(Refused) as caught:
        deed()
    return caught.value.number


def mint_recorded(forest: Forest) -> None:
    """Make the recorded tree with its first mint."""
    forest.make_collection()
    forest.make_tree(keypair(2), 2)
    wish = Mint(tree=seen.TREE_V2, payer=seen.PAYER, minter=None, owner=seen.OWNER_A, metadata=seen.METADATA_V2)
    forest.land(v2.mint(wish), PAYER)


def mint_separate(forest: Forest, *, mutable: bool = True) -> Metadata:
    """Mint with every right in another hand; return what was minted."""
    forest.make_collection(OPERATOR.pubkey(), MINTER.pubkey())
    forest.make_tree(keypair(2), 2, MINTER.pubkey())
    metadata = Metadata(name="Opening", symbol="TIX", uri="u", mutable=mutable, collection=seen.COLLECTION)
    wish = Mint(tree=seen.TREE_V2, payer=seen.PAYER, minter=MINTER.pubkey(), owner=seen.OWNER_A, metadata=metadata)
    forest.land(v2.mint(wish), PAYER, MINTER)
    return metadata


def another(minter: Keypair) -> Instruction:
    """Return one more mint into the recorded tree."""
    metadata = Metadata(name="x", symbol="TIX", uri="u", collection=seen.COLLECTION)
    who = {"payer": seen.PAYER, "minter": minter.pubkey(), "owner": seen.OWNER_A}
    return v2.mint(Mint(tree=seen.TREE_V2, metadata=metadata, **who))


def test_a_life_of_version_2_is_as_recorded(engine: Engine) -> None:
    forest, pays = Forest(engine), Signers(payer=seen.PAYER)
    mint_recorded(forest)
    place = forest.place(seen.TREE_V2, seen.COLLECTION)
    assert (str(place.leaf.id), place.leaf.hash().hex(), place.root.hex()) == (
        seen.ASSET_V2,
        seen.LEAF_V2,
        seen.ROOT_V2,
    )
    forest.land(v2.transfer(place, pays, seen.OWNER_B), PAYER)
    place = forest.place(seen.TREE_V2, seen.COLLECTION)
    assert (place.leaf.hash().hex(), place.root.hex()) == seen.AFTER_TRANSFER_V2
    forest.land(v2.freeze(place, pays), PAYER)
    place = forest.place(seen.TREE_V2, seen.COLLECTION)
    assert (place.leaf.hash().hex(), place.root.hex()) == seen.AFTER_FREEZE_V2
    forest.land(v2.burn(place, pays), PAYER)
    assert engine.root(seen.TREE_V2).hex() == seen.EMPTY_ROOT_3
    assert engine.config(seen.TREE_V2).minted == 1


def test_a_life_of_version_1_is_as_recorded(engine: Engine) -> None:
    forest = Forest(engine)
    forest.make_tree(keypair(6), 1)
    wish = Mint(
        tree=seen.TREE_V1,
        payer=seen.PAYER,
        minter=seen.PAYER,
        owner=seen.OWNER_A,
        metadata=seen.METADATA_V1,
        leaf_delegate=seen.PAYER,
    )
    forest.land(v1.mint(wish), PAYER)
    place = forest.place(seen.TREE_V1)
    assert (str(place.leaf.id), place.leaf.hash().hex(), place.root.hex()) == (
        seen.ASSET_V1,
        seen.LEAF_V1,
        seen.ROOT_V1,
    )
    forest.land(v1.transfer(place, seen.PAYER, seen.OWNER_B), PAYER)
    place = forest.place(seen.TREE_V1)
    assert (place.leaf.hash().hex(), place.root.hex()) == seen.AFTER_TRANSFER_V1
    assert refusal_of(lambda: forest.land(v1.burn(place, seen.PAYER), PAYER)) > 0
    forest.land(v1.burn(place, seen.OWNER_B), PAYER, keypair(4))
    assert engine.root(seen.TREE_V1).hex() == seen.EMPTY_ROOT_3


@pytest.mark.parametrize("version", [1, 2])
def test_an_assets_metadata_is_changed_by_whoever_mints(engine: Engine, version: int) -> None:
    forest, change = Forest(engine), MetadataChange(name="Closing")
    signers = Signers(payer=seen.PAYER, authority=MINTER.pubkey())
    if version == 2:
        tree, collection, before = seen.TREE_V2, seen.COLLECTION, mint_separate(forest)
        after = replace(before, name="Closing")
        written = after.write_v2()
    else:
        tree, collection, before = seen.TREE_V1, None, Metadata(name="Opening", symbol="TIX", uri="u")
        forest.make_tree(keypair(6), 1, MINTER.pubkey())
        wish = Mint(tree=tree, payer=seen.PAYER, minter=MINTER.pubkey(), owner=seen.OWNER_A, metadata=before)
        forest.land(v1.mint(wish), PAYER, MINTER)
        after = replace(before, name="Closing")
        written = after.write_v1()
    kind = v2 if version == 2 else v1
    place = forest.place(tree, collection)
    forest.land(kind.update_metadata(place, signers, before, change), PAYER, MINTER)
    leaf = forest.leaves[tree, 0]
    assert (leaf.data_hash, leaf.creator_hash) == (hash_data(written, 0), hash_creators(()))
    assert (leaf.owner, leaf.id) == (seen.OWNER_A, place.leaf.id)
    # What it said before is not what it says now.
    again = kind.update_metadata(forest.place(tree, collection), signers, before, change)
    assert refusal_of(lambda: forest.land(again, PAYER, MINTER)) == 6001


def test_what_may_not_be_changed_stays(engine: Engine) -> None:
    forest = Forest(engine)
    before = mint_separate(forest, mutable=False)
    signers = Signers(payer=seen.PAYER, authority=MINTER.pubkey())
    call = v2.update_metadata(forest.place(seen.TREE_V2, seen.COLLECTION), signers, before, MetadataChange(name="x"))
    assert refusal_of(lambda: forest.land(call, PAYER, MINTER)) == 6037


def test_each_key_can_do_its_own_and_no_more(engine: Engine) -> None:
    forest = Forest(engine)
    mint_separate(forest)
    place = forest.place(seen.TREE_V2, seen.COLLECTION)
    for who in (MINTER, PAYER):
        signers = Signers(payer=seen.PAYER, authority=who.pubkey())
        theirs = [PAYER] if who is PAYER else [PAYER, who]
        for call in (v2.transfer(place, signers, seen.OWNER_B), v2.burn(place, signers)):
            assert refusal_of(lambda call=call, theirs=theirs: forest.land(call, *theirs)) in NOT_ALLOWED  # type: ignore[misc] # bound at once
    assert refusal_of(lambda: forest.land(another(OPERATOR), PAYER, OPERATOR)) == 6016


def test_a_frozen_asset_is_kept_from_its_owner_until_it_is_thawed(engine: Engine) -> None:
    forest = Forest(engine)
    mint_separate(forest)
    operator = Signers(payer=seen.PAYER, authority=OPERATOR.pubkey())
    owner = Signers(payer=seen.PAYER, authority=seen.OWNER_A)

    def place() -> Place:
        return forest.place(seen.TREE_V2, seen.COLLECTION)

    forest.land(v2.freeze(place(), operator), PAYER, OPERATOR)
    assert refusal_of(lambda: forest.land(v2.transfer(place(), owner, seen.OWNER_B), PAYER, OWNER)) == 6045
    forest.land(v2.thaw(place(), operator), PAYER, OPERATOR)
    assert place().leaf.flags == 0
    forest.land(v2.transfer(place(), owner, seen.OWNER_B), PAYER, OWNER)
    assert place().leaf.owner == seen.OWNER_B


def test_a_full_tree_takes_no_more(engine: Engine) -> None:
    forest = Forest(engine)
    mint_separate(forest)
    for _ in range(7):
        forest.land(another(MINTER), PAYER, MINTER)
    assert engine.config(seen.TREE_V2).minted == 8
    assert refusal_of(lambda: forest.land(another(MINTER), PAYER, MINTER)) == 6017


def test_a_proof_that_is_no_longer_right_is_refused(engine: Engine) -> None:
    forest = Forest(engine)
    mint_separate(forest)
    operator = Signers(payer=seen.PAYER, authority=OPERATOR.pubkey())
    old = forest.place(seen.TREE_V2, seen.COLLECTION)
    forest.land(v2.transfer(old, operator, seen.OWNER_B), PAYER, OPERATOR)
    assert refusal_of(lambda: forest.land(v2.burn(old, operator), PAYER, OPERATOR)) == 6001


@pytest.mark.parametrize(("version", "alone", "with_table"), [(1, 4, 5), (2, 3, 4)])
def test_as_many_mints_as_are_composed_land_at_once(engine: Engine, version: int, alone: int, with_table: int) -> None:
    forest = Forest(engine)
    own = keypair(6 if version == 1 else 2)
    if version == 2:
        forest.make_collection(OPERATOR.pubkey(), MINTER.pubkey())
    forest.make_tree(own, version, MINTER.pubkey())
    keys = Keys(payer=MemorySigner(PAYER), minter=MemorySigner(MINTER), operator=MemorySigner(OPERATOR))
    collection = seen.COLLECTION if version == 2 else None
    table = AddressLookupTableAccount(
        key=keypair(30).pubkey(), addresses=list(shared_accounts(own.pubkey(), version, collection))
    )
    engine.plant(table)
    metadata = Metadata(
        name="An evening in June", symbol="TIX", uri="https://t.example/m/" + "x" * 22, collection=collection
    )
    wanted = [Wanted(owner=keypair(50 + n).pubkey(), metadata=metadata) for n in range(12)]
    for there, count in ((table, with_table), (None, alone)):
        target = Target(tree=own.pubkey(), version=version, table=there)
        assert len(compose_mints(keys, target, wanted, 1_000).draft.instructions) == count
        # The recorded tree is a small one.
        room = 8 - engine.config(own.pubkey()).minted
        draft = compose_mints(keys, target, wanted[:room], 1_000).draft
        forest.take(
            engine.run([set_compute_unit_limit(draft.budget.units), *draft.instructions], [PAYER, MINTER], there)
        )
    assert engine.config(own.pubkey()).minted == min(8, alone + with_table)
    assert forest.leaves[own.pubkey(), with_table - 1].owner == wanted[with_table - 1].owner
