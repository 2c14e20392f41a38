"""A warehouse in one DuckDB file.

DuckDB gives a file to one process at a time, readers included (a second gets WarehouseBusy). Within
a process all warehouses of one path share one connection, so that several DoFns can write to it.

The tables have no primary keys: rows come in through `duckdb_upsert` alone, which keeps keys unique
by itself, runs as fast without an index, and leaves two fifths off the file
(benchmarks/warehouse.py).
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from mltox.warehouse.base import Warehouse, WarehouseBroken, WarehouseBusy, WarehouseError
from mltox.warehouse.ddl import duckdb_table
from mltox.warehouse.duckdb.forget import empty, prune_tombstones
from mltox.warehouse.duckdb.memory import MEMORY_LIMIT, drop_cache
from mltox.warehouse.duckdb.registered import registered
from mltox.warehouse.duckdb.upsert import upsert
from mltox.warehouse.forgetting import (
    TOMBSTONES,
    Forgotten,
    expired_before,
    named_posts,
    tombstones,
    without,
)
from mltox.warehouse.rows import RowError, to_arrow
from mltox.warehouse.schema import TABLES, Table
from mltox.warehouse.views import VIEWS, duckdb_view

THREADS = 2
ASKED = "asked_keys"


@dataclass(eq=False)
class _Shared:
    connection: duckdb.DuckDBPyConnection
    lock: threading.RLock = field(default_factory=threading.RLock)
    holders: int = 0
    transaction_is_open: bool = False
    readers: list[_Shared] = field(default_factory=list)


_open_files: dict[Path, _Shared] = {}
_open_files_lock = threading.Lock()


def _one_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


_NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")
_NO_RIGHT = ("Permission denied", "Read-only file system")


def explained_error(path: Path, error: duckdb.Error) -> WarehouseError:
    """What a DuckDB error means to a person. DuckDB tells its errors apart in words only."""
    text = _one_line(error)
    if "Could not set lock" in text:
        return WarehouseBusy(
            f"{path} is in use by another mltox run; wait for it or give another --warehouse"
        )
    if "database has been invalidated" in text:
        return WarehouseBroken(
            f"{path} is closed to this run, for DuckDB could not write it; make room, then start"
            " the run again"
        )
    if "not a valid DuckDB database" in text:
        return WarehouseError(f"{path} is not a DuckDB file; give another --warehouse")
    if "Is a directory" in text:
        return WarehouseError(f"{path} is a folder; give a file")
    for reason in _NO_ROOM:
        if reason in text:
            return WarehouseError(f"{path} can't grow: {reason.lower()}")
    for reason in _NO_RIGHT:
        if reason in text:
            return WarehouseError(f"{path} can't be written: {reason.lower()}")
    return WarehouseError(f"{path}: {text}")


def _check_kind(path: Path) -> None:
    """Raises WarehouseError for a file of another kind: DuckDB would open a CSV as a view in
    memory, and all that is written would be gone at the end."""
    try:
        if not path.is_file():
            return
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return  # DuckDB says what is wrong
    if start and start[8:12] != b"DUCK":
        raise WarehouseError(f"{path} is not a DuckDB file; give another --warehouse")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    _check_kind(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(
            str(path),
            config={
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
                "temp_directory": f"{path}.tmp",
                "preserve_insertion_order": False,
                # Never a download behind a query, never a Python variable for a table.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            },
        )
    except duckdb.Error as error:
        raise explained_error(path, error) from error
    except OSError as error:
        reason = error.strerror or errno.errorcode.get(error.errno or 0, "unknown error")
        raise WarehouseError(f"{path} can't be made: {reason}") from error
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _acquire(path: Path) -> _Shared:
    with _open_files_lock:
        shared = _open_files.get(path)
        if shared is None:
            shared = _open_files[path] = _Shared(_connect(path))
        shared.holders += 1
        return shared


def _release(path: Path) -> None:
    with _open_files_lock:
        shared = _open_files[path]
        shared.holders -= 1
        if shared.holders == 0:
            del _open_files[path]
            with shared.lock:
                shared.connection.close()


class DuckDBWarehouse(Warehouse):
    """The warehouse in the file `path`, which `create` makes where it doesn't exist."""

    _reads_beside: _Shared | None = None

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.uri = str(path)
        self._shared = _acquire(self.path) if self.path.exists() else None

    def _opened(self) -> _Shared:
        if self._shared is None:
            reason = "no run has made one yet (mltox backfill does)"
            raise WarehouseError(f"there is no warehouse at {self.path}: {reason}")
        return self._shared

    @contextmanager
    def _connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        shared = self._opened()
        with shared.lock:
            try:
                yield shared.connection
            except duckdb.Error as error:
                raise explained_error(self.path, error) from error

    def create(self) -> None:
        if self._shared is None:
            self._shared = _acquire(self.path)
        with self._connection() as connection:
            connection.begin()
            try:
                for table in TABLES.values():
                    connection.execute(duckdb_table(table))
                    self._check_columns(connection, table)
                for view in VIEWS:
                    connection.execute(duckdb_view(view))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def _check_columns(self, connection: duckdb.DuckDBPyConnection, table: Table) -> None:
        rows = connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [table.name]
        ).fetchall()
        missing = sorted(set(table.names) - {name for (name,) in rows})
        if missing:
            raise WarehouseError(
                f"{self.path}: table {table.name} has no column {', '.join(missing)}:"
                " the file is of an older mltox; give another --warehouse"
            )

    def upsert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        definition = TABLES[table]
        if not rows:
            return 0
        try:
            data = to_arrow(definition, rows)
        except RowError as error:
            raise WarehouseError(str(error)) from error
        gone = self._forgotten_among(named_posts(table, rows))
        if gone:
            data = to_arrow(definition, [without(table, row, gone) for row in rows])
        with self._in_a_transaction() as connection:
            return upsert(connection, definition, data)

    def _forgotten_among(self, post_ids: Collection[str]) -> set[str]:
        if not post_ids:
            return set()
        keys = [(post_id,) for post_id in post_ids]
        return {post_id for (post_id,) in self.stored_keys(TOMBSTONES, keys)}

    def forget(self, post_ids: Iterable[str]) -> Forgotten:
        """In one transaction. DuckDB leaves the old bytes in the file's free blocks until it writes
        others there."""
        now = datetime.now(UTC)
        rows = tombstones(post_ids, int(now.timestamp() * 1_000_000))
        with self.transaction():
            self.execute(duckdb_table(TABLES[TOMBSTONES]))  # a file of an older mltox has none
            self.upsert(TOMBSTONES, rows)
            with self._connection() as connection:
                forgotten = empty(connection, [row.post_id for row in rows])
                prune_tombstones(connection, expired_before(now))
        return forgotten

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that this process writes to the file meanwhile comes into it together, or not at
        all. Other connections see what was committed before."""
        with self._connection() as connection:
            connection.begin()
            self._opened().transaction_is_open = True
        try:
            yield
        except BaseException:
            with self._ending_transaction() as connection:
                connection.rollback()
            raise
        with self._ending_transaction() as connection:
            connection.commit()

    @contextmanager
    def _ending_transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._connection() as connection:
            self._opened().transaction_is_open = False
            yield connection

    @contextmanager
    def _in_a_transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The one that is open, or one of its own."""
        with self._connection() as connection:
            own = nullcontext() if self._opened().transaction_is_open else self.transaction()
            with own:
                yield connection

    def committed(self) -> DuckDBWarehouse:
        """The same file for reading, without what an open transaction of this process wrote."""
        with self._connection() as connection:
            reader = DuckDBWarehouse.__new__(DuckDBWarehouse)
            reader.path, reader.uri = self.path, self.uri
            reader._shared = _Shared(connection.cursor())
            reader._reads_beside = self._opened()
            reader._reads_beside.readers.append(reader._shared)
            return reader

    def drop_cache(self) -> None:
        """Hands memory back between two transactions; puts it off where somebody reads."""
        with ExitStack() as held, self._connection() as connection:
            for reader in tuple(self._opened().readers):
                if not reader.lock.acquire(blocking=False):
                    return
                held.callback(reader.lock.release)
            drop_cache(connection)

    def stored_keys(self, table: str, keys: Collection[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
        """Those of `keys` (values of the table's key columns, strings) that are in the table."""
        columns = TABLES[table].key
        asked = pa.table(
            [pa.array(values, pa.string()) for values in zip(*keys, strict=True)],
            names=list(columns),
        )
        names = ", ".join(columns)
        sql = f'SELECT {names} FROM {ASKED} SEMI JOIN "{table}" USING ({names})'  # noqa: S608 - names of ours
        with self._connection() as connection, registered(connection, ASKED, asked):
            return set(connection.execute(sql).fetchall())

    def execute(self, sql: str, params: Sequence[Any] = ()) -> None:
        """A statement on a table that this kind of warehouse alone has; part of `transaction`."""
        with self._connection() as connection:
            connection.execute(sql, list(params))

    def query(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        with self._connection() as connection:
            return connection.sql(sql, params=list(params)).to_arrow_table()

    def relation(self, name: str) -> str:
        return f'"{name}"'

    def one_of(self, column: str) -> str:
        return f"{column} IN (SELECT unnest(?))"

    def close(self) -> None:
        if self._shared is not None:
            if self._reads_beside is not None:
                with self._shared.lock:
                    self._reads_beside.readers.remove(self._shared)
                    self._shared.connection.close()
            else:
                _release(self.path)
            self._shared = None
