"""Pull, run, commit, acknowledge, again: until somebody says stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.live.cycle import CycleError, run_cycle
from pipelines.live.ledger import LiveLedger
from pipelines.live.subscription import Received, Subscription
from pipelines.records import Message
from pipelines.streaming import Settings
from pipelines.transforms.parse import now_micros

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
    pace: Pace = Pace()
    stopping: threading.Event = field(default_factory=threading.Event)
    totals: Counter[str] = field(default_factory=Counter)

    def run(self, after_turn: Callable[[Mapping[str, int]], None] = lambda counts: None) -> None:
        """Runs until `stopping` is set. What was pulled by then is committed and acknowledged.

        Raises SubscriptionError, and CycleError where a turn fails while it is stopping.
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
        messages = [Message(each.payload, f"pubsub:{each.message_id}") for each in received]
        ack_ids = [each.ack_id for each in received]
        pause = 0.5
        while True:
            self.subscription.extend(ack_ids, LEASE_SECONDS)
            try:
                counts = run_cycle(messages, self.settings, self.ledger, self.options)
            except CycleError as error:
                if self.stopping.is_set():
                    self.subscription.extend(ack_ids, 0)
                    raise
                log.error("%s; %d messages wait, next try in %.0f s", error, len(messages), pause)
                self.stopping.wait(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
                continue
            self.subscription.acknowledge(ack_ids)
            return counts
