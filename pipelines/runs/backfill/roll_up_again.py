"""Hours that posts have left, rolled up again from what the warehouse holds of them."""

from __future__ import annotations

from collections.abc import Iterable

from mltox.base.clock import datetime_of, now_micros
from mltox.posts.records import HOUR, HourlyToxicity, ScoredPost
from mltox.warehouse import Warehouse, read_records
from pipelines.runs.backfill.settling import LeftHour
from pipelines.transforms.hour_accumulator import HourAccumulator


def roll_up_again(warehouse: Warehouse, hours: Iterable[LeftHour], threshold: float) -> int:
    """Writes the rows of the hours anew, those without a post too, and returns how many.

    What was judged of them stays as it was. Raises WarehouseError.
    """
    rows = [row for hour in sorted(hours) for row in _rows(warehouse, hour, threshold)]
    warehouse.upsert("hourly_toxicity", rows)
    return len(rows)


def _rows(warehouse: Warehouse, left: LeftHour, threshold: float) -> list[HourlyToxicity]:
    posts = read_records(
        warehouse,
        "latest_scored_posts",
        ScoredPost,
        where="topic = ? AND created_at >= ? AND created_at < ?",
        params=(left.topic, datetime_of(left.hour), datetime_of(left.hour + HOUR)),
    )
    known = read_records(
        warehouse,
        "latest_hourly_toxicity",
        HourlyToxicity,
        where="topic = ? AND hour = ?",
        params=(left.topic, datetime_of(left.hour)),
    )
    rows = {row.model: row for row in known}
    totals = {model: HourAccumulator(threshold) for model in rows}
    for post in posts:
        totals.setdefault(post.model, HourAccumulator(threshold)).add(post, fresh=False)
    return [
        total.summary(
            left.topic,
            left.hour,
            model,
            revision=rows[model].revision + 1 if model in rows else 1,
            is_final=rows[model].is_final if model in rows else True,
            updated_at=now_micros(),
        ).row
        for model, total in sorted(totals.items())
    ]
