from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltox.posts.records import (
    HOUR,
    SECOND,
    Anomaly,
    DeadLetter,
    HourlyToxicity,
    ScoredPost,
    TextScore,
)
from mltox.warehouse import Warehouse, WarehouseBusy, WarehouseError, open_warehouse, read_records
from mltox.warehouse.duckdb import upsert as duckdb_upsert
from mltox.warehouse.duckdb import warehouse as adapter
from mltox.warehouse.schema import TABLES
from tests.mltox.warehouse.examples import (
    EXAMPLES,
    MONDAY,
    anomaly,
    dead_letter,
    hourly,
    scored_post,
    text_score,
)


def posts_in(warehouse: Warehouse) -> list[ScoredPost]:
    return read_records(warehouse, "scored_posts", ScoredPost, order_by="topic, post_id")


@pytest.mark.parametrize("name", TABLES)
def test_same_rows_again_change_nothing(duck: Warehouse, name: str) -> None:
    row = EXAMPLES[name]()
    assert duck.upsert(name, [row]) == 1
    assert duck.upsert(name, [row]) == 0
    assert duck.upsert(name, [row, row]) == 0
    assert read_records(duck, name, TABLES[name].record) == [row]


def test_no_rows(duck: Warehouse) -> None:
    assert duck.upsert("scored_posts", []) == 0


def test_volatile_columns_alone_are_no_change(duck: Warehouse) -> None:
    first = scored_post()
    duck.upsert("scored_posts", [first])
    later = first._replace(scored_at=first.scored_at + HOUR, ingested_at=first.ingested_at + HOUR)
    assert duck.upsert("scored_posts", [later]) == 0
    assert posts_in(duck) == [first]


def test_another_model_replaces_the_scores(duck: Warehouse) -> None:
    first = scored_post()
    second = first._replace(model_sha256="99", toxicity=0.7, scored_at=first.scored_at + HOUR)
    duck.upsert("scored_posts", [first])
    assert duck.upsert("scored_posts", [second]) == 1
    assert duck.upsert("scored_posts", [first]) == 0  # the older scoring comes late
    assert posts_in(duck) == [second]


@pytest.mark.parametrize("column", ["toxicity", "text", "author_key", "lang"])
def test_null_is_a_value_like_others(duck: Warehouse, column: str) -> None:
    full, empty = scored_post(), scored_post(**{column: None})
    assert duck.upsert("scored_posts", [full]) == 1
    assert duck.upsert("scored_posts", [empty]) == 1
    assert duck.upsert("scored_posts", [empty]) == 0
    assert duck.upsert("scored_posts", [full]) == 1
    assert posts_in(duck) == [full]


def test_newest_edit_of_a_post_wins_wherever_it_stands(duck: Warehouse) -> None:
    old = scored_post(text="old")
    new = scored_post(text="new", created_at=MONDAY + 1)
    assert duck.upsert("scored_posts", [new, old]) == 1
    assert posts_in(duck) == [new]
    assert duck.upsert("scored_posts", [old]) == 0
    assert posts_in(duck) == [new]


def test_only_changed_keys_count(duck: Warehouse) -> None:
    rows = [hourly(hour=MONDAY + hour * HOUR) for hour in range(10)]
    assert duck.upsert("hourly_toxicity", rows) == 10
    rows[3] = rows[3]._replace(posts=11, revision=2)
    rows.append(hourly(hour=MONDAY + 10 * HOUR))
    assert duck.upsert("hourly_toxicity", rows) == 2


def test_two_models_of_an_hour_are_two_rows(duck: Warehouse) -> None:
    assert duck.upsert("hourly_toxicity", [hourly(), hourly(model="other@1")]) == 2


@pytest.mark.parametrize("order", [1, -1])
def test_resolved_beats_open_of_the_same_instant(duck: Warehouse, order: int) -> None:
    rows = [anomaly(status="open"), anomaly(status="resolved")][::order]
    assert duck.upsert("anomalies", rows) == 1
    assert duck.upsert("anomalies", rows) == 0
    [stored] = read_records(duck, "anomalies", Anomaly)
    assert stored.status == "resolved"


def test_an_incident_reopens(duck: Warehouse) -> None:
    duck.upsert("anomalies", [anomaly(status="resolved")])
    reopened = anomaly(status="open", updated_at=anomaly().updated_at + 1)
    assert duck.upsert("anomalies", [reopened]) == 1
    assert read_records(duck, "anomalies", Anomaly) == [reopened]


