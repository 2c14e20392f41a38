"""Writing a PCollection of records into a table. This and `storage_write` know Beam."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.gcp.bigquery import BigQueryDisposition, WriteToBigQuery
from apache_beam.io.gcp.bigquery_tools import RetryStrategy
from apache_beam.metrics.metric import Metrics
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from mltox.base.clock import now_micros
from mltox.base.text import storable
from mltox.posts.records import DeadLetter
from mltox.warehouse import Warehouse, WarehouseError, open_warehouse
from mltox.warehouse.location import BigQueryDataset, ParquetFolder, parse_uri
from mltox.warehouse.parquet.layout import partitioner
from mltox.warehouse.rows import RowError, to_arrow, to_json_row
from mltox.warehouse.schema import TABLES, Table
from pipelines.sinks.storage_write import StorageWrite

BATCH_ROWS = 20_000
PAYLOAD_CHARS = 10_000
ERROR_TYPE = "rejected_row"
STREAMING_INSERTS = WriteToBigQuery.Method.STREAMING_INSERTS
INSERT_BYTES = 1_500_000
"""Beam bounds an insertAll request by its rows' size in memory, and as JSON a text can be six times
that. A request over 10 MB would be refused whole, which Beam takes for worth trying again for ever.
"""
NOT_THE_ROWS = frozenset({"Unauthorized", "Forbidden", "Not Found", "Not Implemented"})
"""Reasons for which BigQuery refuses a request, whatever its rows are."""
_NAMESPACE = "mltox"
_DEAD = "dead"


def rejected_row(table: Table, row: Mapping[str, Any], message: str) -> DeadLetter:
    """The dead letter of a row that a table did not take. Its id follows from the row's key."""
    key = json.dumps([table.name, *(str(row.get(name)) for name in table.key)])
    post_id = row.get("post_id")
    return DeadLetter(
        letter_id=hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32],
        stage=f"write_{table.name}",
        error_type=ERROR_TYPE,
        message=storable(message)[:PAYLOAD_CHARS],
        payload=json.dumps(row, default=repr)[:PAYLOAD_CHARS],
        post_id=storable(post_id) if isinstance(post_id, str) else None,
        seen_at=now_micros(),
    )


