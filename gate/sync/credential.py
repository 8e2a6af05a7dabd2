"""The gate's word on each request: a short-lived EdDSA token (RFC 7519, RFC 8037) signed with the gate's own key."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.keystore import write_b64url
from shared.clock import Clock
from shared.ids import GateId, RandomBytes, TenantId
from shared.trace import HEADER, write_parent

AUDIENCE = "tickettoken-gate"
LIFETIME_S = 60
_WORTH_CORRECTING = timedelta(seconds=20)

log = structlog.get_logger()


class Credential:
    """Makes a new token for each request, by the server's clock once that is known to differ."""

    def __init__(
        self,
        gate: GateId,
        tenant: TenantId,
        key: Ed25519PrivateKey,
        clock: Clock,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._gate = gate
        self._tenant = tenant
        self._key = key
        self._clock = clock
        self._random_bytes = random_bytes
        self._correction = timedelta(0)
        self._seen: timedelta | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that say who asks, and by which trace id the server's log tells of it."""
        trace = self._random_bytes(16).hex()
        log.debug("server.asked", trace=trace)
        authorization = f"Bearer {self._token(self._clock.now() + self._correction)}"
        return {"Authorization": authorization, HEADER: write_parent(trace, self._gate.bytes) or ""}

    @property
    def clock_offset_s(self) -> float | None:
        """Return this machine's clock minus the server's in whole seconds or so, None before the first answer."""
        return None if self._seen is None else -self._seen.total_seconds()

    def learn(self, date: str | None) -> bool:
        """Take the server's time from an answer's Date header; return True when a refused attempt may do better now.

        A gate whose clock is off could otherwise never connect, and so never learn that it is.
        """
        if date is None:
            return False
        try:
            server = parsedate_to_datetime(date)
        except ValueError:
            return False
        if server.tzinfo is None:
            return False
        correction = server - self._clock.now()
        self._seen = correction
        changed = abs(correction - self._correction) >= _WORTH_CORRECTING
        if changed:
            self._correction = correction
        return changed

    def _token(self, now: datetime) -> str:
        issued = int(now.timestamp())
        header = {"alg": "EdDSA", "typ": "JWT", "kid": str(self._gate)}
        claims = {
            "sub": str(self._gate),
            "tenant_id": str(self._tenant),
            "aud": AUDIENCE,
            "iat": issued,
            "exp": issued + LIFETIME_S,
        }
        signed = f"{write_b64url(msgspec.json.encode(header))}.{write_b64url(msgspec.json.encode(claims))}"
        return f"{signed}.{write_b64url(self._key.sign(signed.encode()))}"
