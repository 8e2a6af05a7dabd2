"""Who this gate is: what the server told it at enrolment, kept beside its keys."""

from __future__ import annotations

from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from gate.files import write_private
from gate.keystore import read_b64url
from shared.admission.policy import GateRole, Product, ZoneMask
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId, TenantId
from shared.problems import CodeMalformed, DataDamaged, NotFound, Unavailable

IDENTITY_NAME = "identity.json"


class Identity(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """The gate's place and allegiance; ``config_key`` is its organiser's Ed25519 public key in Base64url.

    ``successors`` are the keys it has announced since, in order; they are believed as well.
    """

    version: int = 1
    gate: GateId
    tenant: TenantId
    event: EventId
    event_name: str
    name: str
    direction: Direction
    zones: ZoneMask
    products: tuple[Product, ...]
    server: str
    config_key: str
    successors: tuple[str, ...] = ()
    role: GateRole = GateRole.LANE

    def organiser_key(self) -> Ed25519PublicKey:
        """Return the key this gate believes first of all.

        Raises:
            CodeMalformed: it, or one of its successors, is not an Ed25519 key.
        """
        try:
            for text in self.successors:
                Ed25519PublicKey.from_public_bytes(read_b64url(text))
            return Ed25519PublicKey.from_public_bytes(read_b64url(self.config_key))
        except ValueError as exc:
            raise CodeMalformed("The organiser's key in identity.json is not an Ed25519 key.") from exc


def is_enrolled(directory: Path) -> bool:
    """Say whether a data directory belongs to an enrolled gate."""
    return (directory / IDENTITY_NAME).exists()


def save_identity(directory: Path, identity: Identity) -> None:
    """Write who this gate is.

    Raises:
        Unavailable: the directory cannot be written.
    """
    write_private(directory / IDENTITY_NAME, msgspec.json.format(msgspec.json.encode(identity), indent=2) + b"\n")


def load_identity(directory: Path) -> Identity:
    """Return who this gate is.

    Raises:
        NotFound: the gate is not enrolled.
        DataDamaged: the file is not what was written.
    """
    path = directory / IDENTITY_NAME
    try:
        identity = msgspec.json.decode(path.read_bytes(), type=Identity)
        identity.organiser_key()
    except FileNotFoundError as exc:
        raise NotFound(
            f"This gate is not enrolled: {path} is missing. Run `tickettoken-gate enrol --server URL CODE` first."
        ) from exc
    except OSError as exc:
        raise Unavailable(f"{path} cannot be read ({exc.strerror}): check who owns it.") from exc
    except (msgspec.DecodeError, CodeMalformed) as exc:
        raise DataDamaged(
            f"{path} is damaged: restore it from a backup, or enrol this gate anew in another --data."
        ) from exc
    return identity
