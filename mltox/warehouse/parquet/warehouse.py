"""A warehouse in a folder of Parquet files, on this machine or in a store that a cluster shares.

Every write is a file of its own, so that any number of workers may write at once. A row that is
there already is not written again; of revisions that two workers wrote the views take the last, and
`compact` leaves one. DuckDB reads, in memory: nothing has to run, and no file is locked.
"""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from mltox.base.clock import now_micros
from mltox.base.errors import first_line
from mltox.posts.records import Micros
from mltox.warehouse.base import Warehouse, WarehouseError
from mltox.warehouse.duckdb.registered import registered
from mltox.warehouse.forgetting import (
    EMPTIED,
    EXAMPLES,
    TOMBSTONES,
    Forgotten,
    named_posts,
    tombstones,
    without,
)
from mltox.warehouse.parquet import statements as sql
from mltox.warehouse.parquet.files import PART, WHOLE, File, Files
from mltox.warehouse.parquet.layout import WRITTEN_AT, days_between, is_by_day, partitioner
from mltox.warehouse.rows import RowError, from_arrow, to_arrow
from mltox.warehouse.schema import TABLES, Table
from mltox.warehouse.views import VIEWS, duckdb_view

MEMORY_LIMIT = "512MB"
THREADS = 2
MANY_FILES = 8
"""Files of one partition from which `compact_where_scattered` makes one of them."""


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": f"{tempfile.gettempdir()}/mltox-parquet-{os.getpid()}",
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


