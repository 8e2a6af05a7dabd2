"""What stands in front of the local node: the programs' part where stubs are installed, and every accident a network can have.

A transaction that the model refuses beforehand is refused as a node's preflight would; one that turns out to fail in its turn has
landed and failed. Everything else is the node's own answer.
"""

from __future__ import annotations

import asyncio
import base64
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from server.chain.base58 import encode_base58
from server.chain.programs import BUBBLEGUM, MPL_COMPRESSION, MPL_NOOP, SPL_NOOP, find_tree_config
from tests.chain_node.bubblegum import STALE_PROOF, Bubblegum, ProgramRefused
from tests.chain_node.called import read_accounts, read_calls
from tests.chain_node.das import METHODS, Das
from tests.chain_node.tables import LookupTables

_LATE_S = 0.3
_KNOWN = {"code": -32002, "message": "Transaction simulation failed: This transaction has already been processed"}
"""What the node itself says to a transaction that has landed, without the data that other errors have."""

Accident = Callable[[str], str | None]
"""Says for a method what goes wrong with this call, None for nothing.

``drop``: a transaction is taken and never lands. ``lost``: done, but the answer is lost. ``away``: not done, no answer.
``twice``: done twice. ``behind``: the node says it lags. ``blind``: it knows of nothing. ``slow``: its answer comes late.
"""


Lie = Callable[[dict[str, Any], Any], Any]
"""Makes of a call and its true result what the node says instead."""


def no_accident(_: str) -> str | None:
    """Let everything go well."""
    return None


def misfortune(seed: int, rates: dict[str, float]) -> Accident:
    """Return accidents at random from a seed, each kind as often as its rate says."""
    dice = random.Random(seed)  # noqa: S311 - accidents, not secrets

    def choose(_: str) -> str | None:
        roll = dice.random()
        for kind, rate in rates.items():
            if roll < rate:
                return kind
            roll -= rate
        return None

    return choose


class Programs:
    """The programs' part: one order of execution for all fronts, and what each transaction wrote or why it failed."""

    def __init__(self) -> None:
        self.model = Bubblegum()
        self.tables = LookupTables()
        self.events: dict[str, list[tuple[int, bytes]]] = {}
        self.failures: dict[str, ProgramRefused] = {}
        self.alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.emptied: set[Pubkey] = set()

    def try_out(self, raw: bytes) -> ProgramRefused | None:
        """Tell what a preflight would say; nothing stays of it."""
        calls, signers = read_calls(raw, self.tables.entries), _signers(raw)
        if not calls:
            return None
        try:
            self.model.check(calls, signers)
        except ProgramRefused as refused:
            return refused
        return None

    def execute(self, signature: str, raw: bytes) -> None:
        """Do what a landed transaction says, once."""
        if signature in self.events or signature in self.failures:
            return
        try:
            calls = read_calls(raw, self.tables.entries)
            self.events[signature] = self.model.run(calls, _signers(raw))
            self.tables.run(calls)
        except ProgramRefused as refused:
            self.failures[signature] = refused


