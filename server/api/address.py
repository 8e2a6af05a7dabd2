"""Where a request comes from: the address of the connection, or what a proxy we trust says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

Network = IPv4Network | IPv6Network
_MOST_HOPS = 20


def tell_address(proxies: Sequence[Network]) -> Callable[[web.Request], str]:
    """Return how a request's address is told.

    Each proxy adds whom it saw at the end of X-Forwarded-For; what stands before the first one we do not trust anybody may
    have written.
    """

    def tell(request: web.Request) -> str:
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
        return find_address(request.remote or "", forwarded, proxies)

    return tell


def find_address(remote: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Return the nearest address that is no trusted proxy's."""
    nearest = _parse(remote)
    if nearest is None:
        return remote
    for text in reversed(forwarded.split(",")[-_MOST_HOPS:]):
        if not any(nearest in network for network in proxies):
            break
        further = _parse(text.strip())
        if further is None:
            break
        nearest = further
    return str(nearest)


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip("[]"))
    except ValueError:
        return None
