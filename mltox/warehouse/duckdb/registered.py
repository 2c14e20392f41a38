"""Arrow data as a table that DuckDB's SQL can name, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb
import pyarrow as pa


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, data: pa.Table) -> Iterator[None]:
    """Raises what the statements raise: a transaction in which one failed refuses even to let go
    of the name, and would say only that."""
    connection.register(name, data)
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):
            connection.unregister(name)
        raise
    connection.unregister(name)
