"""Getting a key set from its issuer: over HTTPS, in time, of bounded size, following nobody elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from server.auth.key_set import NamedKey, read_key_set
from server.auth.public_tokens import FetchKeys, KeysAway
from server.domain.token_rules import TokenAlgorithm
from shared.problems import SettingsInvalid

TIMEOUT_S = 5.0
MOST_BYTES = 256 * 1024
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def check_address(url: str) -> None:
    """Return if keys may be fetched from an address: HTTPS, or this very machine.

    Raises:
        SettingsInvalid: otherwise.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError as exc:
        raise SettingsInvalid("JWT_JWKS_URL is not an address.") from exc
    if (
        parts.username is not None
        or not host
        or not (parts.scheme == "https" or (parts.scheme == "http" and host in _HERE))
    ):
        raise SettingsInvalid(
            "JWT_JWKS_URL must begin with https:// (http:// only for this machine), without a password."
        )


def fetch_from(url: str, algorithm: TokenAlgorithm) -> FetchKeys:
    """Return what asks an address for its key set.

    Raises:
        SettingsInvalid: keys may not be fetched from there.
    """
    check_address(url)

    async def fetch() -> list[NamedKey]:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as session,
                session.get(url, allow_redirects=False) as response,
            ):
                body = await response.content.read(MOST_BYTES + 1)
                while len(body) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES + 1 - len(body))):
                    body += more
                status = response.status
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise KeysAway(f"The tokens' issuer does not answer ({type(exc).__name__}).") from exc
        if status != 200 or len(body) > MOST_BYTES:
            raise KeysAway(
                f"The tokens' issuer answers with status {status} and {len(body)} bytes instead of its keys."
            )
        return read_key_set(body, algorithm)

    return fetch
