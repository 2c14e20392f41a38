"""Pull, run, commit, acknowledge, again: until somebody says stop."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from apache_beam.options.pipeline_options import PipelineOptions

from mltox.base.clock import now_micros
from mltox.google.pubsub.messages import Received
from mltox.google.pubsub.publisher import PublishError
from mltox.google.pubsub.subscription import Subscription, SubscriptionError
from mltox.google.retries import patiently
from mltox.posts.letters import origin_of
from mltox.posts.records import DeadLetter, Message
from mltox.warehouse import WarehouseBroken, WarehouseError
from pipelines.graph import Settings
from pipelines.runs.local_stream import unpublished
from pipelines.runs.local_stream.ahead import ScoringAhead
from pipelines.runs.local_stream.deletions import Deletions
from pipelines.runs.local_stream.intake import Intake, Pace
from pipelines.runs.local_stream.isolate import run_isolating
from pipelines.runs.local_stream.notices import Notices
from pipelines.runs.local_stream.state import LocalState
from pipelines.runs.local_stream.turn import TurnDefect, TurnError, Turns

T = TypeVar("T")

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
DELETIONS_EVERY, DELETIONS_WAIT = 10.0, 0.25
"""Seconds between two looks for deletions, and of a look where there are none."""
DELETIONS_LONGEST = 600.0
"""Between two looks that failed."""
DROP_CACHE_EVERY = 10.0
"""Seconds. Dropping the cache writes the rows since DuckDB's last checkpoint, up to 18 MB, to its
temporary file: too much for every turn."""


@dataclass
class LocalStream:
    """A live run that can be asked to stop: `stopping` ends it after what was pulled."""

    subscription: Subscription
    settings: Settings
    state: LocalState
    options: PipelineOptions
    notices: Notices | None = None
    deletions: Deletions | None = None
    pace: Pace = field(default_factory=Pace)
    stopping: threading.Event = field(default_factory=threading.Event)
    totals: Counter[str] = field(default_factory=Counter)
    _forget_at: float = 0.0
    _forget_pause: float = DELETIONS_EVERY
    _drop_cache_at: float = 0.0

    def __post_init__(self) -> None:
        self.turns = Turns(self.settings, self.state, self.options)

    def run(self, after_turn: Callable[[Mapping[str, int]], None] = lambda counts: None) -> None:
        """Runs until `stopping` is set. What was pulled by then is committed and acknowledged.

        Raises SubscriptionError, WarehouseBroken, and TurnError, PublishError or WarehouseError
        where a turn fails while stopping.
        """
        self._publish([])  # what a run that was killed left over
        heard = time.monotonic()
        with (
            ScoringAhead(self.settings) as ahead,
            Intake(self.subscription, self.pace, self.stopping, ahead.see) as intake,
        ):
            while not intake.is_done:
                received = intake.take()
                if received:
                    heard = time.monotonic()
                elif time.monotonic() - heard > IDLE_SECONDS:
                    self.state.idle(now_micros())
                if received or self.state.has_due():
                    counts = self._turn(received)
                    intake.acknowledge(received)
                    ahead.leave_out(len(received))
                    self.totals.update(counts)
                    after_turn(counts)
                self._forget()
                self._drop_cache()

    def _drop_cache(self) -> None:
        if time.monotonic() >= self._drop_cache_at:
            self.state.warehouse.drop_cache()
            self._drop_cache_at = time.monotonic() + DROP_CACHE_EVERY

    def _forget(self) -> None:
        """Between two turns, for they share the connection and its transactions. What fails comes
        again; the posts do not wait for it."""
        if self.deletions is None or time.monotonic() < self._forget_at:
            return
        try:
            self.deletions.turn(DELETIONS_WAIT, until_empty=True)
        except WarehouseBroken:
            raise
        except (SubscriptionError, WarehouseError) as error:
            log.error("%s; the deletions wait %.0f s", error, self._forget_pause)
            self._forget_at = time.monotonic() + self._forget_pause
            self._forget_pause = min(DELETIONS_LONGEST, 2 * self._forget_pause)
        else:
            self._forget_pause = DELETIONS_EVERY
            self._forget_at = time.monotonic() + DELETIONS_EVERY

    def _turn(self, received: list[Received]) -> Mapping[str, int]:
        """Tries until the tables take it: nothing is acknowledged before, so nothing is lost."""
        messages = [
            Message(each.payload, origin_of(each.message_id, each.attributes)) for each in received
        ]
        return self._until_it_works(
            lambda: run_isolating(messages, self._run, self.settings.authors), len(messages)
        )

    def _run(self, messages: Sequence[Message]) -> Mapping[str, int]:
        """One commit, and what it has to tell. Raises TurnDefect."""
        counts = self._until_it_works(
            lambda: self.turns.run(messages), len(messages), is_for_the_tables
        )
        self._publish(self.state.letters, len(messages))
        return counts

    def _publish(self, letters: Iterable[DeadLetter], waiting: int = 0) -> None:
        """At least once: a kill before the acknowledgement brings letters again with their
        messages, and alerts from their list."""
        if self.notices is None:
            return
        notices, warehouse = self.notices, self.state.warehouse
        alerts = unpublished.read_unpublished(warehouse) if self.state.alerting else []
        self._until_it_works(lambda: notices.publish(letters, alerts), waiting)
        if alerts:
            self._until_it_works(lambda: unpublished.clear(warehouse), waiting)
        if failed := notices.failed():
            self._until_it_works(lambda: warehouse.upsert("dead_letters", failed), waiting)

    def _until_it_works(
        self,
        action: Callable[[], T],
        waiting: int,
        again: Callable[[BaseException], bool] | None = None,
    ) -> T:
        """What failed left no trace, so it is tried again, at growing distances. Raises where the
        run is to stop meanwhile, and what trying again does not mend."""

        def tell(error: BaseException, pause: float) -> None:
            log.error("%s; %d messages wait, next try in %.1f s", error, waiting, pause)

        return patiently(stopping=self.stopping, again=again or may_be_mended, tell=tell)(action)


def may_be_mended(error: BaseException) -> bool:
    if isinstance(error, WarehouseBroken):
        return False
    return isinstance(error, TurnError | PublishError | WarehouseError)


def is_for_the_tables(error: BaseException) -> bool:
    """Whether the tables may take later what a turn could not bring into them now."""
    return may_be_mended(error) and not isinstance(error, TurnDefect)
