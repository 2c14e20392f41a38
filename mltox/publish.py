"""Publishes rows to Pub/Sub at the pace of their own time, or faster."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from google.api_core.exceptions import GoogleAPICallError
from google.pubsub_v1 import PublisherClient, SubscriberClient

from ingest.authors import AuthorKeys
from ingest.envelope import Envelope
from ingest.formats import decode
from pipelines.records import SECOND, Micros

log = logging.getLogger(__name__)

TICK = 0.25
"""Seconds between two requests."""
MESSAGES_AT_MOST = 500
BYTES_AT_MOST = 5_000_000
"""Of one request; Pub/Sub takes 1,000 messages and 10 MB."""


class Arrival(NamedTuple):
    payload: bytes
    at: Micros


def arrivals(payloads: Iterable[bytes], now: Micros) -> Iterator[Arrival]:
    """When each row came: at the stamp of its post, but never before the row above it.

    A row without a usable post came with the one above it. `now` is the clock for stamps that lie
    in the future, which are not usable.
    """
    # Only stamps are read here; the pseudonyms that this key makes go nowhere.
    authors, at = AuthorKeys(b"no pseudonym leaves here"), 0
    for payload in payloads:
        items = decode(payload, authors=authors, now=now)
        at = max([at, *(item.created_at for item in items if isinstance(item, Envelope))])
        yield Arrival(payload, at)


def batches(payloads: Iterable[bytes]) -> Iterator[list[bytes]]:
    """In order, as many as one request takes."""
    batch: list[bytes] = []
    size = 0
    for payload in payloads:
        if batch and (len(batch) == MESSAGES_AT_MOST or size + len(payload) > BYTES_AT_MOST):
            yield batch
            batch, size = [], 0
        batch.append(payload)
        size += len(payload)
    if batch:
        yield batch


def create(topic: str, subscription: str) -> None:
    """Makes a topic and a subscription that do not exist yet."""
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(request={"name": topic})
        subscriber.create_subscription(request={"name": subscription, "topic": topic})


@contextmanager
def publishing(topic: str, rows: Sequence[Arrival], speed: float) -> Iterator[None]:
    """Publishes from a thread of its own meanwhile; `speed` is event time by wall clock."""
    stopping = threading.Event()
    thread = threading.Thread(target=_publish, args=(topic, rows, speed, stopping), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _publish(topic: str, rows: Sequence[Arrival], speed: float, stopping: threading.Event) -> None:
    began, sent = time.monotonic(), 0
    try:
        with PublisherClient() as publisher:
            while sent < len(rows) and not stopping.wait(TICK):
                reached = rows[0].at + (time.monotonic() - began) * speed * SECOND
                due = sent
                while due < len(rows) and rows[due].at <= reached:
                    due += 1
                for batch in batches(row.payload for row in rows[sent:due]):
                    messages = [{"data": payload} for payload in batch]
                    publisher.publish(request={"topic": topic, "messages": messages}, timeout=30)
                    if stopping.is_set():
                        return
                sent = due
        if sent == len(rows):
            log.info("all %d rows are published", sent)
    except GoogleAPICallError as error:
        log.error("publishing ended after %d of %d rows: %s", sent, len(rows), error.message)
