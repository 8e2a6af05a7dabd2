"""Becoming a gate: a one-time code against an identity, with keys that never leave this machine."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import aiohttp
import msgspec
from msgspec import Meta, Struct

from gate.broker import keep_access, unseal_access
from gate.files import make_directory
from gate.identity import Identity, is_enrolled, save_identity
from gate.keystore import GateKeys, load_keys, make_keys, save_keys, write_b64url
from gate.sync.http import open_session, read_bounded, read_problem
from gate.sync.problems import NotOurServer, ServerAway
from shared.admission.policy import GateRole, Product, ZoneMask
from shared.admission.verdict import Direction
from shared.clock import Clock
from shared.ids import EventId, GateId, TenantId
from shared.problems import Conflict, NotFound
from shared.settings import Secret

ENROL_WITHIN_S = 30.0
_ANSWER_LIMIT = 64 * 1024


class EnrolmentOrder(Struct, frozen=True, kw_only=True):
    """What a person asks for: the server's checked address, the one-time code, a name if it is to differ, a passphrase."""

    server: str
    code: str
    name: str | None
    software: str
    passphrase: Secret | None = None


class EnrolmentResult(Struct, frozen=True, kw_only=True):
    """The new gate, and this machine's clock minus the server's in seconds."""

    identity: Identity
    clock_offset_s: float


class _Question(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    code: str
    sign_key: str
    seal_key: str
    software: str
    name: str | None = None


class _Answer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Unknown members are let pass: a newer server may say more than this gate needs."""

    gate_id: GateId
    tenant_id: TenantId
    event_id: EventId
    event_name: str
    name: str
    direction: Direction
    zones: ZoneMask
    products: tuple[Product, ...]
    config_key: str
    server_time: Annotated[datetime, Meta(tz=True)]
    broker: str | None = None
    role: GateRole = GateRole.LANE


async def enrol(directory: Path, order: EnrolmentOrder, clock: Clock) -> EnrolmentResult:
    """Make this machine a gate; its keys and identity are in ``directory`` afterwards.

    Raises:
        Conflict: the directory belongs to a gate already.
        ServerAway, NotOurServer, GateRefused, NotFound: the server did not agree; nothing is enrolled.
        CodeMalformed, Denied: the server named no usable key, or sent another gate's account.
    """
    await asyncio.to_thread(make_directory, directory)
    if await asyncio.to_thread(is_enrolled, directory):
        raise Conflict(f"{directory} belongs to an enrolled gate: give another --data to enrol a second one.")
    keys = await asyncio.to_thread(_keys_for, directory, order.passphrase)
    answer = await _ask(order, keys)
    identity = Identity(
        gate=answer.gate_id,
        tenant=answer.tenant_id,
        event=answer.event_id,
        event_name=answer.event_name,
        name=answer.name,
        direction=answer.direction,
        zones=answer.zones,
        products=answer.products,
        server=order.server,
        config_key=answer.config_key,
        role=answer.role,
    )
    identity.organiser_key()
    access = None if answer.broker is None else unseal_access(answer.broker, identity, keys)
    await asyncio.to_thread(save_identity, directory, identity)
    if access is not None:
        await keep_access(directory, access)
    return EnrolmentResult(identity=identity, clock_offset_s=(clock.now() - answer.server_time).total_seconds())


def _keys_for(directory: Path, passphrase: Secret | None) -> GateKeys:
    """Return the keys of an attempt that did not get its answer, or new ones, on the disk before anybody hears of them."""
    try:
        return load_keys(directory, passphrase)
    except NotFound:
        keys = make_keys()
        save_keys(directory, keys, passphrase)
        return keys


async def _ask(order: EnrolmentOrder, keys: GateKeys) -> _Answer:
    question = _Question(
        code=order.code.strip(),
        sign_key=write_b64url(keys.sign.public_key().public_bytes_raw()),
        seal_key=write_b64url(keys.seal.public_key().public_bytes_raw()),
        software=order.software,
        name=order.name,
    )
    try:
        async with asyncio.timeout(ENROL_WITHIN_S), open_session() as session:
            return await _post(session, order.server, question)
    except (aiohttp.ClientError, TimeoutError, OSError) as exc:
        raise ServerAway(
            f"The server at {order.server} does not answer ({type(exc).__name__}): check the address and the network."
        ) from exc


async def _post(session: aiohttp.ClientSession, server: str, question: _Question) -> _Answer:
    async with session.post(
        server + "/gate/v1/enrol",
        data=msgspec.json.encode(question),
        headers={"Content-Type": "application/json"},
        allow_redirects=False,
    ) as response:
        if response.status not in {200, 201}:
            raise await read_problem(response, server)
        body = await read_bounded(response, _ANSWER_LIMIT, server)
    try:
        return msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as exc:
        raise NotOurServer(f"{server} answers in a form the server does not use: is the address right?") from exc
