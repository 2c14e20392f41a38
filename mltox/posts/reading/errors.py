"""What is raised for an input that cannot be read at all."""

from __future__ import annotations

from mltox.base.errors import UserError


class InputError(UserError):
    """An input that cannot be read at all; the message is one line for the person who named it."""


def error_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
