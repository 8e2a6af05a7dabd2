"""Several nodes as one chain: read from whoever is well, send to all, and believe an absence only when they agree."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import structlog
from msgspec import Struct

from server.chain.node import Node
from server.chain.problems import ChainAway, NodeFailed, Trouble

T = TypeVar("T")

log = structlog.get_logger()

_ELSEWHERE = frozenset({Trouble.AWAY, Trouble.LIMITED, Trouble.BEHIND})
"""Troubles of one node, which another may not have."""
_TURNS = 2
"""How often all nodes are gone through for an answer: one that was lost on its way is there when asked for again."""


class Sent(Struct, frozen=True, kw_only=True):
    """What became of sending: how many nodes took the transaction, and what the others said."""

    taken: int
    problems: tuple[NodeFailed, ...] = ()

    def find(self, trouble: Trouble) -> NodeFailed | None:
        """Return the first problem of a kind."""
        return next((one for one in self.problems if one.trouble is trouble), None)


class Nodes:
    """The nodes in order of preference."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = list(nodes)

    @property
    def count(self) -> int:
        """Return how many there are, well or not."""
        return len(self._nodes)

    def all(self) -> tuple[Node, ...]:
        """Return them, the one that is asked first first."""
        return tuple(self._nodes)

    def turn(self) -> None:
        """Put the node that is asked first last: what it says does not fit to what others say, or together."""
        self._nodes.append(self._nodes.pop(0))
        log.info("chain.node_turned", first=self._nodes[0].name)

    async def read(self, method: str, params: list[Any] | dict[str, Any], kind: type[T]) -> T:
        """Return the first node's answer, the next one's where it is away, behind or tired of us.

        Raises:
            NodeFailed: a node that is well says no.
            ChainAway: none answers.
        """
        return await self.read_by(method, params, lambda raw: msgspec.json.decode(raw, type=kind))

    async def read_by(self, method: str, params: list[Any] | dict[str, Any], read: Callable[[bytes], T]) -> T:
        """Do the same with an answer that ``read`` makes something of; where it cannot, the next node is asked.

        Raises:
            NodeFailed: a node that is well says no.
            ChainAway: none answers so that it can be read.
        """
        for node in self._nodes * _TURNS:
            if not node.is_allowed():
                continue
            try:
                return await node.call_by(method, params, read)
            except NodeFailed as problem:
                log.info("chain.node_failed", node=node.name, method=method, trouble=problem.trouble.value)
                if problem.trouble not in _ELSEWHERE:
                    raise
        raise ChainAway("No Solana node answers: what is to be minted waits.")

    async def ask_all(self, method: str, params: list[Any] | dict[str, Any], kind: type[T]) -> list[T | NodeFailed]:
        """Return every allowed node's answer or problem."""

        async def one(node: Node) -> T | NodeFailed:
            try:
                return await node.call(method, params, kind)
            except NodeFailed as problem:
                return problem

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(node)) for node in self._nodes if node.is_allowed()]
        return [task.result() for task in tasks]

    async def send(self, transaction: bytes, *, preflight: bool = True) -> Sent:
        """Give the same signed bytes to all nodes; the chain takes them once.

        Nodes are told not to repeat the sending by themselves: who repeats, and for how long, is decided here.

        Raises:
            ChainAway: no node may be asked.
        """
        options = {
            "encoding": "base64",
            "skipPreflight": not preflight,
            "preflightCommitment": "confirmed",
            "maxRetries": 0,
        }
        answers = await self.ask_all("sendTransaction", [base64.b64encode(transaction).decode(), options], str)
        if not answers:
            raise ChainAway("No Solana node answers: what is to be minted waits.")
        problems = tuple(one for one in answers if isinstance(one, NodeFailed))
        return Sent(taken=len(answers) - len(problems), problems=problems)
