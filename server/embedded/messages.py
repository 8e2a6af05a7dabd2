"""What a program and the supervisor of its database tell each other, one JSON line each way."""

from __future__ import annotations

from urllib.parse import quote

from msgspec import Struct


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the program asks for."""

    data_dir: str
    owner_pid: int
    unsafe_fast: bool
    max_connections: int
    timeout_s: float


class RunningPostgres(Struct, frozen=True, kw_only=True, tag="running", forbid_unknown_fields=True):
    """A PostgreSQL that takes queries, and its superuser's way in."""

    host: str
    port: int
    user: str
    password: str
    source: str
    """Where its programs came from, and their version."""
    log: str
    """The path of its log."""

    def dsn(self, database: str = "postgres") -> str:
        """Return the superuser's URL of a database."""
        return self.dsn_for(self.user, self.password, database)

    def dsn_for(self, user: str, password: str, database: str) -> str:
        """Return any role's URL of a database."""
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@{self.host}:{self.port}/{quote(database)}"

    def __repr__(self) -> str:
        """Return the address without the password."""
        return f"RunningPostgres({self.user}@{self.host}:{self.port}, {self.source})"


class Refused(Struct, frozen=True, kw_only=True, tag="refused", forbid_unknown_fields=True):
    """The server does not run, and why."""

    code: str
    message: str


Answer = RunningPostgres | Refused
