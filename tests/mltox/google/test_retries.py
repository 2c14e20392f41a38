"""What is tried again, for how long, and that a run which is to stop does not wait."""

from __future__ import annotations

import threading
import time

import pytest
from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from requests.exceptions import ConnectionError as Unreachable

from mltox.google.retries import is_fleeting, patiently

FLEETING = [
    google.Aborted("a"),
    google.Unknown("a"),
    google.InternalServerError("a"),
    google.ResourceExhausted("a"),
    google.TooManyRequests("a"),
    google.GatewayTimeout("a"),
    google.DeadlineExceeded("a"),
    google.Cancelled("a"),
    google.ServiceUnavailable("a"),
    google.BadGateway("a"),
    google.RetryError("gave up", google.ServiceUnavailable("a")),
    TransportError("no route"),
    RefreshError("later", retryable=True),
    Unreachable("no route"),
]
LASTING = [
    google.NotFound("a"),
    google.PermissionDenied("a"),
    google.Unauthenticated("a"),
    google.InvalidArgument("a"),
    google.FailedPrecondition("a"),
    google.AlreadyExists("a"),
    google.OutOfRange("a"),
    google.MethodNotImplemented("a"),
    google.DataLoss("a"),
    DefaultCredentialsError("none"),
    RefreshError("revoked"),
    ValueError("a"),
]


@pytest.mark.parametrize("error", FLEETING, ids=lambda error: type(error).__name__)
def test_what_waiting_may_mend_is_tried_again(error: Exception) -> None:
    assert is_fleeting(error)
    left = [error, error]

    def action(word: str) -> str:
        if left:
            raise left.pop()
        return word

    assert patiently(first=0.001)(action, "done") == "done"


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_waiting_does_not_mend_is_raised_at_once(error: Exception) -> None:
    assert not is_fleeting(error)
    calls = []

    def action() -> None:
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        patiently(first=60)(action)
    assert calls == [1]


def test_waits_double_up_to_the_longest_and_are_told() -> None:
    told: list[float] = []
    left = [google.Aborted("a")] * 6

    def action() -> None:
        if left:
            raise left.pop()

    patiently(first=0.01, longest=0.05, tell=lambda error, pause: told.append(pause))(action)
    for pause, least in zip(told, [0.01, 0.02, 0.04, 0.05, 0.05, 0.05], strict=True):
        assert least <= pause <= least + 0.005


def test_a_stop_ends_the_wait_with_the_error() -> None:
    stopping = threading.Event()
    threading.Timer(0.05, stopping.set).start()

    def action() -> None:
        raise google.ServiceUnavailable("away")

    began = time.monotonic()
    with pytest.raises(google.ServiceUnavailable):
        patiently(stopping=stopping, first=600)(action)
    assert time.monotonic() - began < 60


def test_it_gives_up_before_a_wait_that_would_be_too_long() -> None:
    calls = []

    def action() -> None:
        calls.append(1)
        raise google.Aborted("a")

    with pytest.raises(google.Aborted):
        patiently(first=0.01, longest=100, give_up_after=0)(action)
    assert len(calls) == 1
