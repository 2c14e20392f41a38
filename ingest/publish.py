"""The publisher: requests on a few threads, each tried again for a while.

PUBSUB_EMULATOR_HOST is honoured. Google's batching client would do, but it takes attributes as
keyword arguments beside its own, so it can send none that is called `topic`, and it does a future a
message; here it is one a request (`benchmarks/ingest.py` measures both).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from google.api_core.exceptions import (
    Aborted,
    DeadlineExceeded,
    InternalServerError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    RetryError,
    ServiceUnavailable,
    Unknown,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PublishRequest

from ingest.messages import Outgoing
from mltox.base.errors import UserError

REQUESTS_AT_ONCE = 4
MESSAGES_AT_MOST = 500
BYTES_AT_MOST = 5_000_000
"""Of one request; Pub/Sub takes 1,000 messages and 10 MB."""
REQUEST_SECONDS = 20.0
_PASSES = if_exception_type(
    Aborted,
    DeadlineExceeded,
    InternalServerError,
    ResourceExhausted,
    ServiceUnavailable,
    Unknown,
)


class PublishError(UserError):
    """Messages cannot be published; one line for a person."""


class Publisher:
    """Raises PublishError where there are no credentials."""

    def __init__(self, give_up_after: float) -> None:
        """A request that is not taken within so many seconds, tries among them, has failed."""
        self._closing = threading.Event()
        self._retry = Retry(
            predicate=lambda error: _PASSES(error) and not self._closing.is_set(),
            initial=0.1,
            maximum=5.0,
            timeout=give_up_after,
        )
        self._timeout = min(REQUEST_SECONDS, give_up_after)
        try:
            self._client = PublisherClient()
        except GoogleAuthError as error:
            raise PublishError(
                f"no usable Google credentials ({str(error).splitlines()[0]}); run: gcloud auth"
                " application-default login, or set PUBSUB_EMULATOR_HOST"
            ) from error
        self._threads = ThreadPoolExecutor(REQUESTS_AT_ONCE, thread_name_prefix="publish")

    def send(self, messages: Sequence[Outgoing]) -> Future[None]:
        """Messages for one topic, in one request; the future has what kept it from being taken."""
        return self._threads.submit(self._publish, messages)

    def close(self) -> None:
        """What is not taken yet is given up."""
        self._closing.set()
        self._threads.shutdown(cancel_futures=True)
        self._client.transport.close()

    def _publish(self, messages: Sequence[Outgoing]) -> None:
        request = PublishRequest(topic=messages[0].topic)
        # The bare protocol buffer: its wrapper takes five times as long for as many messages.
        bare = PublishRequest.pb(request)
        for message in messages:
            bare.messages.add(data=message.data, attributes=message.attributes)
        self._client.publish(request=request, retry=self._retry, timeout=self._timeout)


def explained(topic: str, error: BaseException | None) -> str:
    """One line for what a request raised."""
    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    if isinstance(cause, NotFound):
        return f"there is no topic {topic}"
    if isinstance(cause, PermissionDenied):
        return f"{topic}: permission pubsub.topics.publish is missing"
    said = str(getattr(cause, "message", "") or cause).splitlines()
    return f"{topic}: Pub/Sub does not take messages: {said[0] if said else type(cause).__name__}"
