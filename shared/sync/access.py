"""A gate's account at the broker, on its way to the gate: sealed so that only this gate can read it.

Sealing is HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305) with "ttbroker1" | gate id as info.
"""

from __future__ import annotations

from typing import Annotated, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Meta, Struct, msgpack

from shared.ids import GateId
from shared.packed import unpack
from shared.problems import Denied
from shared.secrecy import Reticent
from shared.settings import Secret

_LABEL = b"ttbroker1"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_FORM = "The broker account is in a form this gate does not know: update the gate."


class _Carried(Struct, frozen=True, kw_only=True):
    address: Annotated[str, Meta(max_length=500)]
    account: Annotated[str, Meta(max_length=200)]
    password: Annotated[str, Meta(max_length=200)]
    authority: Annotated[str, Meta(max_length=64 * 1024)] | None = None


class BrokerAccess(Reticent, frozen=True, kw_only=True):
    """How a gate reaches the broker.

    ``address`` is ``amqps://host:port/vhost`` without an account; ``authority`` holds the certificates (PEM) that vouch for
    the broker's, None for those the machine trusts anyway.
    """

    address: str
    account: str
    password: Secret
    authority: str | None = None

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep the password out of logs."""
        return [("address", self.address), ("account", self.account)]


_decoder: msgpack.Decoder[_Carried] = msgpack.Decoder(_Carried)


def seal_access(access: BrokerAccess, gate: GateId, seal_to: X25519PublicKey) -> bytes:
    """Encrypt an account to one gate."""
    carried = _Carried(
        address=access.address,
        account=access.account,
        password=access.password.value,
        authority=access.authority,
    )
    return _SUITE.encrypt(msgpack.encode(carried), seal_to, info=_LABEL + gate.bytes)


def open_access(sealed: bytes, gate: GateId, seal_key: X25519PrivateKey) -> BrokerAccess:
    """Decrypt an account.

    Raises:
        Denied: it was sealed for another gate, or damaged.
        CodeMalformed: its content is of another form.
    """
    try:
        plain = _SUITE.decrypt(sealed, seal_key, info=_LABEL + gate.bytes)
    except (InvalidTag, ValueError) as exc:
        raise Denied("This broker account was not made for this gate.") from exc
    carried = unpack(_decoder, plain, _FORM)
    return BrokerAccess(
        address=carried.address,
        account=carried.account,
        password=Secret(carried.password),
        authority=carried.authority,
    )
