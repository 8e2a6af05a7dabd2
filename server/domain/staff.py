"""Signing in to the operations page: names, passwords, how long a session lasts, and its text in the cookie.

The cookie is Base64url of 64 bytes: tenant id (16), session id (16), secret (32). A form sent from a page carries a token that
only this session's pages can know: SHA-256("ttcsrf1" | secret).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID

from server.domain.access import Role
from shared.ids import RandomBytes, SessionId, TenantId
from shared.secrecy import Reticent

IDLE = timedelta(hours=1)
"""A session nobody uses ends; a page that is open and linked is used."""
LONGEST = timedelta(hours=16)
"""A session ends after the longest working day, however much it is used."""
SEEN_NOTED = timedelta(minutes=1)
"""To within how much it is kept when a session was last used."""

SECRET_SIZE = 32
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
STAFF_ROLES = (Role.DOOR_STAFF, Role.BOX_OFFICE, Role.VENUE_MANAGER, Role.ADMIN)

_FEWEST_DISTINCT = 6
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")
_CLEAR = str.maketrans("IO", "89")
_COMMON = ("password", "passwort", "qwertz", "qwerty", "letmein", "123456", "tickettoken", "welcome", "admin")


class SessionToken(Reticent, frozen=True, kw_only=True):
    """What a browser shows of a session: whose it is, which one, and its secret."""

    tenant: TenantId
    session: SessionId
    secret: bytes

    @property
    def secret_hash(self) -> bytes:
        """Return what is kept of the secret: of 256 random bits nobody guesses any, so a slow hash would only be slow."""
        return hashlib.sha256(self.secret).digest()

    @property
    def form_token(self) -> str:
        """Return what forms of this session's pages carry."""
        return hashlib.sha256(b"ttcsrf1" + self.secret).hexdigest()

    def fits(self, form_token: str) -> bool:
        """Say whether a form was made by one of this session's pages."""
        return hmac.compare_digest(form_token.encode(), self.form_token.encode())


def read_login(text: str) -> str | None:
    """Return a name to sign in with as it is kept; None if it can be nobody's."""
    login = unicodedata.normalize("NFKC", text).strip().lower()
    return login if _LOGIN.fullmatch(login) else None


def find_password_fault(password: str, login: str) -> str | None:
    """Return why a password cannot be used, as a sentence; None if it can.

    Length counts (NIST SP 800-63B, 3.1.1.2): no rule asks for kinds of characters.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
    plain = password.casefold()
    if len(set(plain)) < _FEWEST_DISTINCT or login in plain:
        return "This password is too easily guessed: take four words that have nothing to do with each other."
    rest = plain
    for common in _COMMON:
        rest = rest.replace(common, "")
    if len(rest) < SHORTEST_PASSWORD // 2:
        return "This password is among those that everybody tries first: take four words nobody would put together."
    return None


def make_password(random_bytes: RandomBytes) -> str:
    """Return a password of five groups of four letters and digits: 100 random bits, none of the signs that look alike."""
    letters = base64.b32encode(random_bytes(13)).decode().translate(_CLEAR)[:20].lower()
    return "-".join(letters[place : place + 4] for place in range(0, 20, 4))


def write_token(token: SessionToken) -> str:
    """Return the text a browser keeps."""
    return base64.urlsafe_b64encode(token.tenant.bytes + token.session.bytes + token.secret).rstrip(b"=").decode()


def read_token(text: str) -> SessionToken | None:
    """Return the parts of a cookie; None for any other text."""
    try:
        data = base64.b64decode(text + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) != 32 + SECRET_SIZE:
        return None
    tenant, session = UUID(bytes=data[:16]), UUID(bytes=data[16:32])
    return SessionToken(tenant=TenantId(tenant), session=SessionId(session), secret=data[32:])


def is_over(seen_at: datetime, expires_at: datetime, now: datetime) -> bool:
    """Say whether a session has ended by itself."""
    return now >= expires_at or now - seen_at >= IDLE
