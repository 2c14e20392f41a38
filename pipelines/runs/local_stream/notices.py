"""What a local run publishes: by hand, after the tables have it and before the acknowledgement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mltox.google.pubsub.publisher import Publisher
from mltox.posts.records import Anomaly, DeadLetter
from pipelines.runs.local_stream.webhook import Webhook
from pipelines.transforms.publish import anomaly_message, letter_message


@dataclass
class Notices:
    """Publishes rows. A turn that is repeated publishes them again: at least once."""

    publisher: Publisher | None
    dead_letter_topic: str | None = None
    alerts_topic: str | None = None
    webhook: Webhook | None = None

    def publish(self, letters: Iterable[DeadLetter], anomalies: Iterable[Anomaly]) -> int:
        """Returns how many were published. Raises PublishError."""
        sent = 0
        anomalies = list(anomalies)
        if (topic := self.dead_letter_topic) is not None and self.publisher is not None:
            sent += self.publisher.publish(letter_message(topic, letter) for letter in letters)
        if (topic := self.alerts_topic) is not None and self.publisher is not None:
            sent += self.publisher.publish(anomaly_message(topic, each) for each in anomalies)
        if self.webhook is not None:
            sent += self.webhook.tell(anomalies)
        return sent

    def failed(self) -> list[DeadLetter]:
        """Alerts that the webhook did not take."""
        return self.webhook.failed() if self.webhook is not None else []

    def close(self) -> None:
        if self.publisher is not None:
            self.publisher.close()
        if self.webhook is not None:
            self.webhook.close()
