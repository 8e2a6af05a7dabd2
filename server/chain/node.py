"""One Solana node, asked over HTTP: a bounded call, a bounded answer, and its errors told apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Raw

from server.chain.breaker import Breaker
from server.chain.problems import NodeFailed, Trouble
from server.chain.rpc_answer import read_answer
from shared.problems import DataDamaged
from shared.settings import Secret

LARGEST_ANSWER = 8 * 1024 * 1024
TIMEOUT_S = 10.0
_CHUNK = 64 * 1024

T = TypeVar("T")
Monotonic = Callable[[], float]
"""Seconds of a clock that never goes back."""


class Node:
    """A JSON-RPC endpoint. Its address may hold a provider's key, so it is shown nowhere; its ``name`` is."""

    def __init__(self, name: str, url: Secret, session: aiohttp.ClientSession, monotonic: Monotonic) -> None:
        self.name = name
        self.breaker = Breaker()
        self._url = url
        self._session = session
        self._monotonic = monotonic
        self._last = 0
        self._rests_until = float("-inf")

    def is_allowed(self) -> bool:
        """Tell whether a call may be made now."""
        now = self._monotonic()
        return now >= self._rests_until and self.breaker.allows(now)

    async def call(
        self, method: str, params: list[Any] | dict[str, Any], kind: type[T], timeout_s: float = TIMEOUT_S
    ) -> T:
        """Ask and return the result as ``kind``.

        Raises:
            NodeFailed: there is no result; its ``trouble`` says why.
        """
        return await self.call_by(method, params, lambda raw: msgspec.json.decode(raw, type=kind), timeout_s)

    async def call_by(
        self,
        method: str,
        params: list[Any] | dict[str, Any],
        read: Callable[[bytes], T],
        timeout_s: float = TIMEOUT_S,
    ) -> T:
        """Ask and return what ``read`` makes of the result.

        Raises:
            NodeFailed: there is no result, or none that can be read; its ``trouble`` says why.
        """
        try:
            answer = read(bytes(await self._ask(method, params, timeout_s)))
        except NodeFailed as problem:
            # An error that the node thought about is an answer: the node is well.
            sick = problem.trouble in (Trouble.AWAY, Trouble.LIMITED, Trouble.BEHIND)
            self.breaker.note(self._monotonic(), good=not sick, silent=problem.trouble is Trouble.AWAY)
            self._rests_until = self._monotonic() + (problem.retry_s or 0.0)
            raise
        except (msgspec.MsgspecError, DataDamaged) as exc:
            self.breaker.note(self._monotonic(), good=False)
            raise NodeFailed(f"The node's answer to {method} has another form.", Trouble.AWAY) from exc
        except asyncio.CancelledError:
            self.breaker.let_go()
            raise
        self.breaker.note(self._monotonic(), good=True)
        return answer

    async def _ask(self, method: str, params: list[Any] | dict[str, Any], timeout_s: float) -> Raw:
        self._last += 1
        body = msgspec.json.encode({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        wanted = self._last
        try:
            async with (
                asyncio.timeout(timeout_s),
                self._session.post(
                    self._url.value, data=body, headers={"Content-Type": "application/json"}, allow_redirects=False
                ) as response,
            ):
                return read_answer(await self._read(response), wanted)
        except TimeoutError as exc:
            raise NodeFailed(f"The node gave no answer to {method} in {timeout_s:g} s.", Trouble.AWAY) from exc
        except aiohttp.ClientError as exc:
            raise NodeFailed(f"The node cannot be reached ({type(exc).__name__}).", Trouble.AWAY) from exc

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status == 429:
            raise NodeFailed("The node wants fewer requests.", Trouble.LIMITED, retry_s=_retry_s(response))
        if response.status >= 500:
            raise NodeFailed(f"The node's door answers {response.status}.", Trouble.AWAY)
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise NodeFailed("The node's answer is larger than any we ask for.", Trouble.AWAY)
        return bytes(body)


def _retry_s(response: aiohttp.ClientResponse) -> float | None:
    given = response.headers.get("Retry-After", "")
    return min(float(given), 300.0) if given.isdecimal() else None
