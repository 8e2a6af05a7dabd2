"""The one tree of exceptions; each has a stable code and a message that says what to do.

TicketTokenError
├── InputUnusable        something given to the program cannot be used as it is
│   ├── SettingsInvalid  the environment asks for something impossible
│   └── CodeMalformed    bytes that should be a code, key or frame are not
├── Conflict             the request is fine, the present state is not
├── NotFound             no such thing, or not yours
├── Denied               the caller may not do this
├── Unavailable          something this needs is away; try again
├── DataDamaged          stored data cannot be trusted any more
├── TooNew               data was written by a newer version of this program
└── Internal             a promise inside the program was broken
"""

from __future__ import annotations

from typing import ClassVar


class TicketTokenError(Exception):
    """The program could not do its job; the message is one sentence for a person and says what to do."""

    code: ClassVar[str] = "internal_error"
    exit_code: ClassVar[int] = 1


class InputUnusable(TicketTokenError):
    """Something given to the program cannot be used as it is."""

    code = "input_unusable"
    exit_code = 2


class SettingsInvalid(InputUnusable):
    """One or more settings are missing or malformed; all faults are named together."""

    code = "settings_invalid"


class CodeMalformed(InputUnusable):
    """Bytes that should be a code, key or frame are not."""

    code = "code_malformed"


class Conflict(TicketTokenError):
    """The request is fine, the present state is not."""

    code = "conflict"


class NotFound(TicketTokenError):
    """No such thing, or it is not the caller's."""

    code = "not_found"


class Denied(TicketTokenError):
    """The caller is not who it says, or may not do this."""

    code = "denied"


class Unavailable(TicketTokenError):
    """Something this needs is away; trying again later is reasonable."""

    code = "unavailable"
    exit_code = 3


class DataDamaged(TicketTokenError):
    """Stored data cannot be trusted any more; the message says how to recover."""

    code = "data_damaged"
    exit_code = 4


class TooNew(TicketTokenError):
    """Data was written by a newer version of this program."""

    code = "too_new"
    exit_code = 4


class Internal(TicketTokenError):
    """A promise inside the program was broken."""
