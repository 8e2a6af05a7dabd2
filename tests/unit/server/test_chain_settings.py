"""What minting is told by the environment: everything that is wrong at once, and nothing that is secret."""

from __future__ import annotations

import pytest
from solders.keypair import Keypair

from server.chain.storage import OwnPages, PutPlan
from server.settings_chain import ChainPlan, read_chain
from shared.problems import SettingsInvalid

KEYS = {
    f"SOLANA_{who}_KEY": str(Keypair.from_seed(bytes([n]) * 32))
    for n, who in enumerate(("PAYER", "MINTER", "OPERATOR"), start=1)
}
SEED = "a seed that is long enough for anybody's wallets"
WHOLE = {
    "SOLANA_RPC_URLS": "https://one.example https://two.example/?key=geheim",
    "SOLANA_WALLET_SEED": SEED,
    "PUBLIC_URL": "https://t.example",
    **KEYS,
}


def read(**changes: str | None) -> ChainPlan:
    environ = {name: value for name, value in {**WHOLE, **changes}.items() if value is not None}
    found = read_chain(environ)
    assert found is not None
    return found


def test_without_a_node_nothing_is_minted() -> None:
    assert read_chain({}) is None


def test_a_whole_plan_is_read_and_shows_no_secret() -> None:
    plan = read()
    assert (len(plan.urls), plan.store, plan.mint.creator) == (2, None, None)
    assert isinstance(plan.mint.storage, OwnPages)
    told = repr(plan)
    assert not any(secret in told for secret in ("geheim", SEED, *KEYS.values()))


def test_a_store_of_ones_own_needs_no_pages() -> None:
    changes = {"PUBLIC_URL": None, "NFT_STORAGE_URL": "https://b.example/t", "NFT_STORAGE_AUTHORIZATION": "geheim"}
    store = read(**changes).store
    assert isinstance(store, PutPlan)
    assert (store.base, store.write_url.value) == ("https://b.example/t", "https://b.example/t")
    assert "geheim" not in repr(store)
    assert read(**changes, NFT_STORAGE_WRITE_URL="https://in.example").store is not None


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"SOLANA_PAYER_KEY": None, "SOLANA_WALLET_SEED": None}, "SOLANA_PAYER_KEY is not set; SOLANA_WALLET_SEED is"),
        ({"PUBLIC_URL": None}, "PUBLIC_URL is not set, nor NFT_STORAGE_URL"),
        ({"NFT_STORAGE_WRITE_URL": "https://in.example"}, "NFT_STORAGE_URL is not set, and"),
        ({"NFT_STORAGE_URL": "t.example"}, "NFT_STORAGE_URL is no address"),
        (
            {"NFT_STORAGE_URL": "https://b.example", "NFT_STORAGE_WRITE_URL": "in"},
            "NFT_STORAGE_WRITE_URL is no address",
        ),
        ({"SOLANA_RPC_URLS": "one.example"}, "SOLANA_RPC_URLS is no list"),
        ({"SOLANA_WALLET_SEED": "short"}, "fewer than 32"),
        ({"SOLANA_NETWORK": "mainnet", "SOLANA_RPC_URLS": "https://one.example"}, "two of different providers"),
        ({"NFT_TREE_DEPTH": "21"}, "name a tree that the programs on chain refuse"),
        ({"NFT_VERSION": "3"}, "NFT_VERSION"),
        ({"SOLANA_MINTER_KEY": "geheim"}, "SOLANA_MINTER_KEY is no Solana key"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(changes: dict[str, str | None], fault: str) -> None:
    with pytest.raises(SettingsInvalid, match=fault) as caught:
        read(**changes)
    assert "geheim" not in str(caught.value)
