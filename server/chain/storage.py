"""Where an asset's metadata lies: at an address that says nothing of the ticket and never changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

import aiohttp
from msgspec import Struct

from server.chain.metadata import URI_BYTES
from server.domain.nft_token import write_token
from shared.problems import SettingsInvalid, Unavailable
from shared.secrecy import Reticent
from shared.settings import Secret

LONGEST_BASE = URI_BYTES - 40
TIMEOUT_S = 15.0


class StorageAway(Unavailable):
    """Metadata cannot be put where it belongs: what needs it waits."""

    code = "nft_storage_away"


class MetadataStorage(Protocol):
    """Somewhere that answers with an asset's JSON."""

    def address(self, token: UUID) -> str:
        """Return the address for this token, whether anything lies there yet or not."""
        ...

    async def place(self, token: UUID) -> str:
        """Return the address for this token, from which its metadata as it is now can be read from now on.

        Raises:
            StorageAway: not now.
        """
        ...


class OwnPages:
    """This server's own pages: what they show is read from the database when somebody asks, so nothing has to be put there."""

    def __init__(self, public_url: str) -> None:
        self._base = read_base(public_url, "PUBLIC_URL")

    def address(self, token: UUID) -> str:
        """Return the page's address; each byte of it is paid for in every mint."""
        return f"{self._base}/m/{write_token(token)}"

    async def place(self, token: UUID) -> str:
        """Return the page's address."""
        return self.address(token)


class Files(Struct, frozen=True, kw_only=True):
    """What is put somewhere else: metadata as JSON, and the picture that it names, as SVG."""

    metadata: bytes
    picture: bytes


Describe = Callable[[UUID, str], Awaitable[Files]]
"""Returns a token's files as they are now; the second argument is the address at which the picture will lie."""


class PutPlan(Reticent, frozen=True, kw_only=True):
    """A store that takes files by HTTP PUT below ``write_url`` and shows them to everybody below ``base``.

    ``authorization`` is what it wants in the header of that name, None for nothing.
    """

    base: str
    write_url: Secret
    authorization: Secret | None = None


class PutStore:
    """A store of somebody else's: a bucket, a WebDAV folder, anything that takes a file by PUT and shows it afterwards.

    The picture is put first, so that no metadata names one that is not there. Putting the same again does no harm.
    """

    def __init__(self, plan: PutPlan, session: aiohttp.ClientSession, describe: Describe) -> None:
        self._base = read_base(plan.base, "NFT_STORAGE_URL")
        self._plan = plan
        self._session = session
        self._describe = describe

    def address(self, token: UUID) -> str:
        """Return the metadata's address."""
        return f"{self._base}/{write_token(token)}.json"

    async def place(self, token: UUID) -> str:
        """Put a token's files and return the metadata's address."""
        name = write_token(token)
        files = await self._describe(token, f"{self._base}/{name}.svg")
        await self._put(f"{name}.svg", files.picture, "image/svg+xml")
        await self._put(f"{name}.json", files.metadata, "application/json")
        return self.address(token)

    async def _put(self, name: str, body: bytes, kind: str) -> None:
        headers = {"Content-Type": kind}
        if self._plan.authorization is not None:
            headers["Authorization"] = self._plan.authorization.value
        url = f"{self._plan.write_url.value.rstrip('/')}/{name}"
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._session.put(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise StorageAway(f"The store for metadata answers {answer.status}.")
        except TimeoutError as exc:
            raise StorageAway(f"The store for metadata gave no answer in {TIMEOUT_S:g} s.") from exc
        except aiohttp.ClientError as exc:
            raise StorageAway(f"The store for metadata cannot be reached ({type(exc).__name__}).") from exc


def read_base(url: str, setting: str) -> str:
    """Return the beginning of addresses, without a slash at its end.

    Raises:
        SettingsInvalid: it is no address, or addresses that begin so are too long.
    """
    if not url.startswith(("https://", "http://")):
        raise SettingsInvalid(f"{setting} is no address beginning with http:// or https://.")
    if len(url.encode()) > LONGEST_BASE:
        raise SettingsInvalid(f"{setting} has more than {LONGEST_BASE} bytes: metadata's addresses would not fit.")
    return url.rstrip("/")
