"""A topic and a subscription of a real emulator, and the messages that a drill publishes."""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient

from commands.emulator import EmulatorError, running_emulator, script

PROJECT = "mltox-test"
TOPIC = f"projects/{PROJECT}/topics/posts"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/posts"
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEXTS = (
    "good morning everyone",
    "you are a stupid idiot",
    "what a great game that was",
    "shut up, nobody likes you",
    "lovely weather in the park today",
)


def need_emulator() -> None:
    try:
        script()
    except EmulatorError as error:
        pytest.skip(str(error))


@contextmanager
def emulated(port: int = 0) -> Iterator[str]:
    """A running emulator with the topic and the subscription; yields its address."""
    with running_emulator(port) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUBSUB_EMULATOR_HOST", address)
        create()
        yield address


def create() -> None:
    with PublisherClient() as publisher:
        publisher.create_topic(request={"name": TOPIC})
    with SubscriberClient() as subscriber:
        subscriber.create_subscription(
            request={"name": SUBSCRIPTION, "topic": TOPIC, "ack_deadline_seconds": 10}
        )


def listen(name: str) -> tuple[str, str]:
    """Makes a topic anew; returns it with a subscription that has what is published from now on."""
    topic = f"projects/{PROJECT}/topics/{name}"
    subscription = f"projects/{PROJECT}/subscriptions/{name}-{uuid.uuid4().hex[:8]}"
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(request={"name": topic})
        subscriber.create_subscription(request={"name": subscription, "topic": topic})
    return topic, subscription


def delete(topic: str) -> None:
    with PublisherClient() as publisher:
        publisher.delete_topic(request={"topic": topic})


def heard(subscription: str, count: int, seconds: float = 600) -> list[dict[str, Any]]:
    """The first messages there, decoded; fewer where no more come in time."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + seconds
    with SubscriberClient() as subscriber:
        while len(found) < count and time.monotonic() < deadline:
            request = {"subscription": subscription, "max_messages": 100}
            with suppress(DeadlineExceeded):
                answer = subscriber.pull(request=request, timeout=5, retry=None)
                ids = [each.ack_id for each in answer.received_messages]
                if ids:
                    subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ids})
                found += [json.loads(each.message.data) for each in answer.received_messages]
    return found


def publish(payloads: Sequence[bytes]) -> None:
    with PublisherClient() as publisher:
        for start in range(0, len(payloads), 500):
            messages = [{"data": payload} for payload in payloads[start : start + 500]]
            publisher.publish(request={"topic": TOPIC, "messages": messages})


class Drill(NamedTuple):
    """Messages, and what must come of them."""

    payloads: list[bytes]
    posts: dict[str, datetime]
    """post id -> created at, of every valid post."""
    malformed: int


def drill(count: int, seed: int, hours: int = 6, padding: int = 0) -> Drill:
    """`count` messages: 3 % sent twice, 1 % malformed, shuffled within two hours. With a `padding`
    texts are longer by so much, in a language that the model does not know."""
    generator = random.Random(seed)
    stamped: list[tuple[float, bytes]] = []
    posts: dict[str, datetime] = {}
    malformed = 0
    for number in range(count):
        seconds = hours * 3600 * number / count
        moment = START + timedelta(seconds=int(seconds))
        if generator.random() < 0.01:
            payload = generator.choice([b"{", b"\xff\xfe", b"[", b"nonsense"]) + b" %d" % number
            malformed += 1
        else:
            row = {
                "id": f"p{number}",
                "text": f"{generator.choice(TEXTS)} {number % 97}" + f" {number}" * (padding // 6),
                "created_at": moment.isoformat(),
                "lang": "fi" if padding else "en",
                "author": f"a{number % 500}",
            }
            posts[f"file:p{number}"] = moment
            payload = json.dumps(row).encode()
        copies = 2 if generator.random() < 0.03 and payload.endswith(b"}") else 1
        for _ in range(copies):
            stamped.append((seconds + generator.uniform(0, 7200), payload))
    stamped.sort()
    return Drill([payload for _, payload in stamped], posts, malformed)


def environment(address: str) -> dict[str, str]:
    return os.environ | {
        "PUBSUB_EMULATOR_HOST": address,
        "MLTOX_AUTHOR_KEY": "a long enough key for tests",
    }
