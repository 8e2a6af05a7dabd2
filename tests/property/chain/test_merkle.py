"""The mirror of a tree agrees with the definition of one, whatever is written in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.chain.hashes import NO_LEAF, hash_keccak
from server.chain.merkle import Mirror, fold

DEPTH = 4
WRITES = st.lists(
    st.tuples(st.integers(0, 2**DEPTH - 1), st.one_of(st.just(NO_LEAF), st.binary(min_size=32, max_size=32))),
    max_size=30,
)


def plain_root(leaves: list[bytes]) -> bytes:
    """Return the root by the definition: hash neighbours until one is left."""
    while len(leaves) > 1:
        leaves = [hash_keccak(left, right) for left, right in zip(leaves[::2], leaves[1::2], strict=True)]
    return leaves[0]


@given(writes=WRITES)
def test_root_is_that_of_all_leaves(writes: list[tuple[int, bytes]]) -> None:
    mirror, leaves = Mirror(DEPTH), [NO_LEAF] * 2**DEPTH
    for index, leaf in writes:
        mirror.write(index, leaf)
        leaves[index] = leaf
    assert mirror.root == plain_root(leaves)


@given(writes=WRITES, index=st.integers(0, 2**DEPTH - 1), canopy=st.integers(0, DEPTH))
def test_every_proof_leads_to_the_root(writes: list[tuple[int, bytes]], index: int, canopy: int) -> None:
    mirror = Mirror(DEPTH)
    for place, leaf in writes:
        mirror.write(place, leaf)
    proof = mirror.prove(index)
    assert fold(mirror.leaf(index), index, proof) == mirror.root
    assert mirror.prove(index, canopy) == proof[: DEPTH - canopy]


@given(writes=WRITES, index=st.integers(0, 2**DEPTH - 1), other=st.binary(min_size=32, max_size=32))
def test_no_other_leaf_has_that_proof(writes: list[tuple[int, bytes]], index: int, other: bytes) -> None:
    mirror = Mirror(DEPTH)
    for place, leaf in writes:
        mirror.write(place, leaf)
    if other != mirror.leaf(index):
        assert fold(other, index, mirror.prove(index)) != mirror.root
