"""Upserts into DuckDB and queries of every view: time, peak memory, size of the file.

    python benchmarks/warehouse.py --posts 700000 --batches 5000 20000 50000
    python benchmarks/warehouse.py --posts 700000 --batches 20000 --index

Generated posts go into `scored_posts` twice, the second time as a rerun of the same input.
`--index` gives the table a primary key, which it otherwise does without. Each line of the first
table is measured in a process of its own. The second table has the small upserts of a live run into
tables that are large by then.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from mltox.posts.records import HOUR, SECOND, Anomaly, HourlyToxicity, Micros, ScoredPost, TextScore
from mltox.warehouse import Warehouse, open_warehouse
from mltox.warehouse.views import VIEWS

START: Micros = 1_451_606_400 * SECOND
MODEL = "0123456789ab" * 5


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def posts(first: int, count: int) -> list[ScoredPost]:
    """Posts 45 s apart; of two posts one repeats the other's text."""
    rows = []
    for number in range(first, first + count):
        digest = hashlib.sha256(str(number // 2).encode()).hexdigest()
        scores = dict.fromkeys(ScoredPost._fields[-7:], int(digest[:4], 16) / 65_536)
        rows.append(
            ScoredPost(
                topic="politics" if number % 3 else "sport",
                post_id=f"x:{number * 2_654_435_761 % 2**61}",
                source="x",
                author_key=hashlib.md5(str(number % 50_000).encode()).hexdigest(),
                text=f"a post about {digest} and what else of it",
                text_sha256=digest,
                lang="en",
                created_at=START + number * 45 * SECOND,
                ingested_at=START,
                scored_at=START,
                model="default@0123456789ab",
                model_sha256=MODEL,
                **scores,
            )
        )
    return rows


def hours() -> Iterator[HourlyToxicity]:
    """Three topics over a year."""
    first_mean = HourlyToxicity._fields.index("mean_toxicity")
    values: dict[str, Any] = {
        **dict.fromkeys(HourlyToxicity._fields[first_mean : first_mean + 9], 0.1),
        **{"model": "m", "posts": 80, "posts_unscored": 0, "authors": 60},
        **{"revision": 1, "is_final": True, "updated_at": START},
    }
    for topic in ("politics", "sport", "news"):
        for hour in range(8_760):
            yield HourlyToxicity(topic=topic, hour=START + hour * HOUR, **values)


def anomalies() -> Iterator[Anomaly]:
    bounds = (0.5, 0.2, 0.1, 0.3, 5.0)
    words = ("high", "up", "seasonal", "resolved", ("debate",))
    for at, post in enumerate(posts(0, 1_500)):
        hour = START + at * HOUR
        yield Anomaly(post.topic, hour, "posts", *bounds, *words, (post.post_id,), None, START)


def upsert_all(warehouse: Warehouse, total: int, size: int) -> float:
    """Seconds spent in `upsert`."""
    seconds = 0.0
    for first in range(0, total, size):
        batch = posts(first, min(size, total - first))
        began = time.perf_counter()
        warehouse.upsert("scored_posts", batch)
        seconds += time.perf_counter() - began
    return seconds


def measure(total: int, size: int, index: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "posts.duckdb"
        with open_warehouse(str(path)) as warehouse:
            warehouse.create()
        if index:
            with duckdb.connect(str(path)) as connection:
                connection.execute("ALTER TABLE scored_posts ADD PRIMARY KEY (topic, post_id)")
        with open_warehouse(str(path)) as warehouse:
            before = peak_mb()
            first = upsert_all(warehouse, total, size)
            again = upsert_all(warehouse, total, size)
        megabytes = path.stat().st_size / 2**20
        print(
            f"| {size:,} | {'yes' if index else 'no'} | {first:.1f} s | {again:.1f} s "
            f"| {before:.0f} to {peak_mb():.0f} MB | {megabytes:.0f} MB |",
            flush=True,
        )


def text_scores(of: list[ScoredPost]) -> list[TextScore]:
    """Each distinct text of the posts."""
    return list(
        {post.text_sha256: TextScore(post.text_sha256, MODEL, *post.scores) for post in of}.values()
    )


def in_order(of: list[ScoredPost]) -> list[ScoredPost]:
    """The same posts under ids that grow with time, as X's do; those of `posts` jump about."""
    return [post._replace(post_id=f"x:{post.created_at * 1_000}") for post in of]


class Turns(NamedTuple):
    """Upserts of what `rows_of` makes of `size` posts, of which `new` are not in the table."""

    name: str
    table: str
    rows_of: Callable[[list[ScoredPost]], Sequence[tuple[Any, ...]]]
    size: int
    new: int


TURNS = (
    Turns("posts whose ids jump about", "scored_posts", list, 600, 600),
    Turns("posts in the order of their ids", "scored_posts", in_order, 600, 600),
    Turns("texts, five of six there already", "text_scores", text_scores, 1_200, 200),
)


def measure_turns(turns: Turns, total: int, times: int = 30) -> None:
    """The median upsert of 600 rows into a table that holds those of `total` posts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_warehouse(str(Path(folder) / "posts.duckdb")) as warehouse,
    ):
        warehouse.create()
        for first in range(0, total, 20_000):
            warehouse.upsert(turns.table, turns.rows_of(posts(first, min(20_000, total - first))))
        seconds = []
        for turn in range(times):
            rows = turns.rows_of(posts(total + (turn + 1) * turns.new - turns.size, turns.size))
            began = time.perf_counter()
            warehouse.upsert(turns.table, rows)
            seconds.append(time.perf_counter() - began)
    print(f"| {turns.name} | {1000 * statistics.median(seconds):.0f} ms |", flush=True)


def measure_views(total: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_warehouse(str(Path(folder) / "posts.duckdb")) as warehouse,
    ):
        warehouse.create()
        upsert_all(warehouse, total, 20_000)
        warehouse.upsert("hourly_toxicity", list(hours()))
        warehouse.upsert("anomalies", list(anomalies()))
        for view in VIEWS:
            if view == "latest_scored_posts":  # the table itself
                continue
            began = time.perf_counter()
            found = warehouse.query(f"SELECT * FROM {warehouse.relation(view)}")  # noqa: S608
            millis = 1000 * (time.perf_counter() - began)
            print(f"| {view} | {found.num_rows:,} | {millis:.0f} ms |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--posts", type=int, default=700_000)
    parser.add_argument("--batches", type=int, nargs="+", default=[20_000])
    parser.add_argument("--index", action="store_true")
    options = parser.parse_args()
    print("| batch | index | first | again | peak memory | file |\n|---|---|---|---|---|---|")
    for size in options.batches:
        # A process of its own, because a process's peak memory never falls.
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(options.posts, size, options.index)
        )
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)
    print(f"\n| 600 rows into those of {options.posts:,} posts | time |\n|---|---|")
    for turns in TURNS:
        measure_turns(turns, options.posts)
    print("\n| view | rows | time |\n|---|---|---|")
    measure_views(options.posts)


if __name__ == "__main__":
    main()
