"""A folder of Parquet files keeps what DuckDB keeps: one row a key, the last revision."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltox.posts.records import DAY, HOUR, SECOND
from mltox.warehouse import Warehouse, WarehouseError, open_for_reading, open_warehouse
from mltox.warehouse.parquet.layout import days_between, partitioner
from mltox.warehouse.parquet.warehouse import ParquetWarehouse
from mltox.warehouse.schema import TABLES
from mltox.warehouse.views import VIEWS
from tests.mltox.warehouse.examples import (
    MONDAY,
    anomaly,
    dead_letter,
    hourly,
    scored_post,
    text_score,
)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[ParquetWarehouse]:
    with open_warehouse(f"parquet://{tmp_path}/lake") as warehouse:
        assert isinstance(warehouse, ParquetWarehouse)
        warehouse.create()
        yield warehouse


def rows_in(warehouse: Warehouse, table: str) -> list[dict[str, Any]]:
    rows = warehouse.query(f"SELECT * FROM {table}").to_pylist()  # noqa: S608
    return sorted(rows, key=str)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.parquet"))


def test_days_and_hashes_are_folders(lake: ParquetWarehouse, tmp_path: Path) -> None:
    posts = [scored_post(post_id=f"x:{n}", created_at=MONDAY + n * DAY) for n in range(3)]
    lake.upsert("scored_posts", posts)
    lake.upsert("text_scores", [text_score(text_sha256="ab"), text_score(text_sha256="0c")])
    lake.upsert("dead_letters", [dead_letter()])
    folders = {file.rpartition("/")[0] for file in files_in(tmp_path / "lake")}
    assert folders == {
        *(f"scored_posts/day=2016-01-0{day}" for day in (4, 5, 6)),
        "text_scores/hash=a",
        "text_scores/hash=0",
        "dead_letters/all",
    }


@pytest.mark.parametrize(
    ("moment", "day"), [(0, "1970-01-01"), (DAY - 1, "1970-01-01"), (-1, "1969-12-31")]
)
def test_a_day_is_utc(moment: int, day: str) -> None:
    assert partitioner("scored_posts")(scored_post(created_at=moment)) == f"day={day}"


def test_a_stretch_ends_before_its_end() -> None:
    assert days_between(MONDAY, MONDAY + DAY) == {"day=2016-01-04"}
    assert days_between(MONDAY, MONDAY + DAY + 1) == {"day=2016-01-04", "day=2016-01-05"}


def test_the_same_rows_again_are_no_files(lake: ParquetWarehouse, tmp_path: Path) -> None:
    posts = [scored_post(post_id=f"x:{n}", created_at=MONDAY + n * HOUR) for n in range(30)]
    later = [post._replace(ingested_at=post.ingested_at + DAY, scored_at=1) for post in posts]
    assert lake.upsert("scored_posts", posts) == 30
    before = files_in(tmp_path / "lake")
    assert lake.upsert("scored_posts", later) == 0, "only volatile columns differ"
    assert files_in(tmp_path / "lake") == before


def test_writers_at_once_leave_one_row_a_key(lake: ParquetWarehouse) -> None:
    rows = [hourly(hour=MONDAY + n * HOUR) for n in range(20)]

    def write(number: int) -> None:
        with open_warehouse(lake.uri) as own:
            own.upsert("hourly_toxicity", [row._replace(updated_at=number) for row in rows])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert len(rows_in(lake, "hourly_toxicity")) == 20
    lake.compact()
    assert len(rows_in(lake, "hourly_toxicity")) == 20


def test_compaction_leaves_a_file_a_day_and_the_same_rows(
    lake: ParquetWarehouse, tmp_path: Path
) -> None:
    for toxicity in (0.1, 0.2, 0.3):
        posts = [
            scored_post(post_id=f"x:{n}", created_at=MONDAY + n * HOUR, toxicity=toxicity)
            for n in range(40)
        ]
        lake.upsert("scored_posts", posts)
    before = rows_in(lake, "scored_posts")
    assert lake.compact() == 4
    assert len(files_in(tmp_path / "lake")) == 2
    assert rows_in(lake, "scored_posts") == before
    assert {row["toxicity"] for row in before} == {0.3}
    assert lake.compact() == 0


def test_a_post_that_changed_its_day_is_one_post(lake: ParquetWarehouse) -> None:
    post = scored_post()
    moved = post._replace(created_at=MONDAY + 3 * DAY, ingested_at=post.ingested_at + SECOND)
    lake.upsert("scored_posts", [post, scored_post(post_id="x:2")])
    lake.upsert("scored_posts", [moved])
    days = {row["post_id"]: row["created_at"].day for row in rows_in(lake, "scored_posts")}
    assert days == {"x:1": 7, "x:2": 4}
    lake.compact()
    assert {r["post_id"]: r["created_at"].day for r in rows_in(lake, "scored_posts")} == days
    with lake.during(MONDAY, MONDAY + DAY) as monday:
        assert [row["post_id"] for row in rows_in(monday, "scored_posts")] == ["x:2"]


def test_a_stretch_reads_its_days_alone(lake: ParquetWarehouse) -> None:
    posts = [scored_post(post_id=f"x:{n}", created_at=MONDAY + n * DAY) for n in range(5)]
    lake.upsert("scored_posts", posts)
    lake.upsert("text_scores", [text_score()])
    with lake.during(MONDAY + DAY, MONDAY + 3 * DAY) as stretch:
        assert [row["post_id"] for row in rows_in(stretch, "scored_posts")] == ["x:1", "x:2"]
        assert len(rows_in(stretch, "text_scores")) == 1


def test_what_a_killed_writer_left_is_not_read(lake: ParquetWarehouse, tmp_path: Path) -> None:
    lake.upsert("scored_posts", [scored_post()])
    (file,) = (tmp_path / "lake").rglob("*.parquet")
    file.with_name(f".{file.name}").write_bytes(b"PAR1 half a file")
    assert len(rows_in(lake, "scored_posts")) == 1


def test_a_forgotten_post_leaves_the_disk(lake: ParquetWarehouse, tmp_path: Path) -> None:
    secret = "words that nobody else wrote"
    lake.upsert("scored_posts", [scored_post(text=secret), scored_post(post_id="x:2")])
    lake.upsert("anomalies", [anomaly(example_post_ids=("x:1", "x:2"))])
    lake.upsert("dead_letters", [dead_letter(post_id="x:1", payload=secret)])
    assert lake.forget(["x:1"])[:3] == (1, 1, 1)
    assert [row["text"] for row in rows_in(lake, "scored_posts")].count(None) == 1
    assert rows_in(lake, "anomalies")[0]["example_post_ids"] == ["x:2"]
    assert rows_in(lake, "dead_letters")[0]["payload"] == "[forgotten]"
    lake.upsert("scored_posts", [scored_post(text=secret, toxicity=0.9, ingested_at=10**16)])
    held = b"".join(path.read_bytes() for path in (tmp_path / "lake").rglob("*.parquet"))
    assert secret.encode() not in held
    assert lake.forget(["x:1"])[:3] == (0, 0, 0)


def test_every_view_can_be_read_with_and_without_rows(lake: ParquetWarehouse) -> None:
    for view in VIEWS:
        assert lake.query(f"SELECT * FROM {lake.relation(view)}").num_rows == 0  # noqa: S608
    lake.upsert("hourly_toxicity", [hourly()])
    assert lake.query("SELECT * FROM topic_summary").num_rows == 1


def test_a_folder_that_is_no_warehouse_is_told(tmp_path: Path) -> None:
    with (
        open_for_reading(f"parquet://{tmp_path}/none") as none,
        pytest.raises(WarehouseError, match="no warehouse at parquet://"),
    ):
        none.query("SELECT 1")
    assert not (tmp_path / "none").exists()
    (tmp_path / "file").write_text("x")
    with (
        open_warehouse(f"parquet://{tmp_path}/file") as warehouse,
        pytest.raises(WarehouseError, match=r"parquet://.*file"),
    ):
        warehouse.create()


CHANGES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(0, 3), st.integers(0, 2)),
        min_size=1,
        max_size=8,
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES)
def test_any_writes_give_the_tables_of_duckdb(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int, int, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("w")
    with (
        open_warehouse(f"parquet://{folder}/lake") as lake,
        open_warehouse(f"{folder}/w.duckdb") as duck,
    ):
        assert isinstance(lake, ParquetWarehouse)
        for warehouse in (lake, duck):
            warehouse.create()
        for clock, batch in enumerate(batches):
            rows = [
                hourly(
                    hour=MONDAY + hour * 6 * HOUR,
                    model=f"m@{model}",
                    posts=posts,
                    updated_at=MONDAY + (clock + late) * SECOND,
                )
                for hour, model, posts, late in batch
            ]
            assert lake.upsert("hourly_toxicity", rows) == duck.upsert("hourly_toxicity", rows)
        names = ", ".join(TABLES["hourly_toxicity"].names)
        sql = f"SELECT {names} FROM hourly_toxicity ORDER BY ALL"  # noqa: S608
        assert lake.query(sql).to_pylist() == duck.query(sql).to_pylist()
        lake.compact()
        assert lake.query(sql).to_pylist() == duck.query(sql).to_pylist()