class Front:
    """One address of the chain."""

    def __init__(self, rpc: str, programs: Programs, *, compiled: bool) -> None:
        self.accident: Accident = no_accident
        self.lie: Lie | None = None
        self.calls = 0
        self.sent: set[str] = set()
        self.das: Das | None = None
        self._rpc = rpc
        self._programs = None if compiled else programs
        self._shadow = programs
        self._another = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        body = await request.read()
        call = msgspec.json.decode(body)
        self.calls += 1
        self._another.set()
        what = self.accident(call["method"])
        if what == "away":
            return web.Response(status=503)
        if what == "behind":
            return _answer(call, error={"code": -32005, "message": "Node is behind by 42 slots"})
        # Whoever asked may be killed meanwhile: what was begun is done all the same.
        answer = await asyncio.shield(asyncio.ensure_future(self._answer(call, what)))
        if what == "lost":
            return web.Response(status=504)
        if what == "slow":
            await self._wait_for_another()
        if self.lie is not None and "result" in answer:
            answer = {**answer, "result": self.lie(call, answer["result"])}
        return web.json_response(answer)

    async def _wait_for_another(self) -> None:
        self._another.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LATE_S):
                await self._another.wait()

    async def _answer(self, call: dict[str, Any], what: str | None) -> dict[str, Any]:
        method = call["method"]
        if what == "blind" and method == "getSignatureStatuses":
            nothing = {"context": {"slot": 1}, "value": [None] * len(call["params"][0])}
            return {"jsonrpc": "2.0", "id": call["id"], "result": nothing}
        if method == "sendTransaction":
            return await self._send(call, what)
        if self.das is not None and method in METHODS:
            return self.das.answer(call)
        answer = await self._forward(call)
        if self._programs is not None and "result" in answer:
            if method == "getTransaction" and not _is_told(call["params"][0], answer["result"], self._programs):
                return {**answer, "result": None}
            self._complete(call, answer["result"], self._programs)
        return answer

    async def _send(self, call: dict[str, Any], what: str | None) -> dict[str, Any]:
        raw = base64.b64decode(call["params"][0])
        signature = str(VersionedTransaction.from_bytes(raw).signatures[0])
        self.sent.add(signature)
        if what == "drop":
            return {"jsonrpc": "2.0", "id": call["id"], "result": signature}
        if self._programs is None:
            answer = await self._forward(call)
            if "result" in answer:
                self._shadow.execute(signature, raw)
            return answer
        # What comes through several fronts at once is run once, and known to whoever comes second.
        async with self._programs.alone[signature]:
            return await self._run(call, signature, raw, what)

    async def _run(self, call: dict[str, Any], signature: str, raw: bytes, what: str | None) -> dict[str, Any]:
        assert self._programs is not None
        if self._has_run(signature) and what != "twice":
            return {"jsonrpc": "2.0", "id": call["id"], "error": _KNOWN}
        # Between two answers of the node nothing else runs: the order in which they come is the order of execution.
        refused = None if self._has_run(signature) else self._programs.try_out(raw)
        if refused is not None:
            return {"jsonrpc": "2.0", "id": call["id"], "error": _preflight(refused)}
        answer = await self._forward(call)
        if "result" in answer:
            self._programs.execute(signature, raw)
            await self._empty(self._programs)
        if what == "twice":
            await self._forward(call)
        return answer

    async def _empty(self, programs: Programs) -> None:
        """Take trees' bytes from the node, which keeps hundreds of copies of them: the stub never looks, the model tells them."""
        for tree in programs.model.trees.keys() - programs.emptied:
            programs.emptied.add(tree)
            slim = {"data": "", "lamports": 10**9, "owner": str(MPL_COMPRESSION)}
            await self._forward(
                {"jsonrpc": "2.0", "id": 1, "method": "surfnet_setAccount", "params": [str(tree), slim]}
            )

    def _has_run(self, signature: str) -> bool:
        programs = self._programs
        return programs is not None and (signature in programs.events or signature in programs.failures)

    def _complete(self, call: dict[str, Any], result: Any, programs: Programs) -> None:
        method, params = call["method"], call["params"]
        if method == "getTransaction" and result is not None:
            _add_events(params[0], result, programs)
        elif method == "getSignatureStatuses":
            for signature, status in zip(params[0], result["value"], strict=True):
                if status is not None and signature in programs.failures:
                    status["err"] = _error(programs.failures[signature])
        elif method == "getAccountInfo" and result["value"] is None:
            result["value"] = _config(Pubkey.from_string(params[0]), programs)
        elif method == "getAccountInfo":
            address = Pubkey.from_string(params[0])
            if address in programs.model.trees:
                size = programs.model.trees[address].shape.account_bytes
                result["value"]["data"][0] = base64.b64encode(programs.model.account(address, size)).decode()

    async def _forward(self, call: dict[str, Any]) -> dict[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(self._rpc, json=call) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
            return answer

    async def close(self) -> None:
        """Let the node go."""
        if self._session is not None:
            await self._session.close()


@asynccontextmanager
async def front_of(rpc: str, programs: Programs, *, compiled: bool) -> AsyncIterator[tuple[Front, str]]:
    """Run a front on a port of its own; gives its address. With ``compiled`` programs on the node the model only looks on."""
    front = Front(rpc, programs, compiled=compiled)
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/", front.handle)
    async with TestServer(app) as server:
        yield front, str(server.make_url("/"))
        await front.close()


def _config(address: Pubkey, programs: Programs) -> dict[str, Any] | None:
    """Return the account that the program would have made beside a tree."""
    tree = next((one for one in programs.model.trees if find_tree_config(one) == address), None)
    if tree is None:
        return None
    data = base64.b64encode(programs.model.config(tree)).decode()
    return {
        "lamports": 1_559_040,
        "owner": str(BUBBLEGUM),
        "data": [data, "base64"],
        "executable": False,
        "rentEpoch": 0,
    }


def _signers(raw: bytes) -> frozenset[Pubkey]:
    message = VersionedTransaction.from_bytes(raw).message
    return frozenset(message.account_keys[: message.header.num_required_signatures])


def _add_events(signature: str, result: dict[str, Any], programs: Programs) -> None:
    if signature in programs.failures:
        result["meta"]["err"] = _error(programs.failures[signature])
        return
    keys = read_accounts(base64.b64decode(result["transaction"][0]), programs.tables.entries)
    noop = next((keys.index(one) for one in (MPL_NOOP, SPL_NOOP) if one in keys), None)
    groups: dict[int, list[dict[str, Any]]] = {}
    for place, data in programs.events.get(signature, []):
        told: dict[str, Any] = {"programIdIndex": noop, "accounts": [], "data": encode_base58(data), "stackHeight": 2}
        groups.setdefault(place, []).append(told)
    result["meta"]["innerInstructions"] = [
        {"index": place, "instructions": instructions} for place, instructions in groups.items()
    ]


def _is_told(signature: str, result: dict[str, Any] | None, programs: Programs) -> bool:
    """Tell whether the programs' part of a transaction is done: the node may be a moment ahead of it."""
    if result is None or signature in programs.events or signature in programs.failures:
        return True
    return not read_calls(base64.b64decode(result["transaction"][0]), programs.tables.entries)


def _error(refused: ProgramRefused) -> dict[str, Any]:
    return {"InstructionError": [refused.place, {"Custom": refused.number}]}


def _preflight(refused: ProgramRefused) -> dict[str, Any]:
    program = MPL_COMPRESSION if refused.number == STALE_PROOF else BUBBLEGUM
    logs = [f"Program {program} failed: custom program error: 0x{refused.number:x}"]
    return {
        "code": -32002,
        "message": "Transaction simulation failed",
        "data": {"err": _error(refused), "logs": logs},
    }


def _answer(call: dict[str, Any], **rest: Any) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": call["id"], **rest})
