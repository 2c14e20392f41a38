"""A warehouse in a BigQuery dataset, through google-cloud-bigquery.

BigQuery receives appends: `upsert` streams rows in, and the views read the last revision of each
key. With BIGQUERY_EMULATOR_HOST set the client talks to that host, without credentials.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa
import requests
from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound, RetryError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from mltox.google.errors import no_credentials, one_line
from mltox.warehouse.base import Warehouse, WarehouseError
from mltox.warehouse.bigquery import forget as forgetting
from mltox.warehouse.ddl import bigquery_table
from mltox.warehouse.forgetting import TOMBSTONES, Forgotten, expired_before, tombstones
from mltox.warehouse.location import BigQueryDataset
from mltox.warehouse.rows import RowError, to_json_row
from mltox.warehouse.schema import TABLES, Table
from mltox.warehouse.views import VIEWS, bigquery_view

REQUEST_ROWS = 500
REQUEST_BYTES = 5_000_000
"""insertAll takes at most 10 MB and recommends 500 rows."""
RETRY = DEFAULT_RETRY.with_timeout(60)

_PARAMETER_TYPES: Mapping[type, str] = {
    str: "STRING",
    bool: "BOOL",
    int: "INT64",
    float: "FLOAT64",
    datetime: "TIMESTAMP",
    date: "DATE",
}


def query_parameter(value: Any) -> bigquery.ScalarQueryParameter | bigquery.ArrayQueryParameter:
    """What a `?` stands for; a list is one of strings."""
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(None, "STRING", value)
    return bigquery.ScalarQueryParameter(None, _PARAMETER_TYPES[type(value)], value)


def insert_id(row: Mapping[str, Any]) -> str:
    """Same row, same id: BigQuery drops a repeat within about a minute, as of a retried request.

    The whole row counts, stamps too: an anomaly that is resolved and opens again within a minute
    says the same as before and is still a new revision.
    """
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()


def insert_requests(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Rows in lists that each fit into one insertAll request."""
    batch: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        row_size = len(json.dumps(row))
        if batch and (len(batch) >= REQUEST_ROWS or size + row_size > REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row_size
    if batch:
        yield batch


def connect(project: str) -> bigquery.Client:
    """A client that uses the machine's credentials. Raises GoogleAuthError where there are none."""
    emulated = "BIGQUERY_EMULATOR_HOST" in os.environ
    credentials = AnonymousCredentials() if emulated else None
    return bigquery.Client(project=project, credentials=credentials)


class BigQueryWarehouse(Warehouse):
    """The warehouse in a dataset, which `create` makes where it doesn't exist."""

    def __init__(self, dataset: BigQueryDataset) -> None:
        self._dataset = dataset
        self.uri = f"bq://{dataset}"

    @cached_property
    def _client(self) -> bigquery.Client:
        return connect(self._dataset.project)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except GoogleAuthError as error:
            raise WarehouseError(f"{self.uri}: {no_credentials(error)}") from error
        except GoogleAPICallError as error:
            raise WarehouseError(f"{self.uri}: {one_line(error)}") from error
        except (RetryError, requests.RequestException) as error:
            raise WarehouseError(f"{self.uri} can't be reached: {one_line(error)}") from error

    def _run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        config = bigquery.QueryJobConfig(
            default_dataset=str(self._dataset), query_parameters=list(map(query_parameter, values))
        )
        job = self._client.query(sql, job_config=config, retry=RETRY, job_retry=RETRY)
        return job.result(retry=RETRY, job_retry=None)

    def create(self) -> None:
        dataset = str(self._dataset)
        with self._errors():
            try:
                self._client.get_dataset(dataset, retry=RETRY)
            except NotFound:
                self._client.create_dataset(dataset, exists_ok=True, retry=RETRY)
            # Two scripts and not 23 jobs, each of which would wait for its turn.
            self._run(";\n".join(bigquery_table(table, dataset) for table in TABLES.values()))
            for table in TABLES.values():
                self._check_columns(table)
            self._run(";\n".join(bigquery_view(view, dataset) for view in VIEWS))

    def _check_columns(self, table: Table) -> None:
        found = self._client.get_table(f"{self._dataset}.{table.name}", retry=RETRY)
        missing = sorted(set(table.names) - {field.name for field in found.schema})
        if missing:
            raise WarehouseError(
                f"{self.uri}: table {table.name} has no column {', '.join(missing)}:"
                " it is of an older mltox; add it or give another dataset"
            )

    def upsert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Appends `rows` and returns how many were appended; the views hide what they repeat."""
        definition = TABLES[table]
        try:
            converted = [to_json_row(definition, row) for row in rows]
        except RowError as error:
            raise WarehouseError(str(error)) from error
        with self._errors():
            for batch in insert_requests(converted):
                failures = self._client.insert_rows_json(
                    f"{self._dataset}.{table}",
                    batch,
                    row_ids=[insert_id(row) for row in batch],
                    retry=RETRY,
                )
                if failures:
                    first = failures[0]["errors"][0]
                    raise WarehouseError(
                        f"{self.uri}: {table} refused {len(failures)} of {len(batch)} rows:"
                        f" {first.get('location', '')} {first.get('message', '')}".rstrip()
                    )
        return len(converted)

    def forget(self, post_ids: Iterable[str]) -> Forgotten:
        """The tombstones come first: what goes wrong after them, the next call makes good."""
        now = datetime.now(UTC)
        stones = tombstones(post_ids, int(now.timestamp() * 1_000_000))
        asked = [stone.post_id for stone in stones]
        settled = now - forgetting.BUFFERED
        with self._errors():
            known = {row["post_id"] for row in self._run(forgetting.KNOWN_TOMBSTONES, [asked])}
            self.upsert(TOMBSTONES, [stone for stone in stones if stone.post_id not in known])
            changed: dict[str, int] = {}
            waiting: set[str] = set()
            for place, change, times in forgetting.CHANGED_PLACES:
                rows = self._run(place.finding(), [settled, settled, asked])
                found = forgetting.ToForget.of(rows)
                waiting |= found.waiting
                if found.ready:
                    sql = change + forgetting.bounds(place)
                    stamps = [found.first, found.last, settled]
                    count = self._change(sql, [*[found.ready] * times, *stamps])
                    if count is None:
                        waiting |= set(found.ready)
                    changed[place.table] = count or 0
            self._prune(expired_before(now))
        return Forgotten(
            posts=changed.get("scored_posts", 0),
            letters=changed.get("dead_letters", 0),
            anomalies=changed.get("anomalies", 0),
            waiting=frozenset(waiting),
        )

    def _change(self, sql: str, values: Sequence[Any]) -> int | None:
        """How many rows an UPDATE changed; None where one of them is in the streaming buffer, as
        rows are that came long after they were made."""
        try:
            return int(self._run(sql, values).num_dml_affected_rows)
        except BadRequest as error:
            if forgetting.IN_BUFFER in str(error):
                return None
            raise

    def _prune(self, before: datetime) -> None:
        if list(self._run(forgetting.IS_OLD, [before])):
            self._run(forgetting.HOLDING, [before])
            self._run(forgetting.DROPPING, [before])

    def query(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        with self._errors():
            rows = self._run(sql, params)
            # By REST: the Storage API is faster for millions of rows but is one more permission.
            return rows.to_arrow(create_bqstorage_client=False)

    def relation(self, name: str) -> str:
        return f"`{self._dataset}.{name}`"

    def one_of(self, column: str) -> str:
        return f"{column} IN UNNEST(?)"

    def close(self) -> None:
        if "_client" in self.__dict__:
            self._client.close()
