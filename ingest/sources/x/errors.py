"""What X says when it refuses, and which of it no waiting can mend."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import orjson

from mltox.base.own_secrets import without_secrets

BEARER_TOKEN = "X_BEARER_TOKEN"
"""The environment variable with the app's bearer token."""

TOO_MANY = 429
_CAP = "UsageCapExceeded"


class XError(Exception):
    """An answer of X that is not what was asked for.

    `status` is HTTP's, `title` and `detail` are X's words as one line of ASCII each, `reset` the
    time (s since 1970) when a rate limit ends, None where X named none or it is not used up.
    """

    def __init__(
        self, status: int, title: str = "", detail: str = "", reset: float | None = None
    ) -> None:
        super().__init__(f"{status} {title}".strip())
        self.status, self.title, self.detail, self.reset = status, title, detail, reset

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes) -> XError:
        """Reads an answer's error, in any shape: what refuses may be a proxy."""
        answer: Any = None
        with contextlib.suppress(ValueError):
            answer = orjson.loads(body)
        if not isinstance(answer, dict):
            answer = {}
        errors = answer.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else {}
        first = first if isinstance(first, dict) else {}
        details = first.get("details")
        why = details[0] if isinstance(details, list) and details else first.get("message")
        return cls(
            status,
            printable_line(answer.get("title") or first.get("title")),
            printable_line(why or answer.get("detail") or first.get("detail")),
            _reset(headers),
        )


def fatal(error: XError) -> str | None:
    """Returns one line for a refusal that a new try cannot mend, or None."""
    answer = ": ".join(filter(None, (error.title, error.detail)))
    answer = f" (X says: {answer})" if answer else ""
    if error.status == 401:
        return f"X refuses the bearer token in {BEARER_TOKEN}: it is wrong or revoked{answer}"
    if error.status == 402:
        return f"the account of {BEARER_TOKEN} has no credits left at X{answer}"
    if error.status == 403:
        return (
            f"the app of {BEARER_TOKEN} may not do this at X: its access level is too low{answer}"
        )
    if error.title == _CAP:
        return (
            f"the account of {BEARER_TOKEN} has read as many posts as X allows it this month"
            f"{answer}"
        )
    if 400 <= error.status < 500 and error.status not in (408, 409, 425, TOO_MANY):
        return f"X does not take the request, {error.status}{answer}"
    return None


def printable_line(value: object) -> str:
    """Returns a hostile string, short and printable in one line; nothing for what is no string."""
    return ascii(without_secrets(value))[1:-1][:300] if isinstance(value, str) else ""


def _reset(headers: Mapping[str, str]) -> float | None:
    # Too many connections are a 429 too, with a limit that is not used up.
    if headers.get("x-rate-limit-remaining", "0") != "0":
        return None
    try:
        return float(int(headers.get("x-rate-limit-reset", "")))
    except ValueError:
        return None