def test_arrays_change_and_shrink(duck: Warehouse) -> None:
    for terms in (("a",), ("a", "b"), (), ("b", "a"), ("",), ("\x00", "é")):
        assert duck.upsert("anomalies", [anomaly(terms=terms)]) == 1
        assert duck.upsert("anomalies", [anomaly(terms=terms)]) == 0
        assert [row.terms for row in read_records(duck, "anomalies", Anomaly)] == [terms]


def test_dead_letter_keeps_when_it_was_first_seen(duck: Warehouse) -> None:
    duck.upsert("dead_letters", [dead_letter()])
    assert duck.upsert("dead_letters", [dead_letter(seen_at=MONDAY + HOUR)]) == 0
    assert read_records(duck, "dead_letters", DeadLetter) == [dead_letter()]


HOSTILE = ["\x00", "a\x00b", "a", "'; DROP TABLE scored_posts; --", '"', "é", "é", "\u202e"]


def test_hostile_strings_are_keys_and_values_like_others(duck: Warehouse) -> None:
    rows = [scored_post(topic=text, post_id=text, text=text, source=text) for text in HOSTILE]
    assert duck.upsert("scored_posts", rows) == len(set(HOSTILE))
    assert duck.upsert("scored_posts", rows) == 0
    assert set(posts_in(duck)) == set(rows)
    found = read_records(duck, "scored_posts", ScoredPost, where="text = ?", params=[HOSTILE[3]])
    assert [post.text for post in found] == [HOSTILE[3]]


SMALL_POSTS = st.builds(
    scored_post,
    post_id=st.sampled_from(["1", "2", "3"]),
    created_at=st.sampled_from([MONDAY, MONDAY + 1]),
    text_sha256=st.sampled_from(["a", "b"]),
    ingested_at=st.sampled_from([MONDAY, MONDAY + SECOND]),
    scored_at=st.sampled_from([MONDAY, MONDAY + SECOND]),
    toxicity=st.sampled_from([None, 0.1, 0.9]),
    lang=st.sampled_from([None, "en"]),
)


RUNS = count()


def expected_after(stored: dict[str, ScoredPost], batch: list[ScoredPost]) -> int:
    """The upsert's rules in plain Python: updates `stored`, returns how many keys changed."""

    def order(post: ScoredPost) -> tuple[Any, ...]:
        return post.ingested_at, post.scored_at, post.created_at, post.text_sha256

    last: dict[str, ScoredPost] = {}
    for post in batch:
        if post.post_id not in last or order(post) >= order(last[post.post_id]):
            last[post.post_id] = post
    changed = 0
    for post_id, post in last.items():
        old = stored.get(post_id)
        if old is not None:
            same = post == old._replace(scored_at=post.scored_at, ingested_at=post.ingested_at)
            if same or order(post) < order(old):
                continue
        stored[post_id] = post
        changed += 1
    return changed


@given(batches=st.lists(st.lists(SMALL_POSTS, max_size=6), max_size=4))
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_upserts_follow_the_rules(duck: Warehouse, batches: list[list[ScoredPost]]) -> None:
    with open_warehouse(duck.uri) as warehouse:
        topic = f"topic {next(RUNS)}"
        stored: dict[str, ScoredPost] = {}
        for batch in batches:
            rows = [post._replace(topic=topic) for post in batch]
            assert warehouse.upsert("scored_posts", rows) == expected_after(stored, rows)
        found = read_records(
            warehouse, "scored_posts", ScoredPost, where="topic = ?", params=[topic]
        )
        assert {post.post_id: post for post in found} == stored
        assert len(found) == len(stored)


def test_batches_of_any_size_give_the_same_table(duck: Warehouse) -> None:
    shuffle = random.Random(7)
    rows = [text_score(text_sha256=str(number % 900)) for number in range(2_000)]
    shuffle.shuffle(rows)
    changed = sum(duck.upsert("text_scores", rows[at : at + 170]) for at in range(0, 2_000, 170))
    assert changed == 900
    keys = [row.text_sha256 for row in read_records(duck, "text_scores", TextScore)]
    assert sorted(keys) == sorted({row.text_sha256 for row in rows})


def test_failed_upsert_leaves_the_table_as_it_was(duck: Warehouse) -> None:
    duck.upsert("hourly_toxicity", [hourly()])
    with pytest.raises(WarehouseError, match=r"hourly_toxicity\.posts"):
        duck.upsert("hourly_toxicity", [hourly(posts=99, revision=2), hourly(posts="many")])
    assert read_records(duck, "hourly_toxicity", HourlyToxicity) == [hourly()]


