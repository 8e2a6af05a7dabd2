"""API keys for outside systems: made, shown once, told again by their hash, taken back."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from server.domain.access import KEY_SCOPES, Role, Scope, User
from server.domain.api_key import SECRET_SIZE, ApiKey, hash_secret, read_key, write_key
from server.services.context import Context
from server.services.problems import EventUnknown
from server.services.problems_access import ApiKeyInvalid, ApiKeyUnknown, ExpiryUnusable, ScopeNotForKeys
from server.services.rows import Page
from server.services.rows_access import ApiKeyRow
from shared.ids import ApiKeyId, EventId, TenantId, UserId, uuid7
from shared.secrecy import Reticent

USE_NOTED = timedelta(minutes=5)
"""To within how much it is kept when a key was last used: a write for every call would cost more than it tells."""
LONGEST_LIFE = timedelta(days=366 * 5)
_NOT_GOOD = "This API key does not count (any more): ask the organiser for another."
_NOBODY = bytes(32)

log = structlog.get_logger()


class KeyWish(Struct, frozen=True, kw_only=True):
    """What a key is to be good for: these scopes, at one event or (None) all, until a moment or until it is revoked."""

    name: str
    scopes: frozenset[Scope]
    event: EventId | None = None
    expires_at: datetime | None = None


class KeyMade(Reticent, frozen=True, kw_only=True):
    """A key and its text, which is shown this once and kept nowhere."""

    row: ApiKeyRow
    text: str


class KeysListed(Struct, frozen=True, kw_only=True):
    """A page of keys, and after which the next one begins."""

    items: list[ApiKeyRow]
    next_after: ApiKeyId | None


async def make_key(context: Context, tenant: TenantId, maker: UserId, wish: KeyWish) -> KeyMade:
    """Make a key.

    Raises:
        ScopeNotForKeys: no key can have one of these scopes.
        ExpiryUnusable: it would end in the past, or in more than five years.
        EventUnknown: the tenant has no such event.
    """
    now = context.clock.now()
    if not wish.scopes or not wish.scopes <= KEY_SCOPES:
        raise ScopeNotForKeys(f"An API key can have these rights: {', '.join(sorted(KEY_SCOPES))}.")
    if wish.expires_at is not None and not now < wish.expires_at <= now + LONGEST_LIFE:
        raise ExpiryUnusable("An API key ends in the future, within five years.")
    key = ApiKey(tenant=tenant, id=ApiKeyId(uuid7(now, context.random_bytes)), secret=context.random_bytes(SECRET_SIZE))
    row = ApiKeyRow(
        tenant=tenant,
        id=key.id,
        name=wish.name,
        secret_hash=hash_secret(key.secret),
        scopes=sorted(wish.scopes),
        event=wish.event,
        created_by=maker,
        created_at=now,
        expires_at=wish.expires_at,
    )
    async with context.db.tenant(tenant) as tx:
        if wish.event is not None and await tx.events.get(wish.event) is None:
            raise EventUnknown("There is no such event.")
        await tx.api_keys.add(row)
    log.info("api_keys.made", key=str(row.id), event_id=str(row.event))
    return KeyMade(row=row, text=write_key(key))


async def tell_key(context: Context, text: str) -> User:
    """Return whom an API key stands for.

    Raises:
        ApiKeyInvalid: nobody, or nobody any more.
    """
    key = read_key(text)
    if key is None:
        raise ApiKeyInvalid(_NOT_GOOD)
    now = context.clock.now()
    async with context.db.tenant(key.tenant) as tx:
        row = await tx.api_keys.get(key.id)
        # An unknown key takes the same comparison, so that it takes the same time.
        right = hmac.compare_digest(hash_secret(key.secret), _NOBODY if row is None else row.secret_hash)
        if row is None or not right or not _is_good(row, now):
            raise ApiKeyInvalid(_NOT_GOOD)
        if row.last_used_at is None or now - row.last_used_at >= USE_NOTED:
            await tx.api_keys.touch(row.id, now)
    return User(
        tenant=row.tenant,
        user=UserId(row.id),
        role=Role.DOOR_STAFF,
        granted=frozenset(row.scopes),
        key=row.id,
        event=row.event,
    )


async def list_keys(context: Context, tenant: TenantId, page: Page) -> KeysListed:
    """Return a page of the tenant's keys, newest first, revoked ones included."""
    async with context.db.tenant(tenant) as tx:
        rows = await tx.api_keys.list_all(Page(after=page.after, limit=page.limit + 1))
    items = rows[: page.limit]
    return KeysListed(items=items, next_after=items[-1].id if len(rows) > page.limit else None)


async def revoke_key(context: Context, tenant: TenantId, key: ApiKeyId) -> ApiKeyRow:
    """Take a key back for good; safe to repeat.

    Raises:
        ApiKeyUnknown: the tenant has no such key.
    """
    async with context.db.tenant(tenant) as tx:
        await tx.api_keys.revoke(key, context.clock.now())
        row = await tx.api_keys.get(key)
    if row is None:
        raise ApiKeyUnknown("There is no such API key.")
    log.info("api_keys.revoked", key=str(key))
    return row


def _is_good(row: ApiKeyRow, now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)
