"""What the real programs accepted and computed, recorded once: the same keys, calls, hashes and roots must come out of our code.

Recorded from Bubblegum, MPL and SPL compression and MPL Core of April 2026. All keys are made of 32 equal bytes.
"""

from __future__ import annotations

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from server.chain.hashes import Fresh
from server.chain.metadata import Creator, Metadata


def keypair(byte: int) -> Keypair:
    """Return the key pair of one repeated byte."""
    return Keypair.from_seed(bytes([byte]) * 32)


PAYER = keypair(1).pubkey()
TREE_V2 = keypair(2).pubkey()
OWNER_A = keypair(3).pubkey()
OWNER_B = keypair(4).pubkey()
COLLECTION = keypair(5).pubkey()
TREE_V1 = keypair(6).pubkey()

DEPTH = 3
BUFFER = 8
SPACE = 1304

ADDRESSES = {
    PAYER: "AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9",
    TREE_V2: "9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu",
    OWNER_A: "GyGKxMyg1p9SsHfm15MkNUu1u9TN2JtTspcdmrtGUdse",
    OWNER_B: "EdmxWPmx2WH6WgFfTdu9xfkYf3k1g5wD1zccTVySEEh1",
    COLLECTION: "8SFqwqnq4whPhs8icwHA2hQg3hUoN1qrCLK1SBx3WKwe",
    TREE_V1: "AKkzLhjhyFtM9j7WAhbaqYpFe49cXeJBg2kzLRC2PnNa",
}
CONFIG_V2 = "H1qSrtbWH1FSqVJD3ihd27tskVqeA3rK99PCrMFeD1r9"
CONFIG_V1 = "5H2ydeviMSPx3ekRa2sqVev1Sb9ajuXaJMLpNeZqDiF"
CORE_SIGNER = "CbNY3JiXdXNE9tPNEk1aRZVEkWdj2v7kfJLNQwZZgpXk"

METADATA_V2 = Metadata(
    name="Ticket #000001",
    symbol="TIX",
    uri="https://t.example/m/1",
    fee_points=500,
    creators=(Creator(address=PAYER, verified=True, share=100),),
    collection=COLLECTION,
)
METADATA_V1 = Metadata(
    name=METADATA_V2.name,
    symbol=METADATA_V2.symbol,
    uri=METADATA_V2.uri,
    fee_points=METADATA_V2.fee_points,
    creators=METADATA_V2.creators,
)
WRITTEN_V2 = (
    "0e0000005469636b65742023303030303031030000005449581500000068747470733a2f2f742e6578616d706c652f6d2f31f401000101000100"
    "00008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c0164016e7a1cdd29b0b78fd13af4c5598feff4ef2a97166e"
    "3ca6f2e4fbfccd80505bf1"
)
WRITTEN_V1 = (
    "0e0000005469636b65742023303030303031030000005449581500000068747470733a2f2f742e6578616d706c652f6d2f31f401000100010000"
    "0000010000008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c0164"
)

CREATE_TREE_V2 = "37635fd78ecbe3cd030000000800000000"
CREATE_TREE_V1 = "a553888e59ca2fdc030000000800000000"
CREATE_COLLECTION = (
    "150c000000436f6e6365727420323032371a00000068747470733a2f2f742e6578616d706c652f632f312e6a736f6e01040000000f0007000800"
    "0500000100000000"
)

EMPTY_ROOT_3 = "21ddb9a356815c3fac1026b6dec5df3124afbadb485c9ba5a3e3398a04b7ba85"
EMPTY_ROOT_14 = "5c67add7c6caf302256adedf7ab114da0acfe870d449a3a489f781d659e8becc"

