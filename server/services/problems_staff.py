"""Why somebody could not sign in, or do something on the operations page."""

from __future__ import annotations

from shared.problems import Conflict, Denied, InputUnusable, NotFound


class SignInRefused(Denied):
    """Name and password do not go together, or the account is disabled: which one, nobody is told."""

    code = "sign_in_refused"


class SessionOver(Denied):
    """Nobody is signed in: the session has ended, was ended, or never was."""

    code = "session_over"


class FormForged(Denied):
    """The form was not made by a page of this session."""

    code = "form_forged"


class StaffUnknown(NotFound):
    """The tenant has no such account."""

    code = "staff_not_found"


class StaffLoginTaken(Conflict):
    """Somebody signs in with this name already."""

    code = "staff_login_taken"


class StaffLoginUnusable(InputUnusable):
    """Nobody can sign in with this name."""

    code = "staff_login_unusable"


class PasswordUnusable(InputUnusable):
    """The password is too short or easily guessed."""

    code = "password_unusable"
