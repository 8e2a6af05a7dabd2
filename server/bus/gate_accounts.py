"""Gates' accounts as the broker's management API tells of them, compared with those that are wanted."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from server.bus.gate_topology import NOTHING, Rights, gate_keys, gate_rights
from server.services.rows_broker import AccountRow


# The API tells much more about each; what is not compared is left out on purpose, so unknown fields are allowed here.
class User(Struct, frozen=True):
    name: str
    password_hash: str
    tags: list[str] | str


class Permission(Struct, frozen=True):
    user: str
    configure: str
    write: str
    read: str


class TopicPermission(Struct, frozen=True):
    user: str
    exchange: str
    write: str
    read: str


class Faults(Struct, frozen=True, kw_only=True):
    """What an inspection found; implements ``server.services.ports_broker.BrokerFaults``."""

    lacking: Sequence[AccountRow]
    strangers: Sequence[str]


def is_as_wanted(account: AccountRow, user: User | None, right: Permission | None) -> bool:
    if user is None or right is None or user.password_hash != account.password_hash or user.tags not in ("", []):
        return False
    found = Rights(configure=right.configure, write=right.write, read=right.read)
    return found == rights_of(account)


def rights_of(account: AccountRow) -> Rights:
    return gate_rights(account.tenant, account.gate, account.event, account.edition)


def keys_are_right(account: AccountRow, key: TopicPermission | None) -> bool:
    return key is not None and (key.write, key.read) == (gate_keys(account.tenant, account.gate), NOTHING)
