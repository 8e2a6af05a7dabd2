"""What a database can do to the program, in the program's own words."""

from __future__ import annotations

import asyncpg

from shared.problems import Conflict, Denied, InputUnusable, Internal, TicketTokenError, TooNew, Unavailable
from shared.tickets.lifecycle import TransitionInvalid

DRIVER_PROBLEMS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg may raise while the database, the network or a statement fails.

The last is meant for its own mistakes, and also comes where a connection is cut in the middle of preparing a statement.
"""


class SchemaTooNew(TooNew):
    """The database was migrated by a newer version of this program."""

    code = "schema_too_new"


class SchemaEdited(Conflict):
    """The migrations of this program are not those the database was made with."""

    code = "schema_edited"


class SchemaBehind(Unavailable):
    """The database lacks migrations this program needs."""

    code = "schema_behind"


class DatabaseUnsafe(Denied):
    """The database would not keep tenants apart."""

    code = "database_unsafe"


class DatabaseAway(Unavailable):
    """The database does not answer."""

    code = "database_unavailable"


class DatabaseBusy(Unavailable):
    """The database gave up on this transaction because of others; trying again is reasonable."""

    code = "database_busy"


class TenantWallHit(Denied):
    """A statement tried to write another tenant's row."""

    code = "tenant_wall"


class TextUnusable(InputUnusable):
    """A text holds a character that PostgreSQL cannot store: NUL, or half of a surrogate pair."""

    code = "text_unusable"


class RowInTheWay(Conflict):
    """A row the statement refers to is missing, or one it makes is there already."""

    code = "row_conflict"


_BY_STATE: dict[str, tuple[type[TicketTokenError], str]] = {
    "TT001": (Internal, "A ticket was about to be changed in a way the database forbids; nothing was changed."),
    "TT002": (TransitionInvalid, "The ticket cannot take this step from the state it is in."),
}

# The first kind that fits decides, so the narrower ones stand first.
_BY_KIND: tuple[tuple[tuple[type[Exception], ...], type[TicketTokenError], str], ...] = (
    (
        (asyncpg.InsufficientPrivilegeError,),
        TenantWallHit,
        "The database refused to touch a row outside this tenant or a table outside the role's grants.",
    ),
    (
        (asyncpg.InvalidAuthorizationSpecificationError,),
        Denied,
        "the database refused the program's user: check user and password in the URL",
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        DatabaseAway,
        "the database in the URL does not exist: make it, then run `tickettoken migrate`",
    ),
    (
        (asyncpg.UndefinedTableError, asyncpg.UndefinedFunctionError, asyncpg.UndefinedColumnError),
        SchemaBehind,
        "the database lacks tables this program needs: run `tickettoken migrate`",
    ),
    (
        (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError),
        RowInTheWay,
        "Another row is in the way of this change, or one it needs is missing; nothing was changed.",
    ),
    (
        (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError),
        TextUnusable,
        "A text holds a character that cannot be stored, such as NUL: leave it out.",
    ),
    (
        (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError),
        DatabaseBusy,
        "The database was too busy with others: try again.",
    ),
    ((TimeoutError, asyncpg.QueryCanceledError), DatabaseBusy, "The database took too long to answer: try again."),
    (
        (asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError),
        DatabaseAway,
        "the database is stopping or full: try again later",
    ),
    (
        (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError),
        DatabaseAway,
        "the database does not answer: check that it runs and its URL",
    ),
)


def translate(problem: Exception) -> TicketTokenError:
    """Return the program's own problem for a driver's; the driver's text is left out, for it may quote data."""
    state = str(getattr(problem, "sqlstate", ""))
    if state in _BY_STATE:
        kind, text = _BY_STATE[state]
        return kind(text)
    for causes, kind, text in _BY_KIND:
        if isinstance(problem, causes):
            return kind(text)
    return Internal(f"The database refused a statement of this program ({type(problem).__name__}, {state}).")
