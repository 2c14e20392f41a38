"""Pull, run, commit, acknowledge, again: until somebody says stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.live.cycle import CycleError, run_cycle
from pipelines.live.ledger import LiveLedger
from pipelines.live.outbox import Outbox, PublishError
from pipelines.live.subscription import Received, Subscription
from pipelines.records import Message
from pipelines.streaming import Settings
from pipelines.transforms.parse import now_micros, origin_of

T = TypeVar("T")

log = logging.getLogger(__name__)

LEASE_SECONDS = 120
LONGEST_PAUSE = 60.0
IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Pace:
    """How large a turn is. `wait`: seconds for which messages are gathered."""

    at_most: int = 6_000
    wait: float = 1.0


@dataclass
class LiveRun:
    """A live run that can be asked to stop."""

    subscription: Subscription
    settings: Settings
    ledger: LiveLedger
    options: PipelineOptions
    outbox: Outbox | None = None
    pace: Pace = Pace()
    stopping: threading.Event = field(default_factory=threading.Event)
    totals: Counter[str] = field(default_factory=Counter)

    def run(self, after_turn: Callable[[Mapping[str, int]], None] = lambda counts: None) -> None:
        """Runs until `stopping` is set. What was pulled by then is committed and acknowledged.

        Raises SubscriptionError, and CycleError or PublishError where a turn fails while stopping.
        """
        heard = time.monotonic()
        while not self.stopping.is_set():
            received = self.subscription.pull(self.pace.at_most, self.pace.wait)
            if received:
                heard = time.monotonic()
            elif time.monotonic() - heard > IDLE_SECONDS:
                self.ledger.idle(now_micros())
            if received or self.ledger.has_due():
                counts = self._turn(received)
                self.totals.update(counts)
                after_turn(counts)

    def _turn(self, received: list[Received]) -> Mapping[str, int]:
        """Tries until the tables take it: nothing is acknowledged before, so nothing is lost."""
        messages = [
            Message(each.payload, origin_of(each.message_id, each.attributes)) for each in received
        ]
        ack_ids = [each.ack_id for each in received]
        counts = self._until_it_works(
            ack_ids, lambda: run_cycle(messages, self.settings, self.ledger, self.options)
        )
        if self.outbox is not None:
            publish = self.outbox.publish
            self._until_it_works(
                ack_ids, lambda: publish(self.ledger.letters, self.ledger.anomalies)
            )
        self.subscription.acknowledge(ack_ids)
        return counts

    def _until_it_works(self, ack_ids: Sequence[str], action: Callable[[], T]) -> T:
        """What failed left no trace, so it is tried again, at growing distances. Gives the messages
        back and raises where the run is to stop meanwhile."""
        pause = 0.5
        while True:
            self.subscription.extend(ack_ids, LEASE_SECONDS)
            try:
                return action()
            except (CycleError, PublishError) as error:
                if self.stopping.is_set():
                    self.subscription.extend(ack_ids, 0)
                    raise
                log.error("%s; %d messages wait, next try in %.1f s", error, len(ack_ids), pause)
                self.stopping.wait(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
