"""The gate's account at the message broker, kept beside its keys; a gate without one keeps to the WebSocket."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
from msgspec import Struct

from gate.files import write_private
from gate.identity import Identity
from gate.keystore import GateKeys, read_b64url
from shared.problems import DataDamaged, Unavailable
from shared.settings import Secret
from shared.sync.access import BrokerAccess, open_access

BROKER_NAME = "broker.json"
CERTIFICATE_NAME = "broker-client.pem"
"""This gate's own certificate and key, laid there by whoever runs a broker that asks for one."""


class _BrokerFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    address: str
    account: str
    password: str
    authority: str | None


def save_access(directory: Path, access: BrokerAccess) -> None:
    """Write the account with mode 0600.

    Raises:
        Unavailable: the directory cannot be written.
    """
    content = _BrokerFile(
        version=1,
        address=access.address,
        account=access.account,
        password=access.password.value,
        authority=access.authority,
    )
    write_private(directory / BROKER_NAME, msgspec.json.encode(content))


def load_access(directory: Path) -> BrokerAccess | None:
    """Return the stored account, None where there is none.

    Raises:
        DataDamaged: the file is not what was written.
        Unavailable: it cannot be read.
    """
    path = directory / BROKER_NAME
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_BrokerFile)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as exc:
        raise DataDamaged(f"{path} is damaged: delete it, and the gate asks the server for a new account.") from exc
    except OSError as exc:
        raise Unavailable(f"{path} cannot be read ({exc.strerror}): check who owns it.") from exc
    return BrokerAccess(
        address=content.address,
        account=content.account,
        password=Secret(content.password),
        authority=content.authority,
    )


def unseal_access(text: str, identity: Identity, keys: GateKeys) -> BrokerAccess:
    """Return the account the server sent, sealed and in Base64url.

    Raises:
        CodeMalformed: it is no such thing.
        Denied: it was sealed for another gate.
    """
    return open_access(read_b64url(text), identity.gate, keys.seal)


async def keep_access(directory: Path, access: BrokerAccess) -> None:
    """Write the account without holding up whoever is being admitted."""
    await asyncio.to_thread(save_access, directory, access)
