"""Wherever metadata lies, its address is as stable, its contents are as true, and nobody learns more from it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self
from uuid import UUID

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from msgspec import Struct

from server.api.nfts import NftApi
from server.chain.metadata import URI_BYTES
from server.chain.storage import LONGEST_BASE, MetadataStorage, OwnPages, PutPlan, PutStore, StorageAway, read_base
from server.domain.nft import Wish
from server.domain.nft_token import write_token
from server.minting import describe_files
from server.services.rows_nft import PublicAsset
from shared.problems import SettingsInvalid
from shared.settings import Secret

TOKEN, OTHER = UUID(int=7), UUID(int=8)
KEY = Secret("Bearer a-key-that-is-nobodys-business")


class Book:
    """What anybody may read of assets, in memory: a second implementation of ``PublicDatabase``."""

    def __init__(self) -> None:
        evening = PublicAsset(
            name="Opening", event_name="Opening <1>", type_name="Standing", starts=None, wish=Wish.LIVE
        )
        self.assets = {TOKEN: evening, OTHER: evening}

    def worker(self) -> Self:
        """Open one transaction."""
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    @property
    def mints(self) -> Self:
        """Return what anybody may read."""
        return self

    async def public(self, token: UUID) -> PublicAsset | None:
        """Return an asset."""
        return self.assets.get(token)


class Bucket:
    """A store that takes files from whoever has its key, and shows them to everybody."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.status = 201

    async def put(self, request: web.Request) -> web.Response:
        """Take a file."""
        if request.headers.get("Authorization") != KEY.value:
            return web.Response(status=403)
        if self.status == 201:
            self.files[request.match_info["name"]] = (request.content_type, await request.read())
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})

    async def get(self, request: web.Request) -> web.Response:
        """Show a file."""
        kind, body = self.files[request.match_info["name"]]
        return web.Response(body=body, content_type=kind)


class Place(Struct, kw_only=True):
    """A storage, what is known of assets, and how anybody reads."""

    storage: MetadataStorage
    book: Book
    session: aiohttp.ClientSession
    bucket: Bucket | None = None

    async def read(self, address: str) -> tuple[str, bytes]:
        """Return what lies at an address, and of which kind it is."""
        async with self.session.get(address) as answer:
            assert answer.status == 200
            return answer.content_type, await answer.read()


@asynccontextmanager
async def own_pages() -> AsyncIterator[Place]:
    """Run this server's pages."""
    book, app = Book(), web.Application()
    port = unused_port()
    base = f"http://127.0.0.1:{port}"
    # No page that anybody may read asks for the context.
    for route in NftApi(None, book, base).routes():  # type: ignore[arg-type] # see above
        app.router.add_route(route.method, route.path, route.handler)
    async with TestServer(app, port=port) as _, aiohttp.ClientSession() as session:
        yield Place(storage=OwnPages(base), book=book, session=session)


@asynccontextmanager
async def bucket(key: Secret | None = KEY) -> AsyncIterator[Place]:
    """Run a store."""
    book, store, app = Book(), Bucket(), web.Application()
    app.router.add_put("/in/{name}", store.put)
    app.router.add_get("/out/{name}", store.get)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        plan = PutPlan(
            base=str(server.make_url("/out/")), write_url=Secret(str(server.make_url("/in"))), authorization=key
        )
        yield Place(storage=PutStore(plan, session, describe_files(book)), book=book, session=session, bucket=store)


@pytest.fixture(params=["own pages", "bucket"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    """Give each kind of storage."""
    async with own_pages() if request.param == "own pages" else bucket() as opened:
        yield opened


async def test_an_address_is_stable_and_says_nothing(place: Place) -> None:
    address = await place.storage.place(TOKEN)
    assert await place.storage.place(TOKEN) == address == place.storage.address(TOKEN)
    other = await place.storage.place(OTHER)
    assert address.replace(write_token(TOKEN), "") == other.replace(write_token(OTHER), "")
    assert address != other


async def test_metadata_and_its_picture_can_be_read_once_they_are_placed(place: Place) -> None:
    kind, body = await place.read(await place.storage.place(TOKEN))
    told = msgspec.json.decode(body)
    assert (kind, told["name"], told["symbol"]) == ("application/json", "Opening", "TIX")
    assert {one["trait_type"]: one["value"] for one in told["attributes"]} == {
        "Event": "Opening <1>",
        "Category": "Standing",
        "Status": "valid",
    }
    kind, drawn = await place.read(told["image"])
    assert kind == "image/svg+xml"
    assert b"Opening &lt;1&gt;" in drawn
    assert [one["uri"] for one in told["properties"]["files"]] == [told["image"]]


async def test_what_changed_is_told_once_it_is_placed_again(place: Place) -> None:
    address = await place.storage.place(TOKEN)
    place.book.assets[TOKEN] = msgspec.structs.replace(place.book.assets[TOKEN], wish=Wish.GONE, name="Reopening")
    assert await place.storage.place(TOKEN) == address
    told = msgspec.json.decode((await place.read(address))[1])
    assert (told["name"], told["attributes"][-1]["value"]) == ("Reopening", "void")


@pytest.mark.parametrize("status", [302, 404, 500, 503])
async def test_a_store_that_does_not_take_a_file_is_told_of(status: int) -> None:
    async with bucket() as place:
        assert place.bucket is not None
        place.bucket.status = status
        with pytest.raises(StorageAway, match=str(status)):
            await place.storage.place(TOKEN)
        assert place.bucket.files == {}
        place.bucket.status = 201
        assert await place.read(await place.storage.place(TOKEN))


@pytest.mark.parametrize("key", [None, Secret("Bearer another")])
async def test_without_its_key_a_store_takes_nothing(key: Secret | None) -> None:
    async with bucket(key) as place:
        with pytest.raises(StorageAway, match="403") as caught:
            await place.storage.place(TOKEN)
        assert "another" not in str(caught.value)


async def test_a_store_that_is_not_there_is_told_of() -> None:
    async with bucket() as place, aiohttp.ClientSession() as session:
        gone = PutPlan(base="http://t.example", write_url=Secret(f"http://127.0.0.1:{unused_port()}"))
        with pytest.raises(StorageAway, match="reached"):
            await PutStore(gone, session, describe_files(place.book)).place(TOKEN)


def test_an_address_that_would_not_fit_is_refused_before_anything_is_minted() -> None:
    longest = "https://" + "x" * (LONGEST_BASE - 8)
    assert len(f"{read_base(longest, 'X')}/{write_token(TOKEN)}.json") <= URI_BYTES
    for bad in (longest + "x", "t.example", "ftp://t.example", ""):
        with pytest.raises(SettingsInvalid, match="NFT_STORAGE_URL"):
            read_base(bad, "NFT_STORAGE_URL")
