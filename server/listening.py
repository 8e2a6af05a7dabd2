"""The socket a server listens on, taken before anything else starts."""

from __future__ import annotations

import errno
import socket

from shared.problems import Conflict, Unavailable


class PortBusy(Conflict):
    """Another program listens where this one was told to."""

    code = "port_busy"


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; taken before anything else starts, so that a busy port is told at once.

    Raises:
        PortBusy: somebody listens there.
        Unavailable: the address is not this machine's, or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise PortBusy(
                f"port {port} on {host} is in use: stop that program, or choose another with --port"
            ) from exc
        raise Unavailable(f"cannot listen on {host} port {port} ({exc.strerror}): choose another address") from exc
    return listener