@pytest.mark.parametrize("together", [False, True], ids=["alone", "in a transaction"])
def test_an_upsert_that_fails_halfway_leaves_the_table_as_it_was(
    duck: Warehouse, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(duck, adapter.DuckDBWarehouse)
    duck.upsert("hourly_toxicity", [hourly()])
    rows = [hourly(topic="new"), hourly(posts=99, revision=2)]
    whole = duckdb_upsert.statements(TABLES["hourly_toxicity"])
    with monkeypatch.context() as patched:
        broken = whole._replace(update="SELECT error('no')")
        patched.setattr(duckdb_upsert, "statements", lambda _: broken)
        with (
            pytest.raises(WarehouseError, match="no"),
            duck.transaction() if together else nullcontext(),
        ):
            duck.upsert("hourly_toxicity", rows)
    assert read_records(duck, "hourly_toxicity", HourlyToxicity) == [hourly()]
    assert duck.upsert("hourly_toxicity", rows) == 2


def test_stamps_are_utc_and_exact(duck: Warehouse) -> None:
    stamp = MONDAY + 1
    duck.upsert("hourly_toxicity", [hourly(hour=stamp)])
    column = duck.query("SELECT hour FROM hourly_toxicity")["hour"]
    assert column.type == pa.timestamp("us", "UTC")
    [value] = column.to_pylist()
    assert value == datetime(2016, 1, 4, tzinfo=UTC) + timedelta(microseconds=1)
    assert duck.query("SELECT hour FROM hourly_toxicity").schema.types == [
        pa.timestamp("us", "UTC")
    ]


def test_read_records_binds_stamps(duck: Warehouse) -> None:
    rows = [hourly(hour=MONDAY + hour * HOUR) for hour in range(4)]
    duck.upsert("hourly_toxicity", rows)
    found = read_records(
        duck,
        "latest_hourly_toxicity",
        HourlyToxicity,
        where="topic = ? AND hour < ?",
        params=["politics", datetime(2016, 1, 4, 2, tzinfo=UTC)],
        order_by="hour DESC",
    )
    assert found == [rows[1], rows[0]]


def test_query_reads_no_python_variable(duck: Warehouse) -> None:
    stray = pa.table({"a": [1]})
    assert stray.num_rows == 1
    with pytest.raises(WarehouseError, match="stray"):
        duck.query("SELECT * FROM stray")


def test_create_again_keeps_the_rows(duck: Warehouse) -> None:
    duck.upsert("scored_posts", [scored_post()])
    duck.create()
    assert posts_in(duck) == [scored_post()]


def test_reopened_file_holds_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "posts.duckdb"
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
        warehouse.upsert("scored_posts", [scored_post()])
    with open_warehouse(f"duckdb://{path}") as warehouse:
        assert posts_in(warehouse) == [scored_post()]


def test_file_that_no_run_has_made(tmp_path: Path) -> None:
    path = tmp_path / "none.duckdb"
    with open_warehouse(str(path)) as warehouse:
        for use in (
            lambda: warehouse.query("SELECT 1"),
            lambda: warehouse.upsert("scored_posts", [scored_post()]),
        ):
            with pytest.raises(WarehouseError, match=f"there is no warehouse at {path}"):
                use()
    assert not path.exists()


def test_older_schema_names_the_missing_column(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP VIEW hourly_dashboard")
        connection.execute("ALTER TABLE forecasts DROP COLUMN p_anomaly")
    with (
        open_warehouse(str(path)) as warehouse,
        pytest.raises(WarehouseError, match="table forecasts has no column p_anomaly"),
    ):
        warehouse.create()
    with duckdb.connect(str(path)) as connection:
        names = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    assert "hourly_dashboard" not in names  # all or nothing


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}


def run_script(source: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", source, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ).stdout


HOLD = """
import sys
from mltox.warehouse import open_warehouse
with open_warehouse(sys.argv[1]) as warehouse:
    warehouse.create()
    print("held", flush=True)
    sys.stdin.read()
"""


def test_other_process_gets_a_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "posts.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(WarehouseBusy) as caught:
        open_warehouse(str(path))
    assert str(caught.value) == (
        f"{path} is in use by another mltox run; wait for it or give another --warehouse"
    )
    holder.communicate()
    assert holder.returncode == 0
    with open_warehouse(str(path)) as warehouse:
        assert posts_in(warehouse) == []


def test_warehouses_of_one_path_share_and_release_it(tmp_path: Path) -> None:
    path = tmp_path / "posts.duckdb"
    first = open_warehouse(str(path))
    first.create()
    second = open_warehouse(str(path))
    first.close()
    first.close()
    second.upsert("scored_posts", [scored_post()])
    assert posts_in(second) == [scored_post()]
    second.close()
    with duckdb.connect(str(path)) as connection:  # the lock is gone
        assert connection.execute("SELECT count(*) FROM scored_posts").fetchall() == [(1,)]


def test_two_names_of_one_file_share_it(tmp_path: Path) -> None:
    path = tmp_path / "posts.duckdb"
    with open_warehouse(str(path)) as first:
        first.create()
        link = tmp_path / "link.duckdb"
        link.symlink_to(path)
        for name in (link, tmp_path / "x" / ".." / "posts.duckdb"):
            with open_warehouse(str(name)) as second:
                assert second.upsert("scored_posts", [scored_post(post_id=str(name))]) == 1
        assert len(posts_in(first)) == 2


def test_threads_write_side_by_side(duck: Warehouse) -> None:
    failures: list[BaseException] = []

    def write(worker: int) -> None:
        try:
            with open_warehouse(duck.uri) as warehouse:
                for number in range(20):
                    rows = [scored_post(post_id=f"{number}-{item}") for item in range(25)]
                    warehouse.upsert("scored_posts", rows)
                    warehouse.query("SELECT count(*) FROM scored_posts")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(posts_in(duck)) == 500


def _not_a_database(folder: Path) -> Path:
    path = folder / "notes.duckdb"
    path.write_text("not a database " * 1000)
    return path


def _file_for_a_folder(folder: Path) -> Path:
    (folder / "file").write_text("x")
    return folder / "file" / "posts.duckdb"


def _folder(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_not_a_database, "is not a DuckDB file; give another --warehouse"),
        (_file_for_a_folder, "can't be made: "),
        (_folder, "is a folder; give a file"),
    ],
)
def test_unusable_path_is_one_line(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    path = make(tmp_path)
    with pytest.raises(WarehouseError) as caught:
        open_warehouse(str(path)).create()
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            'IO Error: Could not write all bytes to file "x": No space left on device',
            "can't grow: no space left on device",
        ),
        (
            'IO Error: Cannot open file "x": Permission denied',
            "can't be written: permission denied",
        ),
        (
            'IO Error: Cannot open file "x": Read-only file system',
            "can't be written: read-only file system",
        ),
        ("Out of Memory Error: failed\nsecond line", "Out of Memory Error: failed"),
    ],
)
def test_what_duckdb_says_in_words_of_ours(said: str, message: str) -> None:
    error = adapter.explained_error(Path("posts.duckdb"), duckdb.IOException(said))
    assert str(error).endswith(message)
    assert "\n" not in str(error)


