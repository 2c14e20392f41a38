from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.mltox.warehouse.examples import scored_post

POSTS = 20_000
NOTES = 500
"""At least so many buffers does `read` leave in DuckDB's memory of buffers that are gone."""


def read(warehouse: DuckDBWarehouse) -> None:
    for _ in range(300):
        warehouse.stored_keys("scored_posts", [("politics", "x:1"), ("politics", "x:-1")])


@pytest.fixture
def used(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(tmp_path / "posts.duckdb") as warehouse:
        warehouse.create()
        warehouse.upsert("scored_posts", [scored_post(post_id=f"x:{n}") for n in range(POSTS)])
        warehouse.execute("CHECKPOINT")
        read(warehouse)
        yield warehouse


def cached(warehouse: DuckDBWarehouse) -> int:
    """Bytes of the file in memory."""
    rows = warehouse.query(
        "SELECT memory_usage_bytes AS bytes FROM duckdb_memory() WHERE tag = 'BASE_TABLE'"
    )
    return int(rows["bytes"][0].as_py())


def notes(warehouse: DuckDBWarehouse) -> int:
    """Buffers that DuckDB remembers, most of them gone."""
    rows = warehouse.query(
        "SELECT sum(approximate_size)::BIGINT AS n FROM duckdb_eviction_queues()"
    )
    return int(rows["n"][0].as_py())


def limit(warehouse: DuckDBWarehouse) -> str:
    return str(warehouse.query("SELECT current_setting('memory_limit') AS it")["it"][0].as_py())


def test_memory_that_statements_left_behind_is_handed_back(used: DuckDBWarehouse) -> None:
    before, limit_before = cached(used), limit(used)
    assert before > 200_000 and notes(used) > NOTES
    for _ in range(20):  # the notes go where DuckDB refuses the limit, which it mostly does
        used.drop_cache()
        assert cached(used) < before / 4
        if notes(used) < NOTES / 10:
            break
        read(used)
    else:
        pytest.fail(f"{notes(used)} buffers are remembered still")
    assert limit(used) == limit_before
    used.upsert("scored_posts", [scored_post(post_id="x:1", text="edited")])
    assert used.query("SELECT count(*) AS n FROM scored_posts")["n"][0].as_py() == POSTS


def test_an_empty_warehouse_has_its_limit_after_it(tmp_path: Path) -> None:
    with DuckDBWarehouse(tmp_path / "empty.duckdb") as warehouse:
        warehouse.create()
        before = limit(warehouse)
        warehouse.drop_cache()
        assert limit(warehouse) == before


def test_a_snapshot_outlives_it(used: DuckDBWarehouse) -> None:
    with used.committed() as reader, reader.transaction():
        assert reader.stored_keys("scored_posts", [("politics", "x:new")]) == set()
        used.upsert("scored_posts", [scored_post(post_id="x:new")])
        used.drop_cache()
        assert reader.stored_keys("scored_posts", [("politics", "x:new")]) == set()


def test_where_somebody_reads_it_is_put_off(used: DuckDBWarehouse) -> None:
    reading, done = threading.Event(), threading.Event()

    def hold() -> None:
        with used.committed() as reader, reader._connection():
            reading.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    reading.wait(30)
    before = cached(used)
    used.drop_cache()
    assert cached(used) == before
    done.set()
    thread.join()
    used.drop_cache()
    assert cached(used) < before / 4


def test_readers_never_meet_the_limit_that_frees_memory(used: DuckDBWarehouse) -> None:
    stop = threading.Event()
    failures: list[Exception] = []

    def look() -> None:
        try:
            with used.committed() as reader:
                while not stop.is_set():
                    reader.query("SELECT topic, count(*), max(text) FROM scored_posts GROUP BY ALL")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        used.drop_cache()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


WITHOUT_ROOM = """
import resource, sys
from pathlib import Path
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.mltox.warehouse.examples import scored_post
with DuckDBWarehouse(Path(sys.argv[1])) as warehouse:
    warehouse.create()
    warehouse.upsert("scored_posts", [scored_post(post_id=f"x:{n}") for n in range(20_000)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, resource.RLIM_INFINITY))
    for _ in range(3):
        warehouse.drop_cache()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    warehouse.upsert("scored_posts", [scored_post(post_id="x:new")])
    print(len(warehouse.query("SELECT post_id FROM scored_posts")))
"""


def test_without_room_for_a_temporary_file_it_does_no_harm(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_ROOM, str(tmp_path / "posts.duckdb")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "20001\n", done.stderr
