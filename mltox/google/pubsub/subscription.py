"""A subscription pulled by hand: messages are acknowledged after what they caused is committed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from google.api_core.exceptions import (
    DeadlineExceeded,
    FailedPrecondition,
    GoogleAPICallError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PullResponse, SubscriberClient

from mltox.base.errors import UserError
from mltox.google.errors import no_credentials, one_line
from mltox.google.pubsub import EMULATOR
from mltox.google.pubsub.messages import Received
from mltox.google.pubsub.requests import ACK_IDS, requests_of
from mltox.google.retries import is_fleeting, patiently

log = logging.getLogger(__name__)

PULL_AT_MOST = 1_000
SHORTEST_PAUSE, LONGEST_IDLE_PAUSE = 0.05, 0.4
LONGEST_PULL_PAUSE = 30.0
TELL_SECONDS = 10.0
LEASE_SECONDS = 30
"""For how long a process that was killed keeps its messages from being delivered again."""


class SubscriptionError(UserError):
    """The subscription cannot be used; one line for a person."""


class Subscription:
    """`projects/P/subscriptions/S`. Raises SubscriptionError for what waiting does not mend.

    What waiting may mend is waited for, until `stopping` is set, or for `give_up_after` seconds.
    """

    def __init__(
        self,
        path: str,
        stopping: threading.Event | None = None,
        give_up_after: float | None = None,
    ) -> None:
        self.path = path
        self._stopping = stopping or threading.Event()
        try:
            self._client = SubscriberClient()
        except GoogleAuthError as error:
            raise SubscriptionError(no_credentials(error, EMULATOR)) from error
        self._idle_pause = SHORTEST_PAUSE
        self._is_away = False
        self._pulling = patiently(
            stopping=self._stopping,
            again=is_trouble,
            give_up_after=give_up_after,
            longest=LONGEST_PULL_PAUSE,
            tell=self._tell_of,
        )
        self._telling = patiently(stopping=self._stopping, give_up_after=TELL_SECONDS, longest=4.0)

    def pull(self, at_most: int, wait: float) -> list[Received]:
        """What is there, up to `at_most` messages; waits up to `wait` seconds for the first, and
        longer while Pub/Sub does not answer.

        No more than PULL_AT_MOST come at once.
        """
        latest = time.monotonic() + wait
        while (left := latest - time.monotonic()) > 0:
            found = self._pull(at_most, left)
            if found:
                self._idle_pause = SHORTEST_PAUSE
            if found or found is None:
                return found or []
            # The emulator answers at once that there is nothing; asking again at once would take
            # half a core of an idle run.
            if self._stopping.wait(min(self._idle_pause, left)):
                break
            self._idle_pause = min(LONGEST_IDLE_PAUSE, 2 * self._idle_pause)
        return []

    def _pull(self, at_most: int, wait: float) -> list[Received] | None:
        """None where nothing came within the time, or the run is to stop."""
        request = {"subscription": self.path, "max_messages": min(at_most, PULL_AT_MOST)}
        try:
            answer: PullResponse = self._pulling(
                self._client.pull, request=request, timeout=max(wait, 0.05), retry=None
            )
        except DeadlineExceeded:
            return None
        except (GoogleAPICallError, GoogleAuthError) as error:
            if is_fleeting(error) and self._stopping.is_set():
                return None
            raise _explained(self.path, error) from error
        if self._is_away:
            log.info("Pub/Sub answers again")
            self._is_away = False
        return [
            Received(
                each.ack_id,
                each.message.message_id,
                bytes(each.message.data),
                dict(each.message.attributes),
            )
            for each in answer.received_messages
        ]

    def _tell_of(self, error: BaseException, pause: float) -> None:
        self._is_away = True
        log.warning("Pub/Sub does not answer (%s); next try in %.1f s", one_line(error), pause)

    def acknowledge(self, ack_ids: Sequence[str]) -> None:
        """Best effort: what Pub/Sub did not hear it delivers again, and that changes nothing."""
        self._tell(self._client.acknowledge, ack_ids)

    def extend(self, ack_ids: Sequence[str], seconds: int = LEASE_SECONDS) -> None:
        """For so long, 600 at most, the messages are not delivered again; 0 gives them back."""
        self._tell(self._client.modify_ack_deadline, ack_ids, ack_deadline_seconds=seconds)

    def _tell(self, method: Callable[..., None], ack_ids: Sequence[str], **more: int) -> None:
        for part in requests_of(ack_ids, ACK_IDS, len):
            request = {"subscription": self.path, "ack_ids": part, **more}
            try:
                self._telling(method, request=request, timeout=TELL_SECONDS, retry=None)
            except (GoogleAPICallError, GoogleAuthError) as error:
                # A subscription that delivers exactly once refuses what was leased for too long.
                if not is_fleeting(error) and not isinstance(
                    error, FailedPrecondition | InvalidArgument
                ):
                    raise _explained(self.path, error) from error
                log.warning("Pub/Sub took no acknowledgement (%s)", one_line(error))

    def close(self) -> None:
        self._client.transport.close()


def is_trouble(error: BaseException) -> bool:
    """Of a pull: a deadline that has passed says that nothing came, no more."""
    return is_fleeting(error) and not isinstance(error, DeadlineExceeded)


def _explained(path: str, error: Exception) -> SubscriptionError:
    if isinstance(error, NotFound):
        return SubscriptionError(f"there is no subscription {path}")
    if isinstance(error, PermissionDenied):
        return SubscriptionError(f"{path}: permission pubsub.subscriptions.consume is missing")
    if isinstance(error, GoogleAuthError):
        return SubscriptionError(f"{path}: {no_credentials(error, EMULATOR)}")
    return SubscriptionError(f"{path}: {one_line(error)}")
