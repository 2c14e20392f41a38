"""The root of the errors that a person can mend, and what a library's error says in a line."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """The first line of what an error of a library says, or its type where it says nothing.

    >>> first_line(ValueError("no such place\\nat all")), first_line(TimeoutError())
    ('no such place', 'TimeoutError')
    """
    return (str(error).splitlines() or [type(error).__name__])[0]


class UserError(Exception):
    """What a person can mend: a wrong option, a file that is not there, a missing permission.

    Its text is one line that says what to do. A command prints that line and ends with code 2; any
    other exception is a defect and keeps its traceback.

    >>> str(UserError("--port: 99999 is no port"))
    '--port: 99999 is no port'
    """


class UsageError(UserError):
    """What was asked for does not make sense."""
