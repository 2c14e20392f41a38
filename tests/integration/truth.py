"""What a drill's tables must hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.pubsub import Drill


def check(path: Path, expected: Drill) -> None:
    """Every distinct valid post once, hourly counts as in truth, a letter for each malformed."""
    with DuckDBWarehouse(path) as warehouse:
        posts = [row["post_id"] for row in
                 warehouse.query("SELECT post_id FROM scored_posts").to_pylist()]  # fmt: skip
        counts = {row["h"]: row["posts"] for row in warehouse.query(
            "SELECT epoch(hour)::BIGINT AS h, posts FROM hourly_toxicity").to_pylist()}  # fmt: skip
        letters = warehouse.query("SELECT payload FROM dead_letters").num_rows
    assert Counter(posts) == Counter(list(expected.posts))
    truth = Counter(int(moment.timestamp()) // 3600 * 3600 for moment in expected.posts.values())
    assert counts == dict(truth)
    assert letters == expected.malformed