ASSET_V2 = "J8EQwTx2GqRuyu7Gd6K6jKhiLkvHmwA3hgeYxCYaDVAX"
DATA_HASH_V2 = "5530ad29e99a0e4be35748f1f02333200c1680bea2e3451a3c3aa04399e09a3e"
CREATOR_HASH = "8ba460898ea9a829b9835256bf0d7b0cf790d1cf143b2e1c08b974972e58c830"
COLLECTION_HASH = "3ccadfb801017cfb0f5dc61ef0e96fdaacbdb11c91ba5a230959e8d14020ea50"
LEAF_V2 = "09b6a8b8c3e797acdb89fd7482b26314b81a30b7f464df763663cda9231d07c6"
ROOT_V2 = "6a82b011ccf57e254b7861f4b8aeb7f66dc2c9b14e1fd0e03085474cfe7562b2"
CHANGE_V2 = (
    "00008139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3940400000009b6a8b8c3e797acdb89fd7482b26314b81a30b7"
    "f464df763663cda9231d07c60800000009a7e404f1c951a67023d92c55dcada30bbdb0dc84605db3d12feb1f6df1e4880400000043b7431dd84d"
    "6f52d676f5381c56dbcd6758529a941f94df509636bedc7f0bcb020000006a82b011ccf57e254b7861f4b8aeb7f66dc2c9b14e1fd0e03085474c"
    "fe7562b201000000010000000000000000000000"
)
LEAF_EVENT_START = "01000c010000010101fe70e8c4707c9ed609a31899fd5ffc39b1df53dc7da7a77d863ee2fc7734dca8ed4928c6"
AFTER_TRANSFER_V2 = (
    "7de08a48302f340c915e32080ea57876d841d93675530adf4d1d11e00ee04295",
    "716f9e0e3cb38c4dea72aad1e80d79338482471abb9ab4af234435c6bf1fe547",
)
AFTER_FREEZE_V2 = (
    "d8b7c252fcbe6a94b2755402bf52c1a1ca92d556a8d5b2078f13f576842bfa21",
    "b3de62adb52156dfd1e1fe44741bc2ce413953d7ddbe3679b0519faebe923baf",
)

ASSET_V1 = "2gyLCL1Wkoai52mKdf6N6QDq9VUr9dsqENAgnPft2PUB"
DATA_HASH_V1 = "e328dbf9549803c8c687f2f8a6297f16f2c127cb6a9a39deafe510a32e8dfef0"
LEAF_V1 = "1acc88d3f1a612834a23d08a6e1e8c63bea2e201672375221aa6381b0deafc0f"
ROOT_V1 = "a9ad7039bf95a89e67c4a8a70e3858157ed0859fda6f40c2286adc664947ec47"
AFTER_TRANSFER_V1 = (
    "2a8159c23343f70ecafd9f81c014aabbe1ada921fcc66587c7775c8333b674c5",
    "9c001f158c234eca8040d576d523403506f2f0827c7452c01bd9000e0f9b4033",
)

PUBLIC_TREE = Pubkey.from_string("6tPxkhcjcfR7rXsnGwzh8rPnkiYt2r6tDGN1TUv4T15E")
PUBLIC_OWNER = Pubkey.from_string("EczRmPqSEWBXtcMKVK1avV87EXH5JZrRbTVdUJdnYaKo")
PUBLIC_METADATA = Metadata(name="My NFT", symbol="", uri="https://example.com/my-nft.json", fee_points=500)
PUBLIC_ASSET = "BZHZ4GX7JZ1JxngRVtHJgUAnUZQ76ffBTsNXuqTVXvg5"
PUBLIC_DATA_HASH = "HB6sKWxroCdwkChjxckW3CF3fWupZHhPEua62GF46Ljs"
PUBLIC_CREATOR_HASH = "EKDHSGbrGztomDfuiV4iqiZ6LschDJPsFiXjZ83f92Md"
PUBLIC_LEAF = "ATA3LjhmyvsuAVCwsnwyo5FbMFzK41a2mkng9SFy1jcX"


def first_leaf(asset: str, *, delegate: Pubkey = OWNER_A) -> Fresh:
    """Return where the recorded tree's first mint went: to owner A."""
    return Fresh(id=Pubkey.from_string(asset), nonce=0, owner=OWNER_A, delegate=delegate)
