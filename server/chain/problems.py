"""What can go wrong between us and the chain."""

from __future__ import annotations

from enum import Enum

from shared.problems import Unavailable


class Trouble(Enum):
    """What kind of thing a node's error is, whoever wrote the node."""

    AWAY = "away"
    """No answer, or none that is JSON-RPC: a proxy's page, a cut connection."""
    BEHIND = "behind"
    """The node has not yet seen the slot that was asked about."""
    LIMITED = "limited"
    """Too many requests."""
    EXPIRED = "expired"
    """The blockhash or nonce of the transaction is not valid any more, or not yet known here."""
    KNOWN = "known"
    """The very transaction has landed already."""
    POOR = "poor"
    """The payer cannot pay."""
    REFUSED = "refused"
    """A program refused, or the transaction is malformed: the logs say more."""
    OTHER = "other"


class NodeFailed(Unavailable):
    """A node did not do what it was asked; ``logs`` are the programs' when it ran the transaction."""

    code = "chain_node_failed"

    def __init__(
        self, message: str, trouble: Trouble, logs: tuple[str, ...] = (), retry_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.logs = logs
        self.retry_s = retry_s


class ChainAway(Unavailable):
    """No node answers; everything stays queued."""

    code = "chain_away"
