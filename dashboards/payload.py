"""The page's data as JSON values, one block a topic, in few bytes.

Scores and shares are integers in units of 1 / SCALE, hours and days a start and a dense list,
None where nothing is known. Texts are clipped; the page sets them as text, never as markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.episodes import Episode
from dashboards.markup import clipped, visible
from dashboards.queries import METRICS, Day, Example, Hour, HourOfWeek, LabelDay
from mltox.posts.records import HOUR, LABELS, Anomaly, Forecast, Micros

SCALE = 100_000
MAX_HOURS = 400 * 24
"""The page holds this many hours of a topic, the last ones."""

MAX_EPISODES = 200
MAX_EXAMPLES = 5
MAX_TEXT = 600
MAX_TERMS = 10

Json = dict[str, Any]


class TopicData(NamedTuple):
    """Everything the page shows of one topic, as the views gave it."""

    topic: str
    hours: Sequence[Hour]
    days: Sequence[Day]
    labels: Sequence[LabelDay]
    week: Sequence[HourOfWeek]
    forecasts: Sequence[Forecast]
    episodes: Sequence[Episode]
    examples: Sequence[Example]


def _scaled(value: float | None) -> int | None:
    return None if value is None else round(value * SCALE)


def _millis(at: Micros) -> int:
    return at // 1000


def _unit(metric: str, value: float) -> float | int | None:
    return round(value, 1) if metric == "posts" else _scaled(value)


def _dense(start: int, stop: int, step: int, values: Mapping[int, Any], empty: Any) -> list[Any]:
    return [values.get(at, empty) for at in range(start, stop, step)]


def hourly(hours: Sequence[Hour]) -> Json | None:
    """The last `MAX_HOURS` of a topic, in order; an hour without a row had no posts."""
    if not hours:
        return None
    stop = hours[-1].hour + HOUR
    start = max(hours[0].hour, stop - MAX_HOURS * HOUR)
    place = (start, stop, HOUR)
    return {
        "start": _millis(start),
        "cut": start > hours[0].hour,
        "posts": _dense(*place, {h.hour: h.posts for h in hours}, 0),
        "scored": _dense(*place, {h.hour: h.posts - h.posts_unscored for h in hours}, 0),
        "mean_toxicity": _dense(*place, {h.hour: _scaled(h.mean_toxicity) for h in hours}, None),
        "toxic_share": _dense(*place, {h.hour: _scaled(h.toxic_share) for h in hours}, None),
    }


def daily(days: Sequence[Day]) -> Json | None:
    if not days:
        return None
    place = (days[0].day, days[-1].day + 1, 1)
    return {
        "start": days[0].day,
        "posts": _dense(*place, {d.day: d.posts for d in days}, 0),
        "mean_toxicity": _dense(*place, {d.day: _scaled(d.mean_toxicity) for d in days}, None),
        "toxic_share": _dense(*place, {d.day: _scaled(d.toxic_share) for d in days}, None),
    }


def labels(rows: Sequence[LabelDay]) -> Json | None:
    """Per label the daily mean; a label that the model lacks is left out."""
    known = [row for row in rows if row.mean_score is not None]
    if not known:
        return None
    start, stop = min(row.day for row in known), max(row.day for row in known) + 1
    series = {
        label: _dense(
            start, stop, 1, {r.day: _scaled(r.mean_score) for r in known if r.label == label}, None
        )
        for label in LABELS
        if any(row.label == label for row in known)
    }
    return {"start": start, "series": series}


def week(rows: Sequence[HourOfWeek]) -> Json | None:
    """168 values a metric, from Monday 00:00; None where the topic never had a post."""
    if not rows:
        return None
    at = {(row.day_of_week - 1) * 24 + row.hour_of_day: row for row in rows}

    def column(pick: str) -> list[Any]:
        found = [getattr(at[i], pick) if i in at else None for i in range(168)]
        if pick == "posts":
            return [None if value is None else round(value, 1) for value in found]
        return [_scaled(value) for value in found]

    return {metric: column(metric) for metric in METRICS}


def forecast(rows: Sequence[Forecast]) -> dict[str, Json]:
    """By metric; `start` is the first hour forecast, and the hours follow without gaps."""
    out: dict[str, Json] = {}
    for metric in METRICS:
        mine = sorted((row for row in rows if row.metric == metric), key=lambda row: row.hour)
        if not mine:
            continue
        out[metric] = {
            "start": _millis(mine[0].hour),
            "method": mine[0].method,
            **{
                band: [_unit(metric, getattr(row, band)) for row in mine]
                for band in ("expected", "lower_80", "upper_80", "lower_95", "upper_95")
            },
            "p_anomaly": [_scaled(row.p_anomaly) for row in mine],
        }
    return out


def _anomaly(anomaly: Anomaly) -> Json:
    return {
        "hour": _millis(anomaly.hour),
        "metric": anomaly.metric,
        "severity": anomaly.severity,
        "direction": anomaly.direction,
        **{
            field: _unit(anomaly.metric, getattr(anomaly, field))
            for field in ("observed", "expected", "lower", "upper")
        },
    }


def _best_examples(examples: Iterable[Example]) -> list[Json]:
    """The most toxic posts of an episode, each text once; `copies` is how many posts have it."""
    distinct = {example.post_id: example for example in examples}
    texts = Counter(e.text for e in distinct.values())
    ranked: dict[str, Example] = {}
    for e in sorted(distinct.values(), key=lambda e: (-(e.toxicity or 0.0), e.created_at)):
        ranked.setdefault(e.post_id if e.text is None else f"text {e.text}", e)
    return [
        {
            "text": None if e.text is None else clipped(visible(e.text), MAX_TEXT),
            "toxicity": _scaled(e.toxicity),
            "source": visible(e.source),
            "at": _millis(e.created_at),
            "copies": 1 if e.text is None else texts[e.text],
        }
        for e in list(ranked.values())[:MAX_EXAMPLES]
    ]


def episode(found: Episode, examples: Sequence[Example]) -> Json:
    peaks = found.peaks()
    told = next((peak for peak in peaks if peak.terms), peaks[0])
    return {
        "number": found.number,
        "start": _millis(found.start),
        "end": _millis(found.end),
        "ongoing": found.ongoing,
        "peaks": [_anomaly(peak) for peak in peaks],
        "hours": [_anomaly(anomaly) for anomaly in found.anomalies],
        "terms": [clipped(visible(term), 80) for term in told.terms[:MAX_TERMS]],
        "explained_share": _scaled(told.explained_share),
        "detectors": sorted({anomaly.detector for anomaly in found.anomalies}),
        "examples": _best_examples(e for e in examples if found.start <= e.hour < found.end),
    }


def topic(data: TopicData) -> Json:
    """The block of one topic. Only its last `MAX_EPISODES` episodes are in it."""
    kept = data.episodes[-MAX_EPISODES:]
    return {
        "name": visible(data.topic),
        "hourly": hourly(data.hours),
        "labels": labels(data.labels),
        "week": week(data.week),
        "forecast": forecast(data.forecasts),
        "episodes": [episode(found, data.examples) for found in kept],
        "episodes_left_out": len(data.episodes) - len(kept),
    }


def page(topics: Sequence[str], days: Mapping[str, Sequence[Day]]) -> Json:
    """What all topics share: their names, in the order of the blocks, and their days."""
    return {"topics": [{"name": visible(name), "daily": daily(days[name])} for name in topics]}
