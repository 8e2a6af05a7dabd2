"""A chain to mint on: the local node with stubs and the model of the programs, or with the programs themselves.

`TICKETTOKEN_SOLANA_PROGRAMS` names a folder of compiled programs; with it nothing else has to be set.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import Struct
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from server.chain.programs import BUBBLEGUM, MPL_COMPRESSION, MPL_CORE, MPL_NOOP, SPL_COMPRESSION, SPL_NOOP
from tests.chain_node.bubblegum import Bubblegum
from tests.chain_node.front import Front, Programs, front_of
from tests.chain_node.launcher import ChainNode, chain_node
from tests.chain_node.stub_program import stub_program

VARIABLE = "TICKETTOKEN_SOLANA_PROGRAMS"
FILES = {
    BUBBLEGUM: "bubblegum.so",
    MPL_COMPRESSION: "mpl_account_compression.so",
    MPL_NOOP: "mpl_noop.so",
    MPL_CORE: "mpl_core.so",
    SPL_COMPRESSION: "spl_account_compression.so",
    SPL_NOOP: "spl_noop.so",
}
_CHUNK = 512 * 1024


class Bench(Struct, frozen=True, kw_only=True):
    """A chain with programs, the addresses through which it is reached, and who pays.

    ``programs`` None: the real ones run. The ``model`` has done the same in either case.
    """

    node: ChainNode
    programs: Programs | None
    model: Bubblegum
    fronts: list[Front]
    urls: list[str]
    payer: Keypair

    def transactions(self) -> int:
        """Return how many different transactions were sent to any of the addresses."""
        return len(set[str]().union(*(front.sent for front in self.fronts)))


class ProgramsMissing(Exception):
    """The folder that was named has not all of the programs."""


def compiled_programs(environ: Mapping[str, str] = os.environ) -> dict[Pubkey, bytes] | None:
    """Return the programs of the folder that was named, by their addresses; None where none was.

    Raises:
        ProgramsMissing: saying which files are not there.
    """
    folder = environ.get(VARIABLE)
    if not folder:
        return None
    missing = [name for name in FILES.values() if not (Path(folder) / name).is_file()]
    if missing:
        raise ProgramsMissing(f"{VARIABLE} names {folder}, in which these programs are not: {', '.join(missing)}")
    return {address: (Path(folder) / name).read_bytes() for address, name in FILES.items()}


def describe_programs(environ: Mapping[str, str] = os.environ) -> str:
    """Say which programs run on this run's chains, or what is wrong with the folder that was named."""
    try:
        found = compiled_programs(environ)
    except ProgramsMissing as problem:
        return f"solana programs: {problem}"
    if found is None:
        return f"solana programs: the model of them; {VARIABLE} names no folder of compiled ones to be run as well"
    return f"solana programs: the compiled ones in {environ[VARIABLE]}, and the model beside them"


@asynccontextmanager
async def mint_bench(fronts: int = 1, *, slot_ms: int = 25) -> AsyncIterator[Bench]:
    """Run a node with its programs behind some addresses."""
    real = compiled_programs()
    programs = Programs()
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(chain_node(slot_ms))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        for address, binary in (real or dict.fromkeys((BUBBLEGUM, MPL_CORE), stub_program())).items():
            await _install(session, node.rpc, address, binary)
        doors = [
            await stack.enter_async_context(front_of(node.rpc, programs, compiled=real is not None))
            for _ in range(fronts)
        ]
        yield Bench(
            node=node,
            programs=programs if real is None else None,
            model=programs.model,
            fronts=[front for front, _ in doors],
            urls=[url for _, url in doors],
            payer=Keypair.from_bytes(node.payer),
        )


async def _install(session: aiohttp.ClientSession, rpc: str, address: Pubkey, binary: bytes) -> None:
    for at in range(0, len(binary), _CHUNK):
        await ask(session, rpc, "surfnet_writeProgram", [str(address), binary[at : at + _CHUNK].hex(), at])


async def ask(session: aiohttp.ClientSession, rpc: str, method: str, params: list[Any]) -> Any:
    """Ask the node itself something."""
    async with session.post(rpc, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) as response:
        answer = await response.json(content_type=None)
    assert "error" not in answer, answer
    return answer.get("result")