class ParquetWarehouse(Warehouse):
    """The warehouse in `folder`, which `create` makes where it doesn't exist."""

    def __init__(self, folder: str, days: frozenset[str] | None = None) -> None:
        self.uri = f"parquet://{folder}"
        self._files = Files(folder)
        self._days = days
        self._seen: dict[str, list[File]] = {}
        self._connection: duckdb.DuckDBPyConnection | None = None

    def during(self, start: Micros, end: Micros) -> ParquetWarehouse:
        return ParquetWarehouse(self._files.folder, frozenset(days_between(start, end)))

    def create(self) -> None:
        self._files.make()

    def upsert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        definition = TABLES[table]
        gone = self._forgotten_among(named_posts(table, rows)) if rows else set()
        partitions: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        partition_of = partitioner(table)
        for row in rows:
            partitions[partition_of(row)].append(without(table, row, gone) if gone else row)
        files = self._by_partition(table) if rows else {}
        return sum(
            self._upsert(definition, partition, of, files.get(partition, ()))
            for partition, of in sorted(partitions.items())
        )

    def _upsert(
        self, table: Table, partition: str, rows: list[tuple[Any, ...]], files: Sequence[File]
    ) -> int:
        try:
            data = to_arrow(table, rows)
        except RowError as error:
            raise WarehouseError(str(error)) from error
        positions = pa.array(range(len(rows)), pa.int64())
        incoming = data.append_column(sql.POSITION, positions)
        with (
            self._reading(table, files),
            self._errors() as connection,
            registered(connection, sql.INCOMING, incoming),
        ):
            changed = connection.sql(sql.changed_rows(table)).to_arrow_table()
        if len(changed):
            self._write(table, partition, changed)
        return len(changed)

    def _write(self, table: Table, partition: str, rows: pa.Table, kind: str = "") -> File:
        data = rows.select(list(table.names)).cast(to_arrow(table, ()).schema)
        stamps = (
            rows.column(WRITTEN_AT)
            if WRITTEN_AT in rows.column_names
            else pa.array([now_micros()] * len(rows), pa.int64())
        )
        return self._files.write(
            table.name, partition, data.append_column(WRITTEN_AT, stamps), kind
        )

    def _forgotten_among(self, post_ids: set[str]) -> set[str]:
        if not post_ids or not self._by_partition(TOMBSTONES):
            return set()
        found = self.query(
            f"SELECT post_id FROM {TOMBSTONES} WHERE {self.one_of('post_id')}",  # noqa: S608 - ours
            [sorted(post_ids)],
        )
        return set(found.column("post_id").to_pylist())

    def forget(self, post_ids: Iterable[str]) -> Forgotten:
        """Writes anew each partition that holds one of the posts; nothing of them stays on disk."""
        now = datetime.now(UTC)
        stones = tombstones(post_ids, int(now.timestamp() * 1_000_000))
        self.upsert(TOMBSTONES, stones)
        gone = {stone.post_id for stone in stones}
        changed = {table: self._empty(TABLES[table], gone) for table in (*EMPTIED, "anomalies")}
        return Forgotten(changed["scored_posts"], changed["dead_letters"], changed["anomalies"])

    def _empty(self, table: Table, gone: set[str]) -> int:
        changed = 0
        names = EXAMPLES if EXAMPLES in table.names else "post_id"
        about = f"list_has_any({names}, $gone)" if names == EXAMPLES else f"{names} IN $gone"
        for partition, files in self._by_partition(table.name).items():
            with self._reading(table, files), self._errors() as connection:
                found = connection.execute(
                    f'SELECT 1 FROM "{sql.STORED}" WHERE {about} LIMIT 1',  # noqa: S608 - ours
                    {"gone": sorted(gone)},
                ).fetchall()
                if not found:
                    continue
                rows = connection.sql(sql.last_rows(table, sql.STORED)).to_arrow_table()
            records = from_arrow(table, rows)
            emptied = [without(table.name, record, gone) for record in records]
            different = sum(a != tuple(b) for a, b in zip(emptied, records, strict=True))
            if different:
                data = to_arrow(table, emptied)
                self._write(table, partition, data.append_column(WRITTEN_AT, rows[WRITTEN_AT]))
                self._files.remove(files)
                changed += different
        return changed

    def compact(self) -> int:
        """Leaves one file a partition, with the last revision of each key. Returns how many files
        there are less.

        What is written meanwhile stays beside it. One process at a time.
        """
        return sum(self._compact(table) for table in TABLES.values())

    def compact_where_scattered(self) -> int:
        """Compacts the tables of which a partition has many files; returns how many files there
        are less."""
        scattered = [
            table
            for table in TABLES.values()
            if any(len(files) >= MANY_FILES for files in self._by_partition(table.name).values())
        ]
        return sum(map(self._compact, scattered))

    def _compact(self, table: Table) -> int:
        partitions = self._by_partition(table.name)
        if self._is_whole([file for files in partitions.values() for file in files]):
            return 0
        kind = f"{WHOLE}-{now_micros():x}"
        by_key = is_by_day(table) and table.partition not in table.key
        day = f"strftime({table.partition}, 'day=%Y-%m-%d')"
        if by_key:
            self.query("SELECT 1")  # names the files as they are now
            with self._errors() as connection:
                connection.execute(
                    f"CREATE OR REPLACE TEMP TABLE moved AS {sql.moved_rows(table, day)}"
                )
        order = ", ".join(dict.fromkeys((*table.cluster, *table.key)))
        keys = ", ".join(table.key)
        less = 0
        for partition, files in partitions.items():
            elsewhere = f"WHERE stays != '{partition}'"
            stale = f" ANTI JOIN (FROM moved {elsewhere}) USING ({keys})" if by_key else ""
            with self._reading(table, files), self._errors() as connection:
                rows = connection.sql(
                    f"SELECT * FROM ({sql.last_rows(table, sql.STORED)}){stale}"  # noqa: S608
                    f" ORDER BY {order}"
                ).to_arrow_table()
            self._write(table, partition, rows, kind)
            self._files.remove(files)
            less += len(files) - 1
        return less

    @staticmethod
    def _is_whole(files: Sequence[File]) -> bool:
        """Whether one compaction wrote them all, so that no key is there twice."""
        return len({(file.kind, file.compaction) for file in files}) <= 1 and not any(
            file.kind == PART for file in files
        )

    def query(self, sql_text: str, params: Sequence[Any] = ()) -> pa.Table:
        if not self._files.is_there():
            reason = "no run has made one yet (mltox backfill does)"
            raise WarehouseError(f"there is no warehouse at {self.uri}: {reason}")
        self._name_files()
        with self._errors() as connection:
            return connection.sql(sql_text, params=list(params)).to_arrow_table()

    def _name_files(self) -> None:
        """Makes the tables what their files are now."""
        found: dict[str, list[File]] = {table: [] for table in TABLES}
        for file in self._files.of(TABLES):
            if (
                self._days is None
                or not file.partition.startswith("day=")
                or file.partition in self._days
            ):
                found[file.table].append(file)
        if found == self._seen:
            return
        is_first = not self._seen
        with self._errors() as connection:
            for name, files in found.items():
                if self._seen.get(name) == files:
                    continue
                table = TABLES[name]
                connection.execute(f'DROP VIEW IF EXISTS "{sql.raw(name)}"')
                if files:
                    connection.register(sql.raw(name), self._dataset(files))
                else:
                    connection.execute(f'CREATE VIEW "{sql.raw(name)}" AS {sql.no_rows(table)}')
                last = sql.last_rows(table, sql.raw(name), unique=self._is_whole(files))
                names = ", ".join(table.names)
                connection.execute(
                    f'CREATE OR REPLACE VIEW "{name}" AS SELECT {names} FROM ({last})'  # noqa: S608
                )
            if is_first:
                for view in VIEWS:
                    connection.execute(duckdb_view(view))
        self._seen = found

    def _dataset(self, files: Sequence[File]) -> ds.Dataset:
        paths = [self._files.address(file) for file in files]
        return ds.dataset(paths, filesystem=self._files.filesystem, format="parquet")

    @contextmanager
    def _reading(self, table: Table, files: Sequence[File]) -> Iterator[None]:
        """Names what these files hold STORED."""
        with self._errors() as connection:
            connection.execute(f'DROP VIEW IF EXISTS "{sql.STORED}"')
            if files:
                connection.register(sql.STORED, self._dataset(files))
            else:
                connection.execute(f'CREATE VIEW "{sql.STORED}" AS {sql.no_rows(table)}')
        yield

    def _by_partition(self, table: str) -> dict[str, list[File]]:
        found: dict[str, list[File]] = defaultdict(list)
        for file in self._files.of([table]):
            found[file.partition].append(file)
        return found

    @contextmanager
    def _errors(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._connection is None:
            self._connection = _connect()
        try:
            yield self._connection
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            if isinstance(error, WarehouseError):
                raise
            raise WarehouseError(f"{self.uri}: {first_line(error)}") from error

    def relation(self, name: str) -> str:
        return f'"{name}"'

    def one_of(self, column: str) -> str:
        return f"{column} IN (SELECT unnest(?))"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._seen = {}
