"""The server's address, as a person gives it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from shared.problems import InputUnusable


def check_address(text: str, *, allow_http: bool) -> str:
    """Return a server's base URL without a slash at its end.

    Raises:
        InputUnusable: not an http(s) URL, or one without TLS to another machine.
    """
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise InputUnusable(f"{text!r} is not an address: give one such as https://tickets.example.org.") from exc
    if parts.scheme not in {"http", "https"} or not host:
        raise InputUnusable(f"{text!r} is not an address: give one such as https://tickets.example.org.")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise InputUnusable("The server's address is scheme, host and perhaps a path, nothing else.")
    if parts.scheme == "http" and not (allow_http or is_this_machine(host)):
        raise InputUnusable(
            "Without TLS anybody on the network could pose as the server: give an https:// address, or set "
            "TICKETTOKEN_GATE_ALLOW_HTTP=1 on a closed test network."
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_this_machine(host: str) -> bool:
    """Say whether a host is the machine itself, by its name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
