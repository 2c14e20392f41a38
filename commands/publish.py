"""Publishes rows to Pub/Sub at the pace of their own time, or faster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from google.api_core.exceptions import GoogleAPICallError
from google.pubsub_v1 import PublisherClient, SubscriberClient

from ingest.pace import Stamps, paced
from mltox.posts.records import Micros

log = logging.getLogger(__name__)

MESSAGES_AT_MOST = 500
BYTES_AT_MOST = 5_000_000
"""Of one request; Pub/Sub takes 1,000 messages and 10 MB."""


class Arrival(NamedTuple):
    payload: bytes
    at: Micros


def arrivals(payloads: Iterable[bytes], now: Micros) -> Iterator[Arrival]:
    """When each row came (`ingest.pace.Stamps`)."""
    stamps = Stamps(now)
    for payload in payloads:
        yield Arrival(payload, stamps.of(payload))


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
    sent = 0
    stamped = ((row.at, row.payload) for row in rows)
    try:
        with PublisherClient() as publisher:
            for due in paced(stamped, speed, stopping):
                for batch in batches(due):
                    messages = [{"data": payload} for payload in batch]
                    publisher.publish(request={"topic": topic, "messages": messages}, timeout=30)
                    sent += len(batch)
                    if stopping.is_set():
                        return
        if sent == len(rows):
            log.info("all %d rows are published", sent)
    except GoogleAPICallError as error:
        log.error("publishing ended after %d of %d rows: %s", sent, len(rows), error.message)
