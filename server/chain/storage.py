"""Where an asset's metadata lies: at an address that says nothing of the ticket and never changes."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from server.chain.metadata import URI_BYTES
from server.domain.nft_token import write_token
from shared.problems import SettingsInvalid

LONGEST_BASE = URI_BYTES - 40


class MetadataStorage(Protocol):
    """Somewhere that answers with an asset's JSON."""

    async def place(self, token: UUID) -> str:
        """Return the address for this token, from which its metadata can be read from now on.

        Raises:
            Unavailable: not now.
        """
        ...


class OwnPages:
    """This server's own pages: what they show is read from the database when somebody asks, so nothing has to be put there."""

    def __init__(self, public_url: str) -> None:
        if len(public_url.encode()) > LONGEST_BASE:
            raise SettingsInvalid(f"PUBLIC_URL has more than {LONGEST_BASE} bytes: metadata's addresses would not fit.")
        self._base = public_url.rstrip("/")

    async def place(self, token: UUID) -> str:
        """Return the page's address; each byte of it is paid for in every mint."""
        return f"{self._base}/m/{write_token(token)}"
