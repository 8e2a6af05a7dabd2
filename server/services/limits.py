"""Counting calls against the limit classes, in whatever the servers share."""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, ip_address

from msgspec import Struct

from server.domain.access import GateCaller, Role, ServiceCaller, User
from server.domain.limits import NOT_OF_TENANT, LimitClass, QuotaTable
from server.services.ports_ephemeral import Allowance, Ephemeral, Limit, Space

Caller = User | GateCaller | ServiceCaller
_IPV6_HOST_BITS = 64


class Counted(Struct, frozen=True, kw_only=True):
    """A call that was counted: against how many calls in all, and what came of it."""

    kind: LimitClass
    calls: int
    allowance: Allowance


class Limits:
    """Counts each caller for itself, and each tenant's customers together, and its staff and systems together."""

    def __init__(self, store: Ephemeral, quotas: QuotaTable) -> None:
        self._store = store
        self._quotas = quotas

    async def take(self, caller: Caller, kind: LimitClass) -> Counted | None:
        """Count a call of somebody known, for itself and mostly for the tenant too; None where nothing is counted."""
        own = await self._count(caller.tenant, f"{_name(caller)}:{kind}", kind)
        refused = own is not None and not own.allowance.allowed
        if not isinstance(caller, User) or kind in NOT_OF_TENANT or refused:
            return own
        share = LimitClass.TENANT if caller.role is Role.CUSTOMER else LimitClass.STAFF
        whole = await self._count(caller.tenant, "all" if share is LimitClass.TENANT else "staff", share)
        return whole if whole is not None and not whole.allowance.allowed else own

    async def take_address(self, address: str, kind: LimitClass) -> Counted | None:
        """Count a call of somebody of whom only the address is known."""
        return await self._count(None, f"address:{hash_address(address)}:{kind}", kind)

    async def _count(self, space: Space, key: str, kind: LimitClass) -> Counted | None:
        quota = self._quotas[kind]
        if quota is None:
            return None
        allowance = await self._store.take(space, key, Limit(calls=quota.calls, window=quota.window))
        return Counted(kind=kind, calls=quota.calls, allowance=allowance)


def hash_address(address: str) -> str:
    """Return by which name an address is counted: no address is stored, and of IPv6 the network counts, for it is one home's."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    packed = parsed.packed[: _IPV6_HOST_BITS // 8] if isinstance(parsed, IPv6Address) else parsed.packed
    return hashlib.sha256(b"ttaddress1" + packed).hexdigest()[:24]


def _name(caller: Caller) -> str:
    if isinstance(caller, GateCaller):
        return f"gate:{caller.gate}"
    if isinstance(caller, ServiceCaller):
        return f"service:{caller.name}"
    return f"user:{caller.user}" if caller.key is None else f"key:{caller.key}"
