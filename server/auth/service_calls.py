"""Other services' calls: the signature first, then the time, then the nonce, which is used up only by a genuine call."""

from __future__ import annotations

import hmac

from msgspec import Struct

from server.domain.access import ServiceCall, ServiceCaller
from server.domain.service_call import NONCE_KEPT, CallHeaders, SignedCall, is_in_time, sign
from server.services.callers import BUILT_IN, counts, open_secret
from server.services.context import Context
from server.services.problems_access import NonceReused, ServiceClockOff, ServiceSignatureInvalid
from shared.ids import TenantId
from shared.settings import Secret

_NOT_SIGNED = "This call is not signed by the service it names: see docs/reference/service-calls.md."
_NOBODY = bytes(32)


class Received(Struct, frozen=True, kw_only=True):
    """A call as it came in: what its headers say, for which tenant, and what was asked."""

    headers: CallHeaders
    tenant: TenantId
    method: str
    target: str
    body_hash: bytes


class _Known(Struct, frozen=True, kw_only=True):
    secrets: list[bytes]
    calls: frozenset[ServiceCall]


class ServiceCalls:
    """Verifies signed calls with the callers' stored secrets, and those of the built-in caller with the setting's."""

    def __init__(self, context: Context, audience: str, built_in: Secret | None) -> None:
        self._context = context
        self._audience = audience
        self._built_in = built_in

    async def verify(self, received: Received) -> ServiceCaller:
        """Return which service a call proves to be from.

        Raises:
            ServiceSignatureInvalid: unknown caller, or another call than the one that was signed.
            ServiceClockOff: signed more than the window ago or ahead.
            NonceReused: this call came before.
        """
        headers = received.headers
        call = SignedCall(
            audience=self._audience,
            caller=headers.caller,
            time_s=headers.time_s,
            nonce=headers.nonce,
            tenant=received.tenant,
            method=received.method,
            target=received.target,
            body_hash=received.body_hash,
        )
        known = await self._find(received.tenant, headers.caller)
        # All secrets are compared, and for an unknown caller one that is nobody's: the time tells nothing.
        right = [hmac.compare_digest(sign(secret, call), headers.signature) for secret in known.secrets or [_NOBODY]]
        if not known.secrets or not any(right):
            raise ServiceSignatureInvalid(_NOT_SIGNED)
        if not is_in_time(call, self._context.clock.now()):
            raise ServiceClockOff("This call was signed more than five minutes from now: set the service's clock.")
        until = self._context.clock.now() + NONCE_KEPT
        async with self._context.db.tenant(received.tenant) as tx:
            fresh = await tx.services.consume_nonce(headers.caller, headers.nonce, until)
        if not fresh:
            raise NonceReused("This call came before: sign each call anew, a repeated one too.")
        return ServiceCaller(tenant=received.tenant, name=headers.caller, allowed=known.calls)

    async def _find(self, tenant: TenantId, name: str) -> _Known:
        if name == BUILT_IN:
            secrets = [] if self._built_in is None else [self._built_in.value.encode()]
            return _Known(secrets=secrets, calls=frozenset(ServiceCall))
        now = self._context.clock.now()
        async with self._context.db.tenant(tenant) as tx:
            service = await tx.services.get(name)
            rows = [] if service is None else await tx.services.secrets(name)
        secrets = [open_secret(self._context, tenant, row) for row in rows if counts(row, now)]
        return _Known(secrets=secrets, calls=frozenset(() if service is None else service.calls))
