"""What a backfill adds when all its hours are in the warehouse: verdicts that know them all.

They stand beside those that were given hour by hour, in the same table, under the detector
`retrospective`. A run over more hours may take some back: these rows say `withdrawn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mltox.detection.gaps import HourSpan
from mltox.detection.hindsight import DETECTOR, AnomalousHour, ObservedHour, judge
from mltox.detection.monitor import METRICS
from mltox.evidence.stored import Explained, explain_hours
from mltox.forecasting.outages import collection_gaps
from mltox.posts.records import HOUR, SECOND, Anomaly, JudgedSpan, Micros
from mltox.warehouse import Warehouse, read_records

MOST_EXPLAINED = 300
"""Hours of a topic, the most unusual ones; the others have no terms."""
UNEXPLAINED = (Explained((), ()), Explained((), ()))


class TopicHour(NamedTuple):
    """An hour of a topic, its models merged."""

    topic: str
    hour: Micros
    posts: int
    posts_unscored: int
    mean_toxicity: float | None
    toxic_share: float | None


def judge_in_hindsight(
    warehouse: Warehouse,
    topics: Iterable[str],
    now: Micros,
    keywords: Mapping[str, Sequence[str]] | None = None,
) -> int:
    """Judges all hours that the warehouse has of the topics; returns how many rows changed.

    `keywords` are each topic's own words, which explain nothing. A second run changes nothing.
    Raises WarehouseError.
    """
    outages = [HourSpan(*gap) for gap in collection_gaps(_posts_of_all(warehouse))]
    changed = 0
    for topic in sorted(topics):
        hours = _hours_of(warehouse, topic)
        if not hours:
            continue
        rows = verdicts(warehouse, topic, hours, outages, now, (keywords or {}).get(topic, ()))
        changed += warehouse.upsert("anomalies", [*rows, *_withdrawn(warehouse, topic, rows, now)])
        start, end = hours[0].hour, hours[-1].hour + HOUR
        with_posts = sum(hour.posts > 0 for hour in hours)
        span = JudgedSpan(topic, DETECTOR, start, end, with_posts, now)
        changed += warehouse.upsert("judged_spans", [span])
    return changed


def verdicts(
    warehouse: Warehouse,
    topic: str,
    hours: Sequence[TopicHour],
    outages: Sequence[HourSpan],
    now: Micros,
    keywords: Iterable[str] = (),
) -> list[Anomaly]:
    """The anomalous hours of a topic with what they were about."""
    found = {metric: judge(metric, observed_hours(metric, hours, outages)) for metric in METRICS}
    ranked = sorted((each for rows in found.values() for each in rows), key=lambda f: -abs(f.score))
    up = dict.fromkeys(each.hour for each in ranked if each.score > 0)
    about = explain_hours(warehouse, topic, list(up)[:MOST_EXPLAINED], keywords)
    return [
        _anomaly(topic, metric, each, about.get(each.hour, UNEXPLAINED)[metric != "posts"], now)
        for metric, rows in found.items()
        for each in rows
    ]


def observed_hours(
    metric: str, hours: Sequence[TopicHour], outages: Sequence[HourSpan] = ()
) -> list[ObservedHour]:
    """A metric's hours: an hour without a row had no posts, one of an outage nobody knows."""
    by_hour = {hour.hour: hour for hour in hours}
    found = []
    for at in range(hours[0].hour, hours[-1].hour + HOUR, HOUR):
        hour = by_hour.get(at)
        if metric == "posts":
            if not any(gap.start <= at < gap.end for gap in outages):
                posts = float(hour.posts) if hour else 0.0
                found.append(ObservedHour(at, posts, posts))
        elif hour is not None:
            value = hour.mean_toxicity if metric == "mean_toxicity" else hour.toxic_share
            if value is not None:
                found.append(ObservedHour(at, value, float(hour.posts - hour.posts_unscored)))
    return found


def _anomaly(
    topic: str, metric: str, found: AnomalousHour, about: Explained, now: Micros
) -> Anomaly:
    explained = about if found.score > 0 else UNEXPLAINED[0]
    return Anomaly(
        topic=topic,
        hour=found.hour,
        metric=metric,
        observed=found.observed,
        expected=found.expected,
        lower=found.lower,
        upper=found.upper,
        score=found.score,
        severity=found.severity,
        direction=found.direction,
        detector=DETECTOR,
        status="resolved",
        terms=explained.terms,
        example_post_ids=explained.example_post_ids,
        explained_share=None,
        updated_at=now,
    )


def _withdrawn(
    warehouse: Warehouse, topic: str, rows: Iterable[Anomaly], now: Micros
) -> list[Anomaly]:
    """What an earlier run said in hindsight and this one does not."""
    kept = {(row.hour, row.metric) for row in rows}
    before = read_records(
        warehouse,
        "latest_anomalies",
        Anomaly,
        where="topic = ? AND detector = ? AND status != 'withdrawn'",
        params=(topic, DETECTOR),
    )
    return [
        row._replace(status="withdrawn", updated_at=now)
        for row in before
        if (row.hour, row.metric) not in kept
    ]


def _hours_of(warehouse: Warehouse, topic: str) -> list[TopicHour]:
    columns = ", ".join(TopicHour._fields)
    view = warehouse.relation("hourly_dashboard")
    sql = f"SELECT {columns} FROM {view} WHERE topic = ? ORDER BY hour"  # noqa: S608 - names of ours
    table = warehouse.query(sql, [topic])
    return [TopicHour(**{**row, "hour": _micros(row["hour"])}) for row in table.to_pylist()]


def _posts_of_all(warehouse: Warehouse) -> list[tuple[Micros, int]]:
    view = warehouse.relation("hourly_dashboard")
    sql = f"SELECT hour, SUM(posts) AS posts FROM {view} GROUP BY hour ORDER BY hour"  # noqa: S608 - names of ours
    table = warehouse.query(sql)
    return [(_micros(row["hour"]), int(row["posts"])) for row in table.to_pylist()]


def _micros(at: datetime) -> Micros:
    return int(at.timestamp()) * SECOND
