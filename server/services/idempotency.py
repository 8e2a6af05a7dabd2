"""Calls that must not happen twice: the effect and the kept answer are one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from server.domain.access import User
from server.domain.calls import hash_request, is_usable_key
from server.services.ports import Database, Unit
from server.services.problems import AnswerErased, CallInProgress, KeyReused, KeyUnusable
from server.services.rows import StoredAnswer


class Call(Struct, frozen=True, kw_only=True):
    """One call as its caller repeats it: who, what kind of call, the caller's own key, and the hash of what was asked."""

    user: User
    operation: str
    key: str
    body_hash: bytes


class Answer(Struct, frozen=True, kw_only=True):
    """What the caller gets: HTTP status and JSON body, and whether it is the answer of an earlier call."""

    status: int
    body: bytes
    replayed: bool = False


def name_call(user: User, operation: str, key: str | None, request: object) -> Call:
    """Return the identity of a call.

    Raises:
        KeyUnusable: no key, or none of 16 to 64 plain characters.
    """
    if key is None or not is_usable_key(key):
        raise KeyUnusable("Send an Idempotency-Key header of 16 to 64 letters, digits or _ . : - with this call.")
    return Call(user=user, operation=operation, key=key, body_hash=hash_request(request))


async def find_answer(tx: Unit, call: Call) -> Answer | None:
    """Return the kept answer to an earlier call of the same name.

    Raises:
        KeyReused: the earlier call asked for something else.
        AnswerErased: somebody it spoke of was forgotten since.
    """
    kept = await tx.idempotency.get(call.user.user, call.operation, call.key)
    if kept is None:
        return None
    if kept.body_hash != call.body_hash:
        raise KeyReused("This Idempotency-Key was used for a different request: make a new one for each new request.")
    if not kept.response:
        raise AnswerErased("This call was done, and somebody it spoke of was forgotten since: look up what came of it.")
    return Answer(status=kept.status, body=kept.response, replayed=True)


async def run_once(db: Database, call: Call, status: int, work: Callable[[Unit], Awaitable[Struct]]) -> Answer:
    """Do the work in one transaction together with keeping its answer, or return the answer kept before.

    A call that fails leaves nothing behind, so it may be tried again under the same key.

    Raises:
        CallInProgress: the same call is at work in another transaction.
        KeyReused: the key was used for another request.
        AnswerErased: somebody the answer spoke of was forgotten since.
    """
    async with db.tenant(call.user.tenant) as tx:
        if not await tx.idempotency.claim(call.user.user, call.operation, call.key):
            raise CallInProgress("The same call is being worked on right now: ask again in a moment.")
        earlier = await find_answer(tx, call)
        if earlier is not None:
            return earlier
        body = msgspec.json.encode(await work(tx))
        kept = StoredAnswer(body_hash=call.body_hash, status=status, response=body)
        await tx.idempotency.keep(call.user.user, call.operation, call.key, kept)
        return Answer(status=status, body=body)
