"""The broker's address, as the server names it: with TLS, unless it is this machine or somebody took the risk."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from msgspec import Struct

from gate.sync.address import is_this_machine
from shared.problems import InputUnusable


class BrokerAddress(Struct, frozen=True, kw_only=True):
    """Where the broker listens."""

    host: str
    port: int
    vhost: str
    tls: bool


def read_broker_address(text: str, *, allow_plain: bool) -> BrokerAddress:
    """Return a broker's address in parts.

    Raises:
        InputUnusable: not an amqp(s) URL, or one without TLS to another machine.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise InputUnusable(f"{text!r} is not a broker's address: ask who runs the server.") from exc
    if parts.scheme not in {"amqp", "amqps"} or not host or parts.username or parts.query or parts.fragment:
        raise InputUnusable(f"{text!r} is not a broker's address: ask who runs the server.")
    tls = parts.scheme == "amqps"
    if not (tls or allow_plain or is_this_machine(host)):
        raise InputUnusable(
            "The broker's address has no TLS, so anybody on the network could read the gate's password: the gate keeps to the "
            "WebSocket. TICKETTOKEN_GATE_ALLOW_HTTP=1 allows it on a closed test network."
        )
    return BrokerAddress(host=host, port=port or (5671 if tls else 5672), vhost=unquote(parts.path[1:]) or "/", tls=tls)
