"""What Google's errors mean to a person, in one line each."""

from __future__ import annotations

import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError

LOG_IN = "gcloud auth application-default login"


def cause_of(error: BaseException) -> BaseException:
    """What a client gave up on, where it says only that it gave up."""
    return error.cause if isinstance(error, RetryError) and error.cause else error


def one_line(error: object) -> str:
    """The first line of what an error says, or its type where it says nothing.

    >>> one_line(ValueError("no such place\\nat all"))
    'no such place'
    >>> one_line(TimeoutError())
    'TimeoutError'
    """
    cause = cause_of(error) if isinstance(error, BaseException) else error
    message = _message_of(cause) if isinstance(cause, GoogleAPICallError) else cause
    lines = str(message or cause).splitlines()
    return lines[0] if lines else type(cause).__name__


def _message_of(error: GoogleAPICallError) -> str:
    """BigQuery's own words, where there are any; those of the request name its address first."""
    first = error.errors[0] if error.errors else None
    return str((isinstance(first, dict) and first.get("message")) or error.message)


def reason_of(error: Exception) -> str:
    """What a service said, in one line, or that it can't be reached.

    >>> reason_of(requests.ConnectionError("no route"))
    "can't be reached: no route"
    """
    reached = not isinstance(cause_of(error), requests.RequestException)
    return one_line(error) if reached else f"can't be reached: {one_line(error)}"


def no_credentials(error: Exception, emulator: str | None = None) -> str:
    """`emulator` is the variable by which the client could be sent to one instead."""
    instead = f", or set {emulator}" if emulator else ""
    return f"no usable Google credentials ({one_line(error)}); run: {LOG_IN}{instead}"
