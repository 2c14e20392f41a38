"""One turn of a live run: the graph over a handful of messages, and its tables in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.base.errors import UserError
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import Anomaly, DeadLetter, Message
from mltox.warehouse import WarehouseBroken
from pipelines.graph import Settings, build
from pipelines.graph.modes import Turn
from pipelines.held import Held
from pipelines.runners import RepeatingRunner
from pipelines.runs.local_stream import unpublished
from pipelines.runs.local_stream.state import LocalState
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.metrics import counters
from pipelines.transforms.turn_state import HourKey
from pipelines.transforms.window import IntoHours


class TurnError(UserError):
    """A turn failed and left no trace; one line for a person."""


class TurnDefect(TurnError):
    """It failed over what it held, and would again: not for the tables, which may take it later."""


class Turns:
    """The graph of every turn. Built once: that, and describing it to the runner, is more than half
    of what a turn costs beside its messages. What differs from turn to turn is in the state.
    """

    def __init__(self, settings: Settings, state: LocalState, options: PipelineOptions) -> None:
        self.state = state
        self._runner = RepeatingRunner()
        self._pipeline = beam.Pipeline(runner=self._runner, options=options)
        build_turn(self._pipeline, settings, Held(state), state.warehouse.uri)

    def run(self, messages: Sequence[Message]) -> Mapping[str, int]:
        """Brings the messages into the tables, all or nothing, and returns the run's counters.

        Raises TurnError where that failed, most likely for the tables cannot be written; then
        nothing of the messages is in them, and the state is as it was; TurnDefect where it was for
        the messages themselves, or for the hours that are due. Raises WarehouseBroken where
        no later turn of this process can do better.
        """
        state = self.state
        state.begin(messages)
        try:
            with state.warehouse.transaction():
                counts = Counter(self._run_graph())
                silent = state.silences()
                state.warehouse.upsert("anomalies", silent)
                state.anomalies += silent
                counts["anomalies"] += len(silent)
                if state.alerting:
                    unpublished.note(state.warehouse, state.anomalies)
        except WarehouseBroken:
            raise
        except Exception as error:  # a runner wraps what its stages raise
            # A full table, disk or memory, a model that is broken: no message is to blame for it.
            outside = isinstance(error, UserError | OSError | MemoryError)
            kind = TurnError if outside else TurnDefect
            raise kind(in_one_line(error)) from error
        state.commit()
        return counts

    def _run_graph(self) -> Mapping[str, int]:
        result = self._runner.repeat() or self._pipeline.run()
        result.wait_until_finish()
        return counters(result)


def build_turn(
    pipeline: beam.Pipeline, settings: Settings, state: Held[LocalState], warehouse_uri: str
) -> None:
    turn = pipeline | "Turn" >> beam.Create([None])
    due = (
        turn
        | "Due" >> beam.FlatMap(hours_due, state).with_output_types(HourKey)
        | "AtHour" >> beam.Map(at_hour).with_output_types(HourKey)
        | "DueIntoHours" >> IntoHours()
    )
    messages = turn | "Messages" >> beam.FlatMap(messages_of, state).with_output_types(Message)
    tables = build(messages, settings, Turn(state, due))
    letters = write_tables(tables, warehouse_uri)
    tables.monitors | "KeepMonitor" >> beam.Map(keep_monitor, state)
    letters | "KeepLetter" >> beam.Map(keep_letter, state)
    tables.anomalies | "KeepAnomaly" >> beam.Map(keep_anomaly, state)


def messages_of(_: None, state: Held[LocalState]) -> Sequence[Message]:
    """Those of the turn. In `Create` they would be pickled and compressed, and the same back:
    nearly a third of the main thread's time in a large turn."""
    return state.value.messages


def hours_due(_: None, state: Held[LocalState]) -> Iterator[HourKey]:
    yield from state.value.closing


def keep_monitor(last: tuple[str, TopicMonitor], state: Held[LocalState]) -> None:
    state.value.keep_monitor(*last)


def keep_letter(letter: DeadLetter, state: Held[LocalState]) -> None:
    state.value.letters.append(letter)


def keep_anomaly(anomaly: Anomaly, state: Held[LocalState]) -> None:
    state.value.anomalies.append(anomaly)


def at_hour(key: HourKey) -> TimestampedValue:
    return TimestampedValue(key, Timestamp(micros=key.hour))


def in_one_line(error: Exception) -> str:
    """What a stage raised, without the runner's remark of where."""
    message = str(error).partition(" [while running")[0].strip()
    line = (message.splitlines() or [""])[0]
    return line if isinstance(error, UserError) else f"{type(error).__name__}: {line}"
