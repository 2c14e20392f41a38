"""Rows as messages of a Pub/Sub topic: dead letters for whoever mends them, anomalies as alerts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import orjson
from apache_beam.io.gcp.pubsub import PubsubMessage, WriteToPubSub

from mltox.google.pubsub.messages import Outgoing
from mltox.posts.records import Anomaly, DeadLetter

MOST_CHARS = 1_500_000
"""Of a payload in a message. Pub/Sub takes 10 MB, and a character may take six bytes there; one
message that is refused would be tried again for ever."""
CUT = "[cut]"


def letter_message(topic: str, letter: DeadLetter) -> Outgoing:
    """The row of `dead_letters` as JSON; stamps are microseconds since 1970, as in the records."""
    if len(letter.payload) > MOST_CHARS:
        letter = letter._replace(payload=CUT)
    return Outgoing(
        topic,
        orjson.dumps(letter._asdict()),
        {
            "letter_id": letter.letter_id,
            "stage": letter.stage,
            "error_type": letter.error_type,
        },
    )


def anomaly_message(topic: str, anomaly: Anomaly) -> Outgoing:
    """The row of `anomalies` as JSON, with the ids of its examples and none of their texts."""
    return Outgoing(
        topic,
        orjson.dumps(anomaly._asdict()),
        {
            "metric": anomaly.metric,
            "severity": anomaly.severity,
            "direction": anomaly.direction,
            "status": anomaly.status,
        },
    )


def for_beam(row: Any, topic: str, to_message: Callable[[str, Any], Outgoing]) -> PubsubMessage:
    message = to_message(topic, row)
    return PubsubMessage(message.data, dict(message.attributes))


@dataclass(eq=False)
class Publish(beam.PTransform):
    """PCollection of rows -> the topic, at least once. Streaming runners alone can do it."""

    topic: str
    to_message: Callable[[str, Any], Outgoing]

    def expand(self, rows: beam.PCollection[Any]) -> Any:
        return (
            rows
            | "ToMessage"
            >> beam.Map(for_beam, self.topic, self.to_message).with_output_types(PubsubMessage)
            | "ToTopic" >> WriteToPubSub(self.topic, with_attributes=True)
        )
