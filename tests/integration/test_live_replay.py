"""The same posts as a file and by Pub/Sub give the same tables."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest.sources.sample.writing import DEFAULT_START, WEEKS, write_sample
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.live_process import Live, has_settled, wait_for_all, wait_until
from tests.integration.pubsub import emulated, environment, need_emulator, publish

pytestmark = pytest.mark.drill

WHEN_MADE = {
    "scored_posts": ("ingested_at", "scored_at"),
    "text_scores": (),
    # How often an hour was written says how the posts came, and not what they are.
    "hourly_toxicity": ("updated_at", "revision"),
    "anomalies": ("updated_at",),
    # The id is a hash of where the message lay: a line of a file, or a message of Pub/Sub.
    "dead_letters": ("seen_at", "letter_id"),
}
OF_FILES = ("deletion", "malformed_json", "bad_encoding", "unknown_shape")
"""A file's deletions are done by a backfill, and its broken lines are told value by value."""
WITHOUT_PLACE = (
    r"REPLACE (regexp_replace(message, '^\S+:\d+: ', '') AS message, left(payload, 900) AS payload)"
)
"""A file's letter says its place in its message, which takes room from a long payload."""
LAST = WEEKS.days * 24 + 24
"""Hours after the start of the sample: a post that closes all hours before it."""


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows but those of the last hour, which the live run has not closed, and verdicts on the
    silence before it, which come with it."""
    begin = f"TIMESTAMPTZ '{DEFAULT_START.isoformat()}'"
    cut = f"{begin} + INTERVAL {LAST} HOUR"
    silent = f"{begin} + INTERVAL {WEEKS.days * 24} HOUR"
    found = {}
    with DuckDBWarehouse(path) as warehouse:
        for table, volatile in WHEN_MADE.items():
            leaving = f"EXCLUDE ({', '.join(volatile)})" if volatile else ""
            closed = f"WHERE hour < {cut}" if table in ("hourly_toxicity", "anomalies") else ""
            if table == "anomalies":  # a file is judged in retrospect as well, a stream is not
                closed = f"WHERE hour < {silent} AND detector != 'retrospective'"
            if table == "dead_letters":
                leaving, closed = (
                    f"{leaving} {WITHOUT_PLACE}",
                    f"WHERE error_type NOT IN {OF_FILES}",
                )
            rows = warehouse.query(f"SELECT * {leaving} FROM {table} {closed} ORDER BY ALL")  # noqa: S608
            found[table] = [tuple(row.values()) for row in rows.to_pylist()]
    return found


def test_a_replay_gives_the_tables_of_the_live_run(tmp_path: Path) -> None:
    need_emulator()
    sample = write_sample(tmp_path / "posts.jsonl", seed=41, posts=3_000)
    end = (DEFAULT_START + timedelta(hours=LAST)).isoformat()
    last = [
        {"id": f"last-{topic}", "text": "the last one", "created_at": end, "topic": topic}
        for topic in {incident.topic for incident in sample.incidents}
    ]
    rows = sample.posts_path.read_bytes().splitlines() + [orjson.dumps(row) for row in last]
    sample.posts_path.write_bytes(b"\n".join(rows) + b"\n")
    topics = ("--topics_file", str(sample.topics_path))

    replayed, live_path = tmp_path / "replayed.duckdb", tmp_path / "live.duckdb"
    subprocess.run(
        [sys.executable, "-m", "mltox", "backfill", "--input", str(sample.posts_path),
         "--warehouse", str(replayed), *topics],
        check=True, capture_output=True, timeout=900,
        env=os.environ | {"MLTOX_AUTHOR_KEY": environment("")["MLTOX_AUTHOR_KEY"]},
    )  # fmt: skip
    expected = tables(replayed)

    log = tmp_path / "live.log"
    with emulated() as address, Live(live_path, address, log, *topics) as live:
        publish(rows)
        letters, posts = len(expected["dead_letters"]), len(expected["scored_posts"])
        wait_for_all(log, posts, letters)
        wait_until(lambda: has_settled(log), log, 300)
        assert live.stop() == 0
    found = tables(live_path)
    for table, wanted in expected.items():
        assert found[table] == wanted, table