FILL = """
import resource, sys
from mltox.posts.records import TextScore
from mltox.warehouse import WarehouseError, open_warehouse
with open_warehouse(sys.argv[1]) as warehouse:
    warehouse.create()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
    written = 0
    try:
        while True:
            names = (f"{written + number:0300}" for number in range(1000))
            rows = [TextScore(name, str(hash(name)), *[None] * 7) for name in names]
            written += warehouse.upsert("text_scores", rows)
    except WarehouseError as error:
        print(error)
print(written)
"""


def test_disk_full_is_one_line_and_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "posts.duckdb"
    output = run_script(FILL, str(path))
    message, written = output.splitlines()
    assert message == f"{path} can't grow: file too large"
    with open_warehouse(str(path)) as warehouse:
        warehouse.create()
        [found] = warehouse.query("SELECT count(*) AS n FROM text_scores")["n"].to_pylist()
        assert found == int(written) > 0
        assert warehouse.upsert("text_scores", [text_score()]) == 1


WRITE_FOREVER = """
import itertools, sys
from mltox.posts.records import TextScore
from mltox.warehouse import open_warehouse
with open_warehouse(sys.argv[1]) as warehouse:
    warehouse.create()
    for batch in itertools.count():
        rows = [TextScore(f"{batch}-{item}", str(batch), *[None] * 7) for item in range(1000)]
        warehouse.upsert("text_scores", rows)
        print(batch + 1, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 4, 9])
def test_killed_writer_leaves_whole_batches(tmp_path: Path, batches: int) -> None:
    path = tmp_path / "posts.duckdb"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < batches:
        pass
    writer.kill()
    writer.communicate()
    with open_warehouse(str(path)) as warehouse:
        found = warehouse.query(
            "SELECT model_sha256, count(*) AS n FROM text_scores GROUP BY model_sha256"
        )
    assert found.num_rows >= batches
    assert set(found["n"].to_pylist()) == {1000}
