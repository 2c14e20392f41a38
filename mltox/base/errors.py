"""The root of the errors that a person can mend."""

from __future__ import annotations


class UserError(Exception):
    """What a person can mend: a wrong option, a file that is not there, a missing permission.

    Its text is one line that says what to do. A command prints that line and ends with code 2; any
    other exception is a defect and keeps its traceback.

    >>> str(UserError("--port: 99999 is no port"))
    '--port: 99999 is no port'
    """


class UsageError(UserError):
    """What was asked for does not make sense."""
