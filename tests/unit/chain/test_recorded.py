"""Every byte and hash that the real programs were seen to accept and compute comes out of our code."""

from __future__ import annotations

from msgspec.structs import replace
from solders.pubkey import Pubkey

from server.chain import instructions, instructions_v1
from server.chain.collection import Collection, Plugin, PluginWish, create_collection
from server.chain.events import LeafWritten, TreeChanged, read_event
from server.chain.hashes import (
    FROZEN_BY_COLLECTION,
    NO_LEAF,
    Fresh,
    hash_collection,
    hash_creators,
    make_leaf_v1,
    make_leaf_v2,
)
from server.chain.instructions import Mint, Place, Signers
from server.chain.merkle import Mirror, Shape, empty_nodes
from server.chain.programs import MPL_CORE_SIGNER, find_asset, find_tree_config
from tests.unit.chain import recorded as seen

SHAPE = Shape(depth=seen.DEPTH, buffer=seen.BUFFER)


def minted_v2() -> tuple[Mirror, Place]:
    """Return the recorded tree of version 2 after its first mint."""
    leaf = make_leaf_v2(seen.first_leaf(seen.ASSET_V2), seen.METADATA_V2)
    mirror = Mirror(seen.DEPTH)
    mirror.write(0, leaf.hash())
    place = Place(
        tree=seen.TREE_V2, leaf=leaf, root=mirror.root, proof=tuple(mirror.prove(0)), collection=seen.COLLECTION
    )
    return mirror, place


def test_addresses_are_derived_as_recorded() -> None:
    assert {key: str(key) for key in seen.ADDRESSES} == seen.ADDRESSES
    assert str(find_tree_config(seen.TREE_V2)) == seen.CONFIG_V2
    assert str(find_tree_config(seen.TREE_V1)) == seen.CONFIG_V1
    assert str(MPL_CORE_SIGNER) == seen.CORE_SIGNER
    assert str(find_asset(seen.TREE_V2, 0)) == seen.ASSET_V2
    assert str(find_asset(seen.TREE_V1, 0)) == seen.ASSET_V1


def test_metadata_is_written_as_recorded() -> None:
    assert seen.METADATA_V2.write_v2().hex() == seen.WRITTEN_V2
    assert seen.METADATA_V1.write_v1().hex() == seen.WRITTEN_V1


def test_trees_are_made_as_recorded() -> None:
    assert SHAPE.account_bytes == seen.SPACE
    signers = Signers(payer=seen.PAYER)
    second = instructions.create_tree(seen.TREE_V2, SHAPE, signers)
    first = instructions_v1.create_tree(seen.TREE_V1, SHAPE, signers)
    assert (bytes(second.data).hex(), bytes(first.data).hex()) == (seen.CREATE_TREE_V2, seen.CREATE_TREE_V1)
    assert [str(meta.pubkey) for meta in second.accounts[:3]] == [seen.CONFIG_V2, str(seen.TREE_V2), str(seen.PAYER)]


def test_a_collection_is_made_as_recorded() -> None:
    plugins = (Plugin.BUBBLEGUM, Plugin.PERMANENT_TRANSFER, Plugin.PERMANENT_BURN, Plugin.PERMANENT_FREEZE)
    wish = Collection(
        address=seen.COLLECTION,
        name="Concert 2027",
        uri="https://t.example/c/1.json",
        plugins=tuple(PluginWish(plugin=one) for one in plugins),
    )
    made = create_collection(wish, seen.PAYER, seen.PAYER)
    assert bytes(made.data).hex() == seen.CREATE_COLLECTION
    assert [(meta.is_signer, meta.is_writable) for meta in made.accounts] == [
        (True, True),
        (False, False),
        (True, True),
        (False, False),
    ]


def test_a_mint_of_each_version_is_written_as_recorded() -> None:
    wish = Mint(tree=seen.TREE_V2, payer=seen.PAYER, minter=None, owner=seen.OWNER_A, metadata=seen.METADATA_V2)
    assert bytes(instructions.mint(wish).data).hex() == f"78791792ad6ec7cd{seen.WRITTEN_V2}0000"
    cheap = replace(wish, tree=seen.TREE_V1, metadata=seen.METADATA_V1, leaf_delegate=seen.PAYER)
    assert bytes(instructions_v1.mint(cheap).data).hex() == f"9162c076b8937668{seen.WRITTEN_V1}"


