"""The settings of minting: read apart from the others, since most servers have none of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

from server.chain.desk import MAINNET, Caps, MintPlan
from server.chain.merkle import Shape
from server.chain.signing import Keys, MemorySigner, read_signer
from server.chain.storage import OwnPages, PutPlan, read_base
from server.chain.wallets import Wallets
from shared.problems import SettingsInvalid
from shared.secrecy import Reticent
from shared.settings import Secret, load_settings

SHORTEST_SEED = 32

Network = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,19}$")]
Version = Annotated[int, Meta(ge=1, le=2)]
Depth = Annotated[int, Meta(ge=3, le=30)]
Buffer = Annotated[int, Meta(ge=8, le=2048)]
Canopy = Annotated[int, Meta(ge=0, le=17)]
NonceCount = Annotated[int, Meta(ge=1, le=256)]
Lamports = Annotated[int, Meta(ge=0, le=10**15)]
Hours = Annotated[int, Meta(ge=0, le=24 * 365)]
Price = Annotated[int, Meta(ge=1_000, le=10_000_000)]


class ChainSettings(Struct, frozen=True, kw_only=True):
    """What minting needs to know; each field is an environment variable in capitals, ``…_FILE`` names a file with the value.

    ``solana_rpc_urls`` are the nodes' addresses, apart by spaces, best first; without it nothing is minted. The keys are 64
    bytes in Base58 or a JSON list, as Solana's tools write them. ``solana_wallet_seed`` is what holders' wallets are derived
    from: who loses it loses them, who has it owns them. ``solana_creator_key`` makes trees and collections and is better kept
    elsewhere. Assets that are to go are frozen at once and burned ``nft_burn_after_hours`` later. Metadata is shown by this server
    below ``public_url``, or put into a store that shows it below ``nft_storage_url`` and takes it by PUT below
    ``nft_storage_write_url``.
    """

    solana_rpc_urls: Secret | None = None
    solana_network: Network = "devnet"
    solana_payer_key: Secret | None = None
    solana_minter_key: Secret | None = None
    solana_operator_key: Secret | None = None
    solana_creator_key: Secret | None = None
    solana_wallet_seed: Secret | None = None
    public_url: str | None = None
    nft_storage_url: str | None = None
    nft_storage_write_url: Secret | None = None
    nft_storage_authorization: Secret | None = None
    nft_version: Version = 2
    nft_tree_depth: Depth = 14
    nft_tree_buffer: Buffer = 64
    nft_tree_canopy: Canopy = 8
    nft_nonces: NonceCount = 16
    nft_burn_after_hours: Hours = 72
    nft_most_price: Price = 200_000
    nft_lamports_per_transaction: Lamports = 1_000_000_000
    nft_lamports_per_hour: Lamports = 2_000_000_000
    nft_lamports_per_day: Lamports = 10_000_000_000


class ChainPlan(Reticent, frozen=True, kw_only=True):
    """Which nodes are asked, how minting is done, and where metadata is put; None: it is shown by this server itself."""

    urls: tuple[Secret, ...]
    mint: MintPlan
    store: PutPlan | None = None


def read_chain(environ: Mapping[str, str]) -> ChainPlan | None:
    """Return how to mint, None where no node is named.

    Raises:
        SettingsInvalid: naming everything that is missing or unfit at once, no value shown.
    """
    settings = load_settings(ChainSettings, environ)
    if settings.solana_rpc_urls is None:
        return None
    urls = tuple(Secret(one) for one in settings.solana_rpc_urls.value.split())
    faults = _find_faults(settings, urls)
    if faults:
        raise SettingsInvalid(f"These settings need attention: {'; '.join(faults)}.")
    shape, store_url = read_shape(settings), settings.nft_storage_url or ""
    mint = MintPlan(
        network=settings.solana_network,
        keys=Keys(
            payer=_signer(settings, "solana_payer_key"),
            minter=_signer(settings, "solana_minter_key"),
            operator=_signer(settings, "solana_operator_key"),
        ),
        creator=None if settings.solana_creator_key is None else _signer(settings, "solana_creator_key"),
        wallets=Wallets(_secret(settings, "solana_wallet_seed")),
        storage=OwnPages(settings.public_url or store_url),
        shape=shape,
        version=settings.nft_version,
        nonces=settings.nft_nonces,
        caps=Caps(
            tx=settings.nft_lamports_per_transaction,
            hour=settings.nft_lamports_per_hour,
            day=settings.nft_lamports_per_day,
        ),
        burn_after=timedelta(hours=settings.nft_burn_after_hours),
        most_price=settings.nft_most_price,
    )
    return ChainPlan(urls=urls, mint=mint, store=_store(settings))


def read_shape(settings: ChainSettings) -> Shape:
    """Return the sizes of trees to be made.

    Raises:
        SettingsInvalid: the programs take no such tree.
    """
    shape = Shape(depth=settings.nft_tree_depth, buffer=settings.nft_tree_buffer, canopy=settings.nft_tree_canopy)
    if not shape.is_allowed():
        raise SettingsInvalid(
            "NFT_TREE_DEPTH, NFT_TREE_BUFFER and NFT_TREE_CANOPY name a tree that the programs on chain refuse: "
            "14, 64 and 8 hold 16,384 tickets, 17, 64 and 8 131,072, 20, 64 and 10 a million."
        )
    return shape


def _find_faults(settings: ChainSettings, urls: tuple[Secret, ...]) -> list[str]:
    needed = ("solana_payer_key", "solana_minter_key", "solana_operator_key", "solana_wallet_seed")
    faults = [f"{name.upper()} is not set" for name in needed if getattr(settings, name) is None]
    if settings.public_url is None and settings.nft_storage_url is None:
        faults.append("PUBLIC_URL is not set, nor NFT_STORAGE_URL")
    if settings.nft_storage_url is None and settings.nft_storage_write_url is not None:
        faults.append("NFT_STORAGE_URL is not set, and NFT_STORAGE_WRITE_URL is")
    if not urls or not all(one.value.startswith(("http://", "https://")) for one in urls):
        faults.append("SOLANA_RPC_URLS is no list of addresses beginning with http:// or https://")
    seed = settings.solana_wallet_seed
    if seed is not None and len(seed.value) < SHORTEST_SEED:
        faults.append(f"SOLANA_WALLET_SEED has fewer than {SHORTEST_SEED} characters")
    if settings.solana_network == MAINNET and len(urls) < 2:
        faults.append("SOLANA_RPC_URLS names one node, and on mainnet two of different providers have to agree")
    return faults


def _store(settings: ChainSettings) -> PutPlan | None:
    base = settings.nft_storage_url
    if base is None:
        return None
    read_base(base, "NFT_STORAGE_URL")
    write_url = settings.nft_storage_write_url or Secret(base)
    if not write_url.value.startswith(("https://", "http://")):
        raise SettingsInvalid("NFT_STORAGE_WRITE_URL is no address beginning with http:// or https://.")
    return PutPlan(base=base, write_url=write_url, authorization=settings.nft_storage_authorization)


def _signer(settings: ChainSettings, name: str) -> MemorySigner:
    return read_signer(_secret(settings, name), name.upper())


def _secret(settings: ChainSettings, name: str) -> Secret:
    found = getattr(settings, name)
    if not isinstance(found, Secret):
        raise SettingsInvalid(f"{name.upper()} is not set.")
    return found
