"""One turn of a live run: the graph over a handful of messages, and its tables in one commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.base.errors import UserError
from mltox.posts.records import Message
from mltox.warehouse import WarehouseBroken, WarehouseError
from pipelines.graph.build import Settings, build
from pipelines.runners import RepeatingRunner
from pipelines.runs.local_stream import unpublished
from pipelines.runs.local_stream.ledger import LedgerRef, LiveLedger
from pipelines.sinks.write_tables import write_tables
from pipelines.transforms.ledger import HourKey
from pipelines.transforms.metrics import counters
from pipelines.transforms.window import IntoHours


class CycleError(UserError):
    """A turn failed and left no trace; one line for a person."""


class Graph:
    """The graph of every turn. Built once: that, and describing it to the runner, is more than half
    of what a turn costs beside its messages. What differs from turn to turn is in the ledger.
    """

    def __init__(self, settings: Settings, ledger: LiveLedger, options: PipelineOptions) -> None:
        self.ledger = ledger
        self._runner = RepeatingRunner()
        self._pipeline = beam.Pipeline(runner=self._runner, options=options)
        build_turn(self._pipeline, settings, LedgerRef(ledger.warehouse.uri))

    def run(self) -> Mapping[str, int]:
        """The counters of this run."""
        result = self._runner.repeat() or self._pipeline.run()
        result.wait_until_finish()
        return counters(result)


def build_turn(pipeline: beam.Pipeline, settings: Settings, ledger: LedgerRef) -> None:
    turn = pipeline | "Turn" >> beam.Create([None])
    tables = build(
        turn | "Messages" >> beam.FlatMap(ledger.messages).with_output_types(Message),
        settings,
        ledger=ledger,
        due=turn
        | "Due" >> beam.FlatMap(ledger.closing).with_output_types(HourKey)
        | "AtHour" >> beam.Map(at_hour).with_output_types(HourKey)
        | "DueIntoHours" >> IntoHours(),
    )
    letters = write_tables(tables, ledger.uri)
    tables.monitors | "KeepMonitor" >> beam.Map(ledger.keep_monitor)
    letters | "KeepLetter" >> beam.Map(ledger.keep_letter)
    tables.anomalies | "KeepAnomaly" >> beam.Map(ledger.keep_anomaly)


def run_cycle(messages: Sequence[Message], graph: Graph) -> Mapping[str, int]:
    """Brings the messages into the tables, all or nothing, and returns the run's counters.

    Raises CycleError where that failed, most likely for the tables cannot be written; then nothing
    of the messages is in them, and the ledger is as it was. Raises WarehouseBroken where no later
    turn of this process can do better.
    """
    ledger = graph.ledger
    ledger.begin(messages)
    try:
        with ledger.warehouse.transaction():
            counts = graph.run()
            if ledger.alerting:
                unpublished.note(ledger.warehouse, ledger.anomalies)
    except WarehouseBroken:
        raise
    except Exception as error:  # a runner wraps what its stages raise
        raise CycleError(in_one_line(error)) from error
    ledger.commit()
    return counts


def at_hour(key: HourKey) -> TimestampedValue:
    return TimestampedValue(key, Timestamp(micros=key.hour))


def in_one_line(error: Exception) -> str:
    """What a stage raised, without the runner's remark of where."""
    said = str(error).partition(" [while running")[0].strip().splitlines() or [""]
    return said[0] if isinstance(error, WarehouseError) else f"{type(error).__name__}: {said[0]}"
