"""Publishes rows to Pub/Sub at the pace of their own time, or faster."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from google.pubsub_v1 import PublisherClient, SubscriberClient

from ingest.pace import Stamps, paced
from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import Publisher, PublishError
from mltox.google.pubsub.requests import MESSAGE_LIMIT, bytes_of, requests_of
from mltox.posts.records import Micros

log = logging.getLogger(__name__)


class Arrival(NamedTuple):
    payload: bytes
    at: Micros


def arrivals(payloads: Iterable[bytes], now: Micros) -> Iterator[Arrival]:
    """When each row came (`ingest.pace.Stamps`)."""
    stamps = Stamps(now)
    for payload in payloads:
        yield Arrival(payload, stamps.of(payload))


def create_channel(topic: str, subscription: str) -> None:
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
        with Publisher() as publisher:
            for due in paced(stamped, speed, stopping):
                messages = [Outgoing(topic, payload, {}) for payload in due]
                for request in requests_of(messages, MESSAGE_LIMIT, bytes_of):
                    sent += publisher.publish(request)
                    if stopping.is_set():
                        return
        if sent == len(rows):
            log.info("all %d rows are published", sent)
    except PublishError as error:
        log.error("publishing ended after %d of %d rows: %s", sent, len(rows), error)
