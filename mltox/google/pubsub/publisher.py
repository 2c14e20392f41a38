"""The publisher: requests on a few threads, each tried again for a while.

Google's batching client would do, but it takes attributes as keyword arguments beside its own, so
it can send none that is called `topic`, and it does a future a message; here it is one a request
(`benchmarks/ingest.py` measures both).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from operator import attrgetter
from types import TracebackType
from typing import Self

from google.api_core.exceptions import GoogleAPICallError, NotFound, PermissionDenied, RetryError
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, PublishRequest

from mltox.base.errors import UserError
from mltox.google.errors import cause_of, no_credentials, one_line
from mltox.google.pubsub import EMULATOR
from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.requests import MESSAGE_LIMIT, bytes_of, requests_of
from mltox.google.retries import patiently

PUBLISHES_AT_ONCE = 4
REQUEST_SECONDS = 20.0
GIVE_UP_SECONDS = 30.0


class PublishError(UserError):
    """Messages cannot be published; one line for a person."""


class Publisher:
    """A context manager over one client. Raises PublishError where there are no credentials."""

    def __init__(self, give_up_after: float = GIVE_UP_SECONDS) -> None:
        """A request that is not taken within so many seconds, tries among them, has failed."""
        self._closing = threading.Event()
        self._patiently = patiently(
            stopping=self._closing, give_up_after=give_up_after, first=0.1, longest=5.0
        )
        self._timeout = min(REQUEST_SECONDS, give_up_after)
        try:
            self._client = PublisherClient()
        except GoogleAuthError as error:
            raise PublishError(no_credentials(error, EMULATOR)) from error
        self._threads = ThreadPoolExecutor(PUBLISHES_AT_ONCE, thread_name_prefix="publish")

    def send(self, messages: Sequence[Outgoing]) -> Future[None]:
        """Messages for one topic, in one request; the future has what kept it from being taken."""
        return self._threads.submit(self._publish, messages)

    def publish(self, messages: Iterable[Outgoing]) -> int:
        """All of them, one request after the other; returns how many. Raises PublishError."""
        sent = 0
        for topic, of_topic in groupby(messages, attrgetter("topic")):
            for request in requests_of(of_topic, MESSAGE_LIMIT, bytes_of):
                try:
                    self._publish(request)
                except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
                    raise PublishError(why_unpublished(topic, error)) from error
                sent += len(request)
        return sent

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
        self._patiently(self._client.publish, request=request, retry=None, timeout=self._timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def why_unpublished(topic: str, error: BaseException) -> str:
    """One line for what a request raised."""
    cause = cause_of(error)
    if isinstance(cause, NotFound):
        return f"there is no topic {topic}"
    if isinstance(cause, PermissionDenied):
        return f"{topic}: permission pubsub.topics.publish is missing"
    return f"{topic}: Pub/Sub does not take messages: {one_line(cause)}"
