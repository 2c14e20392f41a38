"""When to try again, and how long to wait before: one policy for all that Google is asked.

Google's own `Retry` sleeps where nobody can wake it; a run that is told to stop has to stop within
a second, so the loop is tenacity's, which waits for an event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from google.api_core.exceptions import (
    Aborted,
    Cancelled,
    DataLoss,
    MethodNotImplemented,
    RetryError,
    ServerError,
    TooManyRequests,
)
from google.auth.exceptions import GoogleAuthError, TransportError
from requests.exceptions import ConnectionError as Unreachable
from requests.exceptions import Timeout
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    sleep_using_event,
    stop_after_attempt,
    stop_before_delay,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)
from tenacity.stop import stop_base

FIRST, LONGEST = 0.5, 60.0
"""Seconds: about the first wait, which then doubles, and the longest."""
_LASTING = (MethodNotImplemented, DataLoss)


def is_fleeting(error: BaseException) -> bool:
    """Whether waiting may mend it: the service is away, overloaded, or let go of the request.

    Any 5xx but "not implemented" and lost data, 429 (RESOURCE_EXHAUSTED), 499 (CANCELLED), ABORTED,
    and a connection that broke. These are the codes that Google's own publisher tries again, see
    https://mltox.google.google.com/pubsub/docs/reference/error-codes
    """
    if isinstance(error, RetryError):
        return True
    if isinstance(error, GoogleAuthError):
        return isinstance(error, TransportError) or bool(error.retryable)
    if isinstance(error, ServerError):
        return not isinstance(error, _LASTING)
    return isinstance(error, Aborted | Cancelled | TooManyRequests | Unreachable | Timeout)


def patiently(
    *,
    stopping: threading.Event | None = None,
    again: Callable[[BaseException], bool] = is_fleeting,
    give_up_after: float | None = None,
    tries: int | None = None,
    sleep: Callable[[float], None] | None = None,
    first: float = FIRST,
    longest: float = LONGEST,
    tell: Callable[[BaseException, float], None] | None = None,
) -> Retrying:
    """A caller that tries again: `patiently(...)(action, *arguments)`.

    The last error is raised as it is where `again` says no, `stopping` is set, so many `tries`
    failed, or the next wait would end more than `give_up_after` seconds after the first try began.
    `tell` hears of each other error and of the seconds until the next try; `sleep` waits them. May
    be used from several threads.

    >>> tries = iter([Aborted("a"), Aborted("b"), None])
    >>> def action() -> str:
    ...     if error := next(tries):
    ...         raise error
    ...     return "done"
    >>> patiently(first=0.001)(action)
    'done'
    """
    stopping = stopping or threading.Event()
    stop: stop_base = stop_when_event_set(stopping)
    if give_up_after is not None:
        stop |= stop_before_delay(give_up_after)
    if tries is not None:
        stop |= stop_after_attempt(tries)
    return Retrying(
        retry=retry_if_exception(again),
        wait=wait_exponential(multiplier=first, max=longest) + wait_random(0, first / 2),
        stop=stop,
        sleep=sleep or sleep_using_event(stopping),
        before_sleep=None if tell is None else _telling(tell),
        reraise=True,
    )


def _telling(tell: Callable[[BaseException, float], None]) -> Callable[[RetryCallState], None]:
    def before_sleep(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        if error is not None and state.next_action is not None:
            tell(error, state.next_action.sleep)

    return before_sleep
