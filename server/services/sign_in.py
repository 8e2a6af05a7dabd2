"""Signing in and out, and telling who is signed in.

Nobody learns from an answer, or from how long it takes, whether a name exists. Tries are counted for each name from each
address, so that a stranger cannot shut somebody out who sits elsewhere, and for each name in all.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import structlog
from msgspec import Struct

from server.domain.access import User
from server.domain.staff import (
    LONGEST,
    SECRET_SIZE,
    SEEN_NOTED,
    SessionToken,
    is_over,
    read_login,
    read_token,
    write_token,
)
from server.services.context import Context
from server.services.limits import hash_address
from server.services.ports_ephemeral import Limit
from server.services.ports_staff import DirectoryDatabase, Passwords
from server.services.problems_gates import TooManyTries
from server.services.problems_staff import SessionOver, SignInRefused
from server.services.rows_staff import SessionRow, StaffRow
from shared.ids import SessionId, StaffId, TenantId, UserId, uuid7
from shared.secrecy import Reticent

FROM_ONE_PLACE = Limit(calls=10, window=timedelta(minutes=15))
FROM_ANYWHERE = Limit(calls=200, window=timedelta(minutes=15))
_REFUSED = "Name and password do not go together."
_OVER = "You are not signed in, or not any more: sign in again."

log = structlog.get_logger()


class SigningIn(Struct, frozen=True, kw_only=True):
    """What it takes to let somebody in."""

    context: Context
    directory: DirectoryDatabase
    passwords: Passwords


class Attempt(Reticent, frozen=True, kw_only=True):
    """What somebody typed, from which address and with which browser."""

    login: str
    password: str
    address: str
    agent: str


class Worker(Reticent, frozen=True, kw_only=True):
    """Somebody who is signed in: the account, the session and its token."""

    staff: StaffRow
    session: SessionRow
    token: SessionToken

    @property
    def tenant(self) -> TenantId:
        """Return whose staff it is."""
        return self.staff.tenant

    @property
    def user(self) -> User:
        """Return the caller that use cases know."""
        return User(tenant=self.staff.tenant, user=UserId(self.staff.id), role=self.staff.role)


async def sign_in(means: SigningIn, attempt: Attempt) -> str:
    """Open a session and return the text of its cookie.

    Raises:
        TooManyTries: this name was tried too often.
        SignInRefused: name and password do not go together, or the account is disabled.
    """
    context = means.context
    login = read_login(attempt.login)
    await _count_try(context, login or "", attempt.address)
    found = await _find(means, login)
    fits = await means.passwords.check(None if found is None else found.verifier, attempt.password)
    if found is None or not fits or found.disabled_at is not None:
        log.info("staff.sign_in_refused", staff=None if found is None else str(found.id))
        raise SignInRefused(_REFUSED)
    now = context.clock.now()
    token = SessionToken(
        tenant=found.tenant,
        session=SessionId(uuid7(now, context.random_bytes)),
        secret=context.random_bytes(SECRET_SIZE),
    )
    row = SessionRow(
        tenant=found.tenant,
        id=token.session,
        staff=found.id,
        secret_hash=token.secret_hash,
        agent=attempt.agent[:200],
        created_at=now,
        seen_at=now,
        expires_at=now + LONGEST,
    )
    async with context.db.tenant(found.tenant) as tx:
        await tx.staff.open_session(row)
    log.info("staff.signed_in", staff=str(found.id))
    return write_token(token)


async def tell_worker(context: Context, cookie: str) -> Worker:
    """Return who is signed in, and note that they are here.

    Raises:
        SessionOver: nobody, or nobody any more.
    """
    token = read_token(cookie)
    if token is None:
        raise SessionOver(_OVER)
    now = context.clock.now()
    async with context.db.tenant(token.tenant) as tx:
        session = await tx.staff.session(token.session)
        staff = None if session is None else await tx.staff.get(session.staff)
        kept = bytes(SECRET_SIZE) if session is None else session.secret_hash
        right = hmac.compare_digest(token.secret_hash, kept)
        if session is None or staff is None or not right or staff.disabled_at is not None:
            raise SessionOver(_OVER)
        if session.ended_at is not None or is_over(session.seen_at, session.expires_at, now):
            raise SessionOver(_OVER)
        if now - session.seen_at >= SEEN_NOTED:
            await tx.staff.see(session.id, now)
    return Worker(staff=staff, session=session, token=token)


async def list_sessions(context: Context, worker: Worker) -> list[SessionRow]:
    """Return where else this account is signed in, the present session included."""
    now = context.clock.now()
    async with context.db.tenant(worker.tenant) as tx:
        rows = await tx.staff.sessions_of(worker.staff.id, now)
    return [row for row in rows if not is_over(row.seen_at, row.expires_at, now)]


async def end_session(context: Context, worker: Worker, session: SessionId) -> None:
    """End one of the worker's own sessions; safe to repeat."""
    async with context.db.tenant(worker.tenant) as tx:
        await tx.staff.end_session(worker.staff.id, session, context.clock.now())
    log.info("staff.session_ended", staff=str(worker.staff.id))


async def _find(means: SigningIn, login: str | None) -> StaffRow | None:
    place: tuple[TenantId, StaffId] | None = None
    if login is not None:
        async with means.directory.worker() as unit:
            place = await unit.staff.find(login)
    if place is None:
        return None
    async with means.context.db.tenant(place[0]) as tx:
        return await tx.staff.get(place[1])


async def _count_try(context: Context, login: str, address: str) -> None:
    name = hashlib.sha256(b"ttlogin1" + login.encode()).hexdigest()[:24]
    for key, limit in (
        (f"sign_in:{name}:{hash_address(address)}", FROM_ONE_PLACE),
        (f"sign_in:{name}", FROM_ANYWHERE),
    ):
        allowance = await context.ephemeral.take(None, key, limit)
        if not allowance.allowed:
            raise TooManyTries("Too many tries: wait some minutes, then try again.", allowance.retry_s)
