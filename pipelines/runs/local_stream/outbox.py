"""What a local run publishes: by hand, after the tables have it and before the acknowledgement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from google.api_core.exceptions import GoogleAPICallError, NotFound, PermissionDenied, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient

from mltox.base.errors import UserError
from mltox.posts.records import Anomaly, DeadLetter
from pipelines.transforms.publish import Outgoing, anomaly_message, letter_message

MESSAGES_AT_MOST = 500
BYTES_AT_MOST = 5_000_000
"""Of one request; Pub/Sub takes 1,000 messages and 10 MB."""
TIMEOUT = 30.0
RETRY = Retry(timeout=TIMEOUT)


class PublishError(UserError):
    """The topic takes no messages; one line for a person."""


def requests_of(messages: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """In order, as many as one request takes; a larger message is a request of its own."""
    batch: list[Outgoing] = []
    size = 0
    for message in messages:
        if batch and (len(batch) == MESSAGES_AT_MOST or size + len(message.data) > BYTES_AT_MOST):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.data)
    if batch:
        yield batch


class Publisher:
    """A context manager over one client; PUBSUB_EMULATOR_HOST is honoured. Raises PublishError."""

    def __init__(self) -> None:
        try:
            self._client = PublisherClient()
        except GoogleAuthError as error:
            raise PublishError(
                f"no usable Google credentials ({_one_line(error)}); run: gcloud auth"
                " application-default login, or set PUBSUB_EMULATOR_HOST"
            ) from error

    def publish(self, topic: str, messages: Iterable[Outgoing]) -> int:
        """Returns how many were published. `topic` is projects/PROJECT/topics/NAME."""
        sent = 0
        for batch in requests_of(messages):
            request = {"topic": topic, "messages": [each._asdict() for each in batch]}
            try:
                self._client.publish(request=request, timeout=TIMEOUT, retry=RETRY)
            except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
                raise _explained(topic, error) from error
            sent += len(batch)
        return sent

    def close(self) -> None:
        self._client.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass
class Outbox:
    """Publishes rows. A turn that is repeated publishes them again: at least once."""

    publisher: Publisher
    dead_letter_topic: str | None = None
    alerts_topic: str | None = None

    def publish(self, letters: Iterable[DeadLetter], anomalies: Iterable[Anomaly]) -> int:
        sent = 0
        if self.dead_letter_topic is not None:
            sent += self.publisher.publish(self.dead_letter_topic, map(letter_message, letters))
        if self.alerts_topic is not None:
            sent += self.publisher.publish(self.alerts_topic, map(anomaly_message, anomalies))
        return sent


def _explained(topic: str, error: Exception) -> PublishError:
    if isinstance(error, NotFound):
        return PublishError(f"there is no topic {topic}")
    if isinstance(error, PermissionDenied):
        return PublishError(f"{topic}: permission pubsub.topics.publish is missing")
    return PublishError(f"{topic}: {_one_line(error)}")


def _one_line(error: object) -> str:
    return str(error).partition("\n")[0]
