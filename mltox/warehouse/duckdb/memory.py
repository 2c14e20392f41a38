"""How much memory DuckDB takes, and how it hands back what it keeps between statements."""

from __future__ import annotations

from contextlib import suppress

import duckdb

MEMORY_LIMIT = "256MB"
UNREACHABLE = "1KB"


def drop_cache(connection: duckdb.DuckDBPyConnection) -> None:
    """Frees the blocks of the file that are kept in memory, and the notes on buffers that are gone.

    DuckDB does either only when it is short of memory. Until then the cache of a table that grows
    grows with it, up to the limit, and every join leaves about 3 kB of notes, some 40 MB before
    DuckDB looks through them (`duckdb_eviction_queues()`). No statement asks for it; a limit that
    can't be reached makes DuckDB let go of all it can before it refuses. Where next to nothing is
    in use it can be reached, and some notes stay for the next time.

    Nothing else of this process may use the file meanwhile: it could meet that limit.
    """
    with suppress(duckdb.Error):  # that there is no room for a temporary file included
        connection.execute(f"SET memory_limit = '{UNREACHABLE}'")
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