def test_hashes_of_version_2_are_as_recorded() -> None:
    mirror, place = minted_v2()
    assert place.leaf.data_hash.hex() == seen.DATA_HASH_V2
    assert hash_creators(seen.METADATA_V2.creators).hex() == seen.CREATOR_HASH
    assert hash_collection(seen.COLLECTION).hex() == seen.COLLECTION_HASH
    assert hash_collection(None).hex().startswith("290decd9")
    assert (place.leaf.hash().hex(), mirror.root.hex()) == (seen.LEAF_V2, seen.ROOT_V2)


def test_empty_trees_have_the_recorded_roots() -> None:
    assert Mirror(3).root.hex() == seen.EMPTY_ROOT_3
    assert empty_nodes(14)[-1].hex() == seen.EMPTY_ROOT_14


def test_a_transfer_of_version_2_is_as_recorded() -> None:
    mirror, place = minted_v2()
    made = instructions.transfer(place, Signers(payer=seen.PAYER), seen.OWNER_B)
    parts = ["772806ebeaddf831", seen.ROOT_V2, seen.DATA_HASH_V2, seen.CREATOR_HASH, "0000", "00" * 12]
    assert bytes(made.data).hex() == "".join(parts)
    after = replace(place.leaf, owner=seen.OWNER_B, delegate=seen.OWNER_B)
    mirror.write(0, after.hash())
    assert (after.hash().hex(), mirror.root.hex()) == seen.AFTER_TRANSFER_V2


def test_freezing_and_burning_lead_to_the_recorded_roots() -> None:
    mirror, place = minted_v2()
    moved = replace(place.leaf, owner=seen.OWNER_B, delegate=seen.OWNER_B)
    frozen = replace(moved, flags=FROZEN_BY_COLLECTION)
    mirror.write(0, frozen.hash())
    assert (frozen.hash().hex(), mirror.root.hex()) == seen.AFTER_FREEZE_V2
    burning = instructions.burn(replace(place, leaf=frozen, root=mirror.root), Signers(payer=seen.PAYER))
    # the program looks for the leaf with its present flags: Some(2)
    assert bytes(burning.data)[8 + 96 :].hex() == "000102" + "00" * 12
    mirror.write(0, NO_LEAF)
    assert mirror.root.hex() == seen.EMPTY_ROOT_3


def test_the_recorded_change_of_a_tree_is_read() -> None:
    event = read_event(bytes.fromhex(seen.CHANGE_V2))
    assert isinstance(event, TreeChanged)
    assert (event.tree, event.seq, event.index) == (seen.TREE_V2, 1, 0)
    assert (event.leaf.hex(), event.root.hex()) == (seen.LEAF_V2, seen.ROOT_V2)


def test_a_leafs_event_is_read_as_it_is_written() -> None:
    _, place = minted_v2()
    leaf = place.leaf
    keys = bytes(leaf.id) + bytes(leaf.owner) + bytes(leaf.delegate)
    body = keys + bytes(8) + leaf.data_hash + leaf.creator_hash + bytes.fromhex(seen.COLLECTION_HASH)
    data = (
        bytes.fromhex("01000c010000010101")
        + body
        + bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
        + b"\x00"
        + leaf.hash()
    )
    assert data.hex().startswith(seen.LEAF_EVENT_START)
    event = read_event(data)
    assert event == LeafWritten(leaf=leaf, hash=bytes.fromhex(seen.LEAF_V2))


def test_version_1_is_as_recorded() -> None:
    leaf = make_leaf_v1(seen.first_leaf(seen.ASSET_V1, delegate=seen.PAYER), seen.METADATA_V1)
    mirror = Mirror(seen.DEPTH)
    mirror.write(0, leaf.hash())
    assert leaf.data_hash.hex() == seen.DATA_HASH_V1
    assert (leaf.hash().hex(), mirror.root.hex()) == (seen.LEAF_V1, seen.ROOT_V1)
    after = replace(leaf, owner=seen.OWNER_B, delegate=seen.OWNER_B)
    mirror.write(0, after.hash())
    assert (after.hash().hex(), mirror.root.hex()) == seen.AFTER_TRANSFER_V1


def test_a_public_asset_of_somebody_else_is_reproduced() -> None:
    asset = find_asset(seen.PUBLIC_TREE, 0)
    fresh = Fresh(id=asset, nonce=0, owner=seen.PUBLIC_OWNER, delegate=seen.PUBLIC_OWNER)
    leaf = make_leaf_v1(fresh, seen.PUBLIC_METADATA)
    assert str(asset) == seen.PUBLIC_ASSET
    assert str(Pubkey(leaf.data_hash)) == seen.PUBLIC_DATA_HASH
    assert str(Pubkey(leaf.creator_hash)) == seen.PUBLIC_CREATOR_HASH
    assert str(Pubkey(leaf.hash())) == seen.PUBLIC_LEAF
