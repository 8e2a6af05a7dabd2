"""Sizes and limits: what may be minted, which trees there can be, and what their accounts must look like."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey

from server.chain.accounts import AccountUnreadable, read_nonce, read_tree, read_tree_config
from server.chain.events import EventUnreadable, read_event
from server.chain.merkle import Mirror, Shape
from server.chain.metadata import Creator, Metadata, MetadataChange, MetadataUnusable
from server.chain.refusals import Remedy, read_refusal
from shared.problems import Internal
from tests.unit.chain import recorded as seen

HALF = Creator(address=seen.OWNER_A, verified=False, share=50)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": "n" * 33}, "name has more than 32"),
        ({"name": "ü" * 17}, "name has more than 32"),
        ({"symbol": "s" * 11}, "symbol has more than 10"),
        ({"uri": "u" * 201}, "address has more than 200"),
        ({"fee_points": 10_001}, "royalty"),
        ({"fee_points": -1}, "royalty"),
        ({"creators": (HALF,)}, "sum to 100"),
        ({"creators": (HALF, HALF)}, "named twice"),
    ],
)
def test_what_the_program_would_refuse_is_refused_before(changes: dict[str, object], fault: str) -> None:
    with pytest.raises(MetadataUnusable, match=fault):
        replace(seen.METADATA_V2, **changes)


def test_the_largest_metadata_is_taken() -> None:
    creators = tuple(Creator(address=Pubkey(bytes([n]) * 32), verified=False, share=20) for n in range(5))
    largest = Metadata(
        name="n" * 32, symbol="s" * 10, uri="u" * 200, fee_points=10_000, creators=creators, collection=seen.COLLECTION
    )
    assert len(largest.write_v2()) == 467
    assert len(replace(largest, collection=None).write_v2()) == 435


def test_a_change_names_only_what_changes() -> None:
    assert MetadataChange().write() == bytes(7)
    assert MetadataChange(name="x", mutable=False).write().hex() == "0101000000780000000000" + "0100"


@pytest.mark.parametrize(
    ("depth", "buffer"), [(3, 8), (5, 8), (9, 16), (13, 32), (14, 2048), (19, 64), (20, 256), (30, 512)]
)
def test_trees_that_can_be_made_are_known(depth: int, buffer: int) -> None:
    assert Shape(depth=depth, buffer=buffer, canopy=max(depth - 17, 0)).is_allowed()


@pytest.mark.parametrize(("depth", "buffer"), [(4, 8), (14, 128), (17, 256), (21, 64), (26, 64), (28, 64), (0, 8)])
def test_trees_that_cannot_be_made_are_known(depth: int, buffer: int) -> None:
    assert not Shape(depth=depth, buffer=buffer, canopy=10).is_allowed()


def test_a_deep_tree_needs_a_canopy() -> None:
    assert not Shape(depth=20, buffer=64, canopy=2).is_allowed()
    assert Shape(depth=20, buffer=64, canopy=3).is_allowed()


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((14, 64, 8), 48_120),
        ((17, 64, 0), 38_040),
        ((17, 64, 14), 1_086_552),
        ((20, 64, 10), 109_752),
        ((24, 64, 10), 118_072),
    ],
)
def test_accounts_have_the_measured_sizes(shape: tuple[int, int, int], size: int) -> None:
    depth, buffer, canopy = shape
    assert Shape(depth=depth, buffer=buffer, canopy=canopy).account_bytes == size


def tree_account(shape: Shape, *, seq: int = 5, active: int = 3, root: bytes = b"r" * 32) -> bytes:
    head = struct.pack("<BBII32sQ6x", 1, 0, shape.buffer, shape.depth, b"a" * 32, 7)
    data = bytearray(head + struct.pack("<QQQ", seq, active, shape.buffer))
    data += bytes(shape.account_bytes - len(data))
    at = 80 + active * (32 * shape.depth + 40)
    data[at : at + 32] = root
    return bytes(data)


@pytest.mark.parametrize("canopy", [0, 1, 3, 8])
def test_a_trees_account_is_read(canopy: int) -> None:
    shape = Shape(depth=14, buffer=64, canopy=canopy)
    state = read_tree(tree_account(shape))
    assert (state.shape, state.seq, state.root, bytes(state.authority)) == (shape, 5, b"r" * 32, b"a" * 32)


@pytest.mark.parametrize(
    "harm", [lambda raw: raw[:70], lambda raw: b"\x02" + raw[1:], lambda raw: raw + b"x", lambda raw: raw[:900]]
)
def test_what_is_no_tree_is_told(harm: Callable[[bytes], bytes]) -> None:
    with pytest.raises(AccountUnreadable):
        read_tree(harm(tree_account(Shape(depth=3, buffer=8, canopy=0))))


def test_a_tree_whose_newest_change_lies_outside_is_told() -> None:
    good = bytearray(tree_account(Shape(depth=3, buffer=8)))
    good[64:72] = struct.pack("<Q", 8)
    with pytest.raises(AccountUnreadable):
        read_tree(bytes(good))


def test_a_trees_configuration_is_read() -> None:
    data = hashlib.sha256(b"account:TreeConfig").digest()[:8] + b"c" * 32 + b"d" * 32
    config = read_tree_config(data + struct.pack("<QQBBB5x", 8, 3, 0, 1, 1))
    assert (config.capacity, config.minted, config.public, config.version) == (8, 3, False, 2)
    assert (bytes(config.creator), bytes(config.delegate)) == (b"c" * 32, b"d" * 32)
    with pytest.raises(AccountUnreadable):
        read_tree_config(bytes(96))


def test_a_nonce_is_read_once_it_is_initialised() -> None:
    nonce = read_nonce(struct.pack("<II32s32sQ", 1, 1, b"a" * 32, b"v" * 32, 5000))
    assert (bytes(nonce.authority), nonce.value) == (b"a" * 32, b"v" * 32)
    with pytest.raises(AccountUnreadable):
        read_nonce(bytes(80))


def test_events_of_another_form_are_told_and_other_calls_passed_over() -> None:
    change = bytes.fromhex(seen.CHANGE_V2)
    for damaged in (change[:-1], change + b"\x00", change[:20], bytes.fromhex("01000c0100000101")):
        with pytest.raises(EventUnreadable):
            read_event(damaged + b"x" if damaged.startswith(b"\x01") else damaged)
    assert read_event(b"") is None
    assert read_event(b"hello") is None
    assert read_event(bytes.fromhex("0100010000000201ff")) is None


def test_a_mirror_has_no_place_outside() -> None:
    mirror = Mirror(3)
    for index in (-1, 8):
        with pytest.raises(Internal):
            mirror.write(index, bytes(32))
    with pytest.raises(Internal):
        Mirror(31)


@pytest.mark.parametrize(
    ("lines", "remedy"),
    [
        (
            ["Program BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY failed: custom program error: 0x1781"],
            Remedy.NEXT_TREE,
        ),
        (["Program BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY failed: custom program error: 0x1771"], Remedy.FAULT),
        (
            [
                "Program mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW failed: custom program error: 0x1771",
                "Program BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY failed: custom program error: 0x1771",
            ],
            Remedy.READ_AGAIN,
        ),
        (["Program BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY failed: custom program error: 0x17a8"], Remedy.DONE),
        (["Program 11111111111111111111111111111111 failed: custom program error: 0x1"], Remedy.FAULT),
    ],
)
def test_a_refusal_says_what_to_do(lines: list[str], remedy: Remedy) -> None:
    found = read_refusal(["Program log: Instruction: MintV2", *lines])
    assert found is not None
    assert found.remedy is remedy


def test_logs_without_a_number_say_nothing() -> None:
    assert read_refusal(["Program log: hello", "Program x failed: exceeded"]) is None
