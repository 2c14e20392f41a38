"""The state of a local live run: the hours that are open, what is in the tables, the watermark.

Everything in it can be made anew from the tables, which is what happens at a start. So a process
may be killed at any moment: what was not committed was not acknowledged either.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from mltox.base.clock import datetime_of, now_micros
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import (
    HOUR,
    Anomaly,
    DeadLetter,
    HourlyToxicity,
    Message,
    Micros,
    ScoredPost,
)
from mltox.warehouse import read_records
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs.history import HISTORY, monitors_before
from pipelines.runs.local_stream import unpublished
from pipelines.runs.local_stream.spans import Spans
from pipelines.transforms.hour_accumulator import HourAccumulator
from pipelines.transforms.silence import silences
from pipelines.transforms.turn_state import HourKey

KEPT_HOURS = 26
"""Hours in memory behind the watermark. A post that is later still brings its hour back from the
tables."""


@dataclass
class LocalState:
    """Opened by the driver, which hands it to the stages (`Held`).

    The watermark is the newest post's created_at less `disorder`: posts that come within that of
    each other may come in any order. `alerting`: anomalies are listed until they are published.
    `span`: how far from its topic's newest post a post may be, 0 for any distance.
    """

    warehouse: DuckDBWarehouse
    threshold: float
    disorder: Micros
    alerting: bool = False
    span: Micros = 0
    hours: dict[HourKey, HourAccumulator] = field(default_factory=dict)
    pending: dict[HourKey, HourAccumulator] = field(default_factory=dict)
    monitors: dict[str, TopicMonitor] = field(default_factory=dict)
    observed: dict[str, TopicMonitor] = field(default_factory=dict)
    messages: Sequence[Message] = ()
    letters: list[DeadLetter] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)
    watermark: Micros = 0
    final_before: Micros = 0
    closing: Sequence[HourKey] = ()
    due: set[tuple[str, Micros]] = field(default_factory=set)
    loaded: set[tuple[str, Micros]] = field(default_factory=set)
    reader: DuckDBWarehouse = field(init=False)
    spans: Spans = field(init=False)

    def open(self) -> None:
        """Brings back the open hours, and shows the monitors what lies before them."""
        self.reader = self.warehouse.committed()
        unpublished.create_unpublished(self.warehouse)
        rows = read_records(self.warehouse, "hourly_toxicity", HourlyToxicity)
        newest: dict[str, Micros] = {}
        for row in rows:
            newest[row.topic] = max(newest.get(row.topic, 0), row.hour)
        self.spans = Spans(self.span, newest)
        waiting = [row for row in rows if not row.is_final]
        for row in waiting:
            self._load(row.topic, row.hour)
        self.final_before = max((row.hour + HOUR for row in rows if row.is_final), default=0)
        self.watermark = self.final_before
        first = min((row.hour for row in waiting), default=self.final_before)
        self.monitors = monitors_before(self.warehouse, first) if rows else {}
        spoken = {row.hour for row in rows if row.is_final and first - HISTORY <= row.hour < first}
        silences(self.monitors.values(), spoken, now_micros())  # told by the run before
        self._advance()

    def close(self) -> None:
        self.reader.close()

    def begin(self, messages: Sequence[Message]) -> None:
        """Starts a run over the messages. The hours that the watermark has passed are final from
        now on, and due to be judged."""
        self.messages = messages
        self.pending, self.observed = {}, {}
        self.letters, self.anomalies = [], []
        self.final_before = max(self.final_before, self.watermark - self.watermark % HOUR)
        self.closing = [key for key in self.hours if self._closes(key)]
        self.due = {(key.topic, key.hour) for key in self.closing}

    def has_due(self) -> bool:
        """Whether the watermark has passed an hour that is not written as final."""
        passed = self.watermark - self.watermark % HOUR
        return any(k.hour + HOUR <= passed and not h.closed for k, h in self.hours.items())

    def _closes(self, key: HourKey) -> bool:
        return key.hour + HOUR <= self.final_before and not self.hours[key].closed

    def commit(self) -> None:
        """Makes what the run found permanent. Called when its tables are committed."""
        for key, hour in self.pending.items():
            hour.closed = self.is_final(key.hour)
        self.hours.update(self.pending)
        self.monitors.update(self.observed)
        self.pending, self.observed = {}, {}
        self._advance()
        oldest = self.final_before - KEPT_HOURS * HOUR
        for key in [key for key in self.hours if key.hour < oldest]:
            del self.hours[key]
        self.loaded = {pair for pair in self.loaded if pair[1] >= oldest}

    def _advance(self) -> None:
        """A post with a clock that runs ahead does not make time pass."""
        newest = min(now_micros(), max((hour.latest for hour in self.hours.values()), default=0))
        self.watermark = max(self.watermark, newest - self.disorder)

    def idle(self, now: Micros) -> None:
        """Nothing came for a while: time passes all the same, where posts are of the present."""
        if now - self.watermark < 2 * HOUR + self.disorder:
            self.watermark = max(self.watermark, now - self.disorder)

    def known(self, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        return self.reader.stored_keys("scored_posts", keys)

    def far_out(self, topic: str, stamps: Sequence[Micros]) -> list[bool]:
        return self.spans.far_out(topic, stamps, now_micros())

    def before(self, key: HourKey) -> HourAccumulator | None:
        if (key.topic, key.hour) not in self.loaded:
            self._load(key.topic, key.hour)
        return self.hours.get(key)

    def _load(self, topic: str, hour: Micros) -> None:
        """Adds up an hour from its posts in the tables."""
        self.loaded.add((topic, hour))
        posts = read_records(
            self.reader,
            "scored_posts",
            ScoredPost,
            where="topic = ? AND created_at >= ? AND created_at < ?",
            params=(topic, datetime_of(hour), datetime_of(hour + HOUR)),
        )
        rows = read_records(
            self.reader,
            "hourly_toxicity",
            HourlyToxicity,
            where="topic = ? AND hour = ?",
            params=(topic, datetime_of(hour)),
        )
        for post in posts:
            key = HourKey(topic, hour, post.model)
            self.hours.setdefault(key, HourAccumulator(self.threshold)).add(post, fresh=False)
        for row in rows:
            key = HourKey(topic, hour, row.model)
            if key in self.hours:
                self.hours[key].revision = row.revision
                self.hours[key].closed = row.is_final

    def keep(self, key: HourKey, hour: HourAccumulator) -> None:
        self.pending[key] = hour

    def keep_monitor(self, topic: str, monitor: TopicMonitor) -> None:
        self.observed[topic] = monitor

    def silences(self) -> list[Anomaly]:
        """What is told of topics without a post in the hours that this turn closes.

        Called when the turn's hours have been judged. A turn may fail: these are copies as well.
        """
        spoken = {key.hour for key in self.closing}
        if not spoken:
            return []
        quiet = {
            topic: monitor.apart()
            for topic, monitor in {**self.monitors, **self.observed}.items()
            if monitor.last_hour is not None and monitor.last_hour < max(spoken)
        }
        self.observed.update(quiet)
        return silences(quiet.values(), spoken, now_micros())

    def monitor(self, topic: str) -> TopicMonitor | None:
        """A copy, for a turn may fail that has shown it hours."""
        return deepcopy(self.monitors.get(topic))

    def is_final(self, hour: Micros) -> bool:
        return hour + HOUR <= self.final_before

    def is_due(self, topic: str, hour: Micros) -> bool:
        return (topic, hour) in self.due
