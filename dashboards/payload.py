"""The page's data as JSON values, one block a topic, in few bytes.

Scores and shares are integers in units of 1 / SCALE, hours and days a start and a dense list,
None where nothing is known. Texts are clipped; the page sets them as text, never as markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.annotations import Annotation
from dashboards.incidents import IncidentRun
from dashboards.judged import HourStatuses, judged_sentence
from dashboards.queries import PAGE_METRICS, Day, ExamplePost, Hour, LabelDay, Step, TopicTotals
from dashboards.summary import Now
from dashboards.text import clipped, visible
from mltox.detection.gaps import HourSpan
from mltox.evidence.links import link_of
from mltox.posts.records import HOUR, LABELS, SECOND, Anomaly, Forecast, Micros

SCALE = 100_000
MAX_HOURS = 400 * 24
"""The page holds this many hours of a topic, the last ones."""

MAX_STEPS = 10_000
"""Five minutes with posts; a topic of more has hours and days alone."""
MAX_INCIDENTS = 200
MAX_EXAMPLES = 5
MAX_POST_TEXT = 600
MAX_TERMS = 10

Json = dict[str, Any]


class TopicData(NamedTuple):
    """Everything the page shows of one topic, as the views gave it."""

    topic: str
    hours: Sequence[Hour] = ()
    steps: Sequence[Step] = ()
    days: Sequence[Day] = ()
    labels: Sequence[LabelDay] = ()
    forecasts: Sequence[Forecast] = ()
    why_no_forecast: Mapping[str, str] = {}
    incidents: Sequence[IncidentRun] = ()
    examples: Sequence[ExamplePost] = ()
    judged: HourStatuses = HourStatuses(0, ())
    gaps: Sequence[HourSpan] = ()
    annotations: Sequence[Annotation] = ()


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


def steps(rows: Sequence[Step]) -> Json | None:
    """Five-minute steps with posts, as places from the first; None where there are too many."""
    if not rows or len(rows) > MAX_STEPS:
        return None
    start, size = rows[0].step, 300 * SECOND
    return {
        "start": _millis(start),
        "at": [(row.step - start) // size for row in rows],
        "posts": [row.posts for row in rows],
        "scored": [row.posts - row.posts_unscored for row in rows],
        "mean_toxicity": [_scaled(row.mean_toxicity) for row in rows],
        "toxic_share": [_scaled(row.toxic_share) for row in rows],
    }


def daily(days: Sequence[Day]) -> Json | None:
    if not days:
        return None
    place = (days[0].day, days[-1].day + 1, 1)
    return {
        "start": days[0].day,
        "posts": _dense(*place, {d.day: d.posts for d in days}, 0),
        "scored": _dense(*place, {d.day: d.posts - d.posts_unscored for d in days}, 0),
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


def forecast_block(rows: Sequence[Forecast]) -> dict[str, Json]:
    """By metric; `start` is the first hour forecast, and the hours follow without gaps."""
    out: dict[str, Json] = {}
    for metric in PAGE_METRICS:
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
        "detector": visible(anomaly.detector),
        **{
            field: _unit(anomaly.metric, getattr(anomaly, field))
            for field in ("observed", "expected", "lower", "upper")
        },
    }


def _best_examples(examples: Iterable[ExamplePost], *, typical: bool) -> list[Json]:
    """Posts of an incident, each text once; `copies` is how many of them have it.

    The most toxic first; of a surge of posts (`typical`) those that its explanation chose.
    """
    distinct = {example.post_id: example for example in examples}
    texts = Counter(e.text for e in distinct.values())

    def place(e: ExamplePost) -> tuple[float, Micros]:
        return (e.rank if typical else -(e.toxicity or 0.0), e.created_at)

    ranked: dict[str, ExamplePost] = {}
    for e in sorted(distinct.values(), key=place):
        ranked.setdefault(e.post_id if e.text is None else f"text {e.text}", e)
    return [
        {
            "text": None if e.text is None else clipped(visible(e.text), MAX_POST_TEXT),
            "toxicity": _scaled(e.toxicity),
            "source": visible(e.source),
            "at": _millis(e.created_at),
            "copies": 1 if e.text is None else texts[e.text],
            "link": link_of(e.post_id),
        }
        for e in list(ranked.values())[:MAX_EXAMPLES]
    ]


def incident(
    found: IncidentRun, examples: Sequence[ExamplePost], data: TopicData, clock: Micros
) -> Json:
    peaks = found.peaks()
    told = next((peak for peak in _by_strength(found) if peak.terms), peaks[0])
    own = [e for e in examples if found.start <= e.hour < found.end]
    typical = told.metric == "posts"
    return {
        "id": found.id,
        "number": found.number,
        "start": _millis(found.start),
        "end": _millis(found.end),
        "ongoing": found.ongoing(clock),
        "afterwards": found.only_afterwards,
        "peaks": [_anomaly(peak) for peak in peaks],
        "hours": [_anomaly(anomaly) for anomaly in found.anomalies],
        "terms": [clipped(visible(term), 80) for term in told.terms[:MAX_TERMS]],
        "explained_share": _scaled(told.explained_share),
        "examples": _best_examples(
            (e for e in own if not typical or e.metric == "posts"), typical=typical
        ),
        "events": [
            clipped(visible(event.title), 120)
            for event in data.annotations
            if event.touches(found.start, found.end)
        ],
    }


def _by_strength(found: IncidentRun) -> list[Anomaly]:
    return sorted(found.anomalies, key=lambda a: (-abs(a.score), a.hour, a.metric))


def annotation(event: Annotation) -> Json:
    return {
        "start": _millis(event.start),
        "end": _millis(event.end),
        "title": clipped(visible(event.title), 120),
    }


def topic_block(data: TopicData, clock: Micros) -> Json:
    """The block of one topic. Only its last `MAX_INCIDENTS` incidents are in it."""
    kept = data.incidents[-MAX_INCIDENTS:]
    return {
        "name": visible(data.topic),
        "hourly": hourly(data.hours),
        "steps": steps(data.steps),
        "daily": daily(data.days),
        "labels": labels(data.labels),
        "forecast": forecast_block(data.forecasts),
        "why_no_forecast": {m: visible(why) for m, why in data.why_no_forecast.items()},
        "judged": [[status, hours] for status, hours in data.judged.runs],
        "judged_text": judged_sentence(data.judged) if data.judged.runs else "",
        "gaps": [[_millis(gap.start), _millis(gap.end)] for gap in data.gaps],
        "events": [annotation(event) for event in data.annotations],
        "incidents": [incident(found, data.examples, data, clock) for found in kept],
        "incidents_left_out": len(data.incidents) - len(kept),
    }


def row(total: TopicTotals, state: Now, incidents: int, ongoing: bool) -> Json:
    """A topic's line in the overview."""
    scored = total.posts - total.posts_unscored
    return {
        "name": visible(total.topic),
        "posts": total.posts,
        "authors": total.authors,
        "scored": scored,
        "toxic_share": _scaled(total.toxic_share),
        "mean_toxicity": _scaled(total.mean_toxicity),
        "now": [
            state.posts,
            state.scored,
            *map(_scaled, (state.share, state.usual, state.low, state.high)),
        ],
        "verdict": state.verdict,
        "incidents": incidents,
        "ongoing": ongoing,
    }