class UpsertRows(beam.DoFn):
    """Upserts a bundle in batches of BATCH_ROWS and yields a DeadLetter for each unfit row.

    A warehouse that can't be written raises WarehouseError: the runner retries the bundle or fails
    the run, and either way nothing is written twice.
    """

    def __init__(self, uri: str, table: str) -> None:
        self._uri = uri
        self._table = table
        self._warehouse: Warehouse | None = None
        self._batch: list[WindowedValue] = []
        self._written = Metrics.counter(_NAMESPACE, f"written_{table}")
        self._changed = Metrics.counter(_NAMESPACE, f"changed_{table}")
        self._rejected = Metrics.counter(_NAMESPACE, f"rejected_{table}")
        self._rows = Metrics.distribution(_NAMESPACE, "write_batch_rows")
        self._millis = Metrics.distribution(_NAMESPACE, "write_batch_ms")

    def setup(self) -> None:
        self._warehouse = open_warehouse(self._uri)

    def teardown(self) -> None:
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None

    def start_bundle(self) -> None:
        self._batch = []

    def process(
        self,
        element: tuple[Any, ...],
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[WindowedValue]:
        self._batch.append(WindowedValue(element, timestamp, (window,)))
        if len(self._batch) >= BATCH_ROWS:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from self._flush()

    def _flush(self) -> Iterator[WindowedValue]:
        batch, self._batch = self._batch, []
        if not batch:
            return
        rows = [item.value for item in batch]
        table = TABLES[self._table]
        try:
            to_arrow(table, rows)
        except RowError:
            rows = []
            for item in batch:
                try:
                    to_arrow(table, [item.value])
                    rows.append(item.value)
                except RowError as error:
                    self._rejected.inc()
                    row = dict(zip(table.names, item.value, strict=False))
                    yield item.with_value(rejected_row(table, row, str(error)))
        assert self._warehouse is not None, "setup opens the warehouse"
        started = time.monotonic()
        self._changed.inc(self._warehouse.upsert(self._table, rows))
        self._written.inc(len(rows))
        self._rows.update(len(rows))
        self._millis.update(int(1000 * (time.monotonic() - started)))


def key_by_partition(row: tuple[Any, ...], table: str) -> tuple[str, tuple[Any, ...]]:
    """A row that fits no partition is of one of its own, and refused there."""
    try:
        return partitioner(table)(row), row
    except (TypeError, IndexError, OverflowError):
        return "", row


def rows_of_partition(group: tuple[str, Iterable[Any]]) -> Iterable[Any]:
    return group[1]


@dataclass(eq=False)
class ByPartition(beam.PTransform):
    """PCollection of a table's records -> the same, those of a partition in one worker, so that a
    partition gets few files."""

    table: str

    def expand(self, rows: PCollection[Any]) -> PCollection[Any]:
        return (
            rows
            | "IntoOneWindow" >> beam.WindowInto(GlobalWindows())
            | "Key"
            >> beam.Map(key_by_partition, self.table).with_output_types(tuple[str, tuple[Any, ...]])
            | "Group" >> beam.GroupByKey()
            | "Rows" >> beam.FlatMap(rows_of_partition)
        )


class ToJsonRow(beam.DoFn):
    """Records as BigQuery's JSON rows; an unfit one becomes a DeadLetter in the output `dead`."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._written = Metrics.counter(_NAMESPACE, f"written_{table}")
        self._rejected = Metrics.counter(_NAMESPACE, f"rejected_{table}")

    def process(self, element: tuple[Any, ...]) -> Iterator[Any]:
        table = TABLES[self._table]
        try:
            row = to_json_row(table, element)
        except RowError as error:
            self._rejected.inc()
            fields = dict(zip(table.names, element, strict=False))
            yield TaggedOutput(_DEAD, rejected_row(table, fields, str(error)))
            return
        self._written.inc()
        yield row


class RefusedRows(beam.DoFn):
    """(row, what BigQuery says of it) -> DeadLetter.

    Where the whole request was refused (quota, permission, no such table) the rows are not at
    fault and come in their thousands: this raises WarehouseError. On Dataflow that is tried again,
    with the same insert ids, until somebody mends it, so that nothing is lost; a local run ends
    with one line.
    """

    def __init__(self, table: str, uri: str) -> None:
        self._table = table
        self._uri = uri
        self._refused = Metrics.counter(_NAMESPACE, f"refused_{table}")

    def process(self, element: tuple[Mapping[str, Any], Any]) -> Iterator[DeadLetter]:
        row, reasons = element
        if isinstance(reasons, list) and reasons and reasons[0].get("reason") in NOT_THE_ROWS:
            reason = str(reasons[0].get("message") or reasons[0]["reason"]).partition("\n")[0]
            raise WarehouseError(f"{self._uri}: {self._table} takes no rows: {reason}")
        self._refused.inc()
        message = reasons if isinstance(reasons, str) else json.dumps(reasons, default=str)
        yield rejected_row(TABLES[self._table], row, message)


def _row_and_errors(failed: tuple[str, Mapping[str, Any], Any]) -> tuple[Mapping[str, Any], Any]:
    _, row, errors = failed
    return row, errors


@dataclass(eq=False)
class WriteTable(beam.PTransform):
    """PCollection of a table's records -> the table, and PCollection[DeadLetter] of rows refused.

    DuckDB upserts, and so does Parquet (bounded input), partition by partition. BigQuery gets
    appends: insert ids are drawn before a checkpoint, so that a retried insert is the same insert,
    and views read the last revision of each key. Transient errors are retried; what BigQuery says
    of a refused row is its dead letter's message. With
    `method` STORAGE_WRITE_API the appends are exactly once and launching needs a JRE; with
    FILE_LOADS (bounded input, needs --temp_location) a refused row fails the run.
    """

    warehouse_uri: str
    table: str
    method: str = STREAMING_INSERTS

    def __post_init__(self) -> None:
        known = WriteToBigQuery.Method
        methods = (known.STREAMING_INSERTS, known.STORAGE_WRITE_API, known.FILE_LOADS)
        if self.method not in methods:
            raise ValueError(f"method {self.method!r} is none of {', '.join(methods)}")

    def expand(self, rows: PCollection[Any]) -> PCollection[DeadLetter]:
        location = parse_uri(self.warehouse_uri)
        if isinstance(location, BigQueryDataset):
            return self._append(rows, location)
        if isinstance(location, ParquetFolder):
            rows = rows | "ByPartition" >> ByPartition(self.table)
        upsert = beam.ParDo(UpsertRows(self.warehouse_uri, self.table))
        return rows | "Upsert" >> upsert.with_output_types(DeadLetter)

    def _append(self, rows: PCollection[Any], location: BigQueryDataset) -> PCollection[DeadLetter]:
        converted = rows | "ToJsonRow" >> beam.ParDo(ToJsonRow(self.table)).with_outputs(
            _DEAD, main="rows"
        )
        dead = converted[_DEAD] | "Unfit" >> beam.Map(lambda letter: letter).with_output_types(
            DeadLetter
        )
        failed = self._failed(
            converted["rows"], f"{location.project}:{location.dataset}.{self.table}"
        )
        if failed is None:
            return dead
        refused = failed | "Refused" >> beam.ParDo(
            RefusedRows(self.table, self.warehouse_uri)
        ).with_output_types(DeadLetter)
        return (dead, refused) | "Rejected" >> beam.Flatten()

    def _failed(self, rows: PCollection[Any], destination: str) -> PCollection[Any] | None:
        """Appends; (row, why) of those that BigQuery refused, None where it doesn't say."""
        if self.method == WriteToBigQuery.Method.STORAGE_WRITE_API:
            return rows | "Append" >> StorageWrite(destination, self.table)
        written = rows | "Append" >> WriteToBigQuery(
            destination,
            method=self.method,
            create_disposition=BigQueryDisposition.CREATE_NEVER,
            write_disposition=BigQueryDisposition.WRITE_APPEND,
            insert_retry_strategy=RetryStrategy.RETRY_ON_TRANSIENT_ERROR,
            max_insert_payload_size=INSERT_BYTES,
        )
        if self.method == WriteToBigQuery.Method.FILE_LOADS:
            return None
        return written.failed_rows_with_errors | "RowAndErrors" >> beam.Map(_row_and_errors)
