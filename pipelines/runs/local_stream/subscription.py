"""A Pub/Sub subscription, real or emulated, pulled by hand.

Messages are acknowledged by the caller, after what they caused is committed. With
PUBSUB_EMULATOR_HOST set the client talks to that host, without credentials.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from google.api_core.exceptions import (
    DeadlineExceeded,
    GoogleAPICallError,
    NotFound,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
)
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import SubscriberClient

from mltox.base.errors import UserError

log = logging.getLogger(__name__)

PULL_AT_MOST = 1_000
TELL_AT_MOST = 2_000
"""Ids a request: 512 KiB is Pub/Sub's limit, an id has up to about 200 bytes."""
SHORTEST_PAUSE, LONGEST_IDLE_PAUSE = 0.05, 0.4
LONGEST_PAUSE = 30.0
LEASE_SECONDS = 30
"""For how long a process that was killed keeps its messages from being delivered again."""


class SubscriptionError(UserError):
    """The subscription cannot be used; one line for a person."""


class Received(NamedTuple):
    """A message. `message_id` is the same when it is delivered again, `ack_id` is not."""

    ack_id: str
    message_id: str
    payload: bytes
    attributes: Mapping[str, str]


class Subscription:
    """`projects/P/subscriptions/S`. Raises SubscriptionError for what waiting does not mend.

    `sleep` waits some seconds, or less where the run is to stop.
    """

    def __init__(self, path: str, sleep: Callable[[float], object] = time.sleep) -> None:
        self.path = path
        self._sleep = sleep
        try:
            self._client = SubscriberClient()
        except GoogleAuthError as error:
            raise SubscriptionError(
                f"no usable Google credentials ({str(error).splitlines()[0]}); run: gcloud auth"
                " application-default login, or set PUBSUB_EMULATOR_HOST"
            ) from error
        self._pause = 0.0
        self._idle_pause = SHORTEST_PAUSE

    def pull(self, at_most: int, wait: float) -> list[Received]:
        """What is there, up to `at_most` messages; waits up to `wait` seconds for the first.

        No more than PULL_AT_MOST come at once.
        """
        latest = time.monotonic() + wait
        while (left := latest - time.monotonic()) > 0:
            answer = self._pull(at_most, left)
            if answer:
                self._idle_pause = SHORTEST_PAUSE
            if answer or answer is None:
                return answer or []
            # The emulator answers at once that there is nothing; asking again at once would take
            # half a core of an idle run.
            self._sleep(min(self._idle_pause, left))
            self._idle_pause = min(LONGEST_IDLE_PAUSE, 2 * self._idle_pause)
        return []

    def _pull(self, at_most: int, wait: float) -> list[Received] | None:
        """None where there is nothing, or nobody to ask."""
        request = {"subscription": self.path, "max_messages": min(at_most, PULL_AT_MOST)}
        try:
            answer = self._client.pull(request=request, timeout=max(wait, 0.05), retry=None)
        except DeadlineExceeded:
            return None
        except ServiceUnavailable as error:
            self._wait_for_service(error)
            return None
        except (GoogleAPICallError, GoogleAuthError) as error:
            raise _explained(self.path, error) from error
        if self._pause:
            log.info("Pub/Sub answers again")
        self._pause = 0.0
        return [
            Received(
                each.ack_id,
                each.message.message_id,
                bytes(each.message.data),
                dict(each.message.attributes),
            )
            for each in answer.received_messages
        ]

    def _wait_for_service(self, error: ServiceUnavailable) -> None:
        self._pause = min(LONGEST_PAUSE, max(0.5, 2 * self._pause))
        reason = str(error.message or error).splitlines()[0]
        log.warning("Pub/Sub does not answer (%s); next try in %.1f s", reason, self._pause)
        self._sleep(self._pause)

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """Best effort: what Pub/Sub did not hear it delivers again, and that changes nothing."""
        self._tell(self._client.acknowledge, ack_ids)

    def extend(self, ack_ids: Sequence[str], seconds: int = LEASE_SECONDS) -> None:
        """For so long, 600 at most, the messages are not delivered again; 0 gives them back."""
        self._tell(self._client.modify_ack_deadline, ack_ids, ack_deadline_seconds=seconds)

    def _tell(self, method: Callable[..., None], ack_ids: Sequence[str], **more: int) -> None:
        for start in range(0, len(ack_ids), TELL_AT_MOST):
            part = list(ack_ids[start : start + TELL_AT_MOST])
            request = {"subscription": self.path, "ack_ids": part, **more}
            try:
                method(request=request, timeout=10.0)
            except (DeadlineExceeded, RetryError, ServiceUnavailable) as error:
                log.warning("Pub/Sub took no acknowledgement (%s)", str(error).splitlines()[0])
            except (GoogleAPICallError, GoogleAuthError) as error:
                raise _explained(self.path, error) from error

    def close(self) -> None:
        self._client.transport.close()


def _explained(path: str, error: Exception) -> SubscriptionError:
    if isinstance(error, NotFound):
        return SubscriptionError(f"there is no subscription {path}")
    if isinstance(error, PermissionDenied):
        return SubscriptionError(f"{path}: permission pubsub.subscriptions.consume is missing")
    return SubscriptionError(f"{path}: {str(error).splitlines()[0]}")
