"""What a warehouse says, gathered once for a page: the figures behind its tables and its data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

from dashboards import payload, queries
from dashboards.annotations import Annotation, read_annotations
from dashboards.clock import PageClock, clock_of
from dashboards.foreseen import foreseen
from dashboards.incidents import IncidentRun, incidents
from dashboards.judged import HourStatuses, hour_statuses
from dashboards.opened import FILE_HOURS, Json, opened_json, telling_hours
from dashboards.past import PastHour, PastRun
from dashboards.planted import Planted, read_planted
from dashboards.queries import Day, Hour, PageWarehouse, TopicTotals
from dashboards.summary import USUAL_DAYS, Now, now
from mltox.detection.gaps import HourSpan
from mltox.evidence.stored import open_hours
from mltox.forecasting.outages import collection_gaps
from mltox.posts.records import HOUR, Anomaly, ForecastAccuracy, Micros

T = TypeVar("T")

MOST_PAGE_HOURS = 150_000
MOST_TOPICS = 300
"""A page holds the hours of so many topics, those with most posts; a served page asks for the
others, one at a time."""
HOURS_COMPARED = 36
RECENT = 60
"""Incidents of all topics that the page lists together, the newest ones."""


class Told(NamedTuple):
    """What a page is told beside its warehouse.

    `sample` puts the 'sample data' banner on it; `incidents` is the side file of the sample, and
    adds which of the planted incidents were found; `annotations` is a file of known events; `as_of`
    the moment that counts as now; `keywords` are words of the topics, which explain nothing.
    """

    sample: bool = False
    incidents: Path | None = None
    annotations: Path | None = None
    as_of: Micros | None = None
    keywords: tuple[str, ...] = ()


@dataclass
class View:
    """Everything about all topics, and the details of those that are `in_page` (by their place)."""

    warehouse: PageWarehouse
    told: Told
    clock: PageClock
    totals: list[TopicTotals]
    models: list[queries.ModelUse]
    letters: list[queries.Letters]
    states: list[Now]
    incidents: dict[str, list[IncidentRun]]
    afterwards: dict[str, list[HourSpan]]
    gaps: list[HourSpan]
    planted: list[Planted]
    annotations: list[Annotation]
    in_page: list[int]
    hours: dict[str, list[Hour]]
    days: dict[str, list[Day]]
    accuracies: list[ForecastAccuracy]
    past_runs: list[PastRun] = field(default_factory=list)
    past_hours: list[PastHour] = field(default_factory=list)

    def judged(self, topic: str) -> HourStatuses:
        return hour_statuses(self.hours[topic], self.afterwards.get(topic, ()), self.gaps)

    def blocks(self) -> Iterator[tuple[int, Json]]:
        """The data of each topic in the page, with its place."""
        names = [self.totals[i].topic for i in self.in_page]
        for i, data in zip(self.in_page, self._topic_data(names), strict=True):
            yield i, payload.topic_block(data, self.clock.now)

    def _topic_data(self, names: Sequence[str]) -> Iterator[payload.TopicData]:
        labels = grouped_by_topic(queries.label_days(self.warehouse, names))
        forecasts = grouped_by_topic(queries.forecasts(self.warehouse, names))
        examples = grouped_by_topic(queries.examples(self.warehouse, names))
        short = [name for name in names if len(self.hours[name]) <= payload.MAX_STEPS // 4]
        steps = grouped_by_topic(queries.five_minutes(self.warehouse, short))
        end = max((total.last_hour for total in self.totals), default=0) + HOUR
        for name in names:
            coming = foreseen(forecasts[name], self.hours[name], end, self.gaps)
            yield payload.TopicData(
                topic=name,
                hours=self.hours[name],
                steps=_whole_steps(steps[name], self.hours[name]),
                days=self.days[name],
                labels=labels[name],
                forecasts=coming.rows,
                why_no_forecast=coming.why_not,
                incidents=self.incidents.get(name, []),
                examples=examples[name],
                judged=self.judged(name),
                gaps=self.gaps,
                annotations=[event for event in self.annotations if event.concerns(name)],
            )

    def page_json(self, *, live: bool) -> Json:
        """What all topics share: a row each, in the order of their places."""
        busiest = sorted(self.in_page, key=lambda i: (-self.totals[i].posts, i))[:HOURS_COMPARED]
        newest = sorted(
            (found for of_topic in self.incidents.values() for found in of_topic),
            key=lambda found: (-found.start, found.topic),
        )
        place = {total.topic: i for i, total in enumerate(self.totals)}
        return {
            "clock": self.clock.now // 1000,
            "live": live,
            "topics": [self._row(i) for i in range(len(self.totals))],
            "compare": {
                str(i): payload.daily(self.days[self.totals[i].topic]) for i in sorted(busiest)
            },
            "recent": [[place[each.topic], each.number] for each in newest[:RECENT]],
        }

    def _row(self, i: int) -> Json:
        total, state = self.totals[i], self.states[i]
        found = self.incidents.get(total.topic, ())
        return payload.row(
            total, state, len(found), any(each.ongoing(self.clock.now) for each in found)
        )

    def opened(self) -> Iterator[tuple[int, Json]]:
        """For a file that has nobody to ask: the telling hours of its topics, within bounds."""
        each = max(5, FILE_HOURS // max(1, len(self.in_page)))
        left = FILE_HOURS
        for i in self.in_page:
            name = self.totals[i].topic
            hours = telling_hours(self.hours[name], self.incidents.get(name, ()))
            chosen = list(islice(hours, min(each, left)))
            if not chosen:
                continue
            left -= len(chosen)
            found = open_hours(self.warehouse, name, chosen, self.told.keywords)
            yield (
                i,
                {
                    "hours": {str(at // 1000): opened_json(hour) for at, hour in found.items()},
                    "left_out": sum(1 for hour in self.hours[name] if hour.posts) - len(chosen),
                },
            )


def gather(warehouse: PageWarehouse, told: Told, live_at: Micros | None = None) -> View:
    """Reads what all topics share, and the details of as many as a page holds."""
    totals = queries.topic_totals(warehouse)
    clock = clock_of(totals, live_at, told.as_of)
    in_page = _in_page(totals)
    names = [totals[i].topic for i in in_page]
    spans = grouped_by_topic(queries.day_spans(warehouse, clock.now, USUAL_DAYS + 1))
    past = queries.past_runs(warehouse, names)
    return View(
        warehouse=warehouse,
        told=told,
        clock=clock,
        totals=totals,
        models=queries.models(warehouse),
        letters=queries.dead_letters(warehouse),
        states=[now(spans[total.topic], clock.now, total.last_hour) for total in totals],
        incidents=_incidents(warehouse, totals, names),
        afterwards=_afterwards(warehouse),
        gaps=[HourSpan(*gap) for gap in collection_gaps(queries.posts_of_all(warehouse))],
        planted=read_planted(told.incidents) if told.incidents else [],
        annotations=read_annotations(told.annotations) if told.annotations else [],
        in_page=in_page,
        hours=grouped_by_topic(queries.hours(warehouse, names)),
        days=grouped_by_topic(queries.days(warehouse, names)),
        accuracies=queries.accuracies(warehouse, names),
        past_runs=past,
        past_hours=queries.past_hours(warehouse, past) if past else [],
    )


def of_one_topic(warehouse: PageWarehouse, told: Told, topic: str, live_at: Micros) -> Json | None:
    """The block of a topic that is not in the page, or None where there is none."""
    view = gather(warehouse, told, live_at)
    place = next((i for i, total in enumerate(view.totals) if total.topic == topic), None)
    if place is None:
        return None
    view.in_page = [place]
    view.hours = grouped_by_topic(queries.hours(warehouse, [topic]))
    view.days = grouped_by_topic(queries.days(warehouse, [topic]))
    view.incidents = _incidents(warehouse, view.totals, [topic])
    return next(view.blocks())[1]


def _whole_steps(steps: Sequence[queries.Step], hours: Sequence[Hour]) -> Sequence[queries.Step]:
    """None where the warehouse holds not nearly all of the posts that the hours counted."""
    counted = sum(hour.posts for hour in hours)
    return steps if sum(step.posts for step in steps) >= 0.9 * counted else ()


def _in_page(totals: Sequence[TopicTotals]) -> list[int]:
    """Places of the topics with most posts, as many as fit, at least one; in their order."""
    chosen: list[int] = []
    hours = 0
    for i in sorted(range(len(totals)), key=lambda i: (-totals[i].posts, i))[:MOST_TOPICS]:
        own = min((totals[i].last_hour - totals[i].first_hour) // HOUR + 1, payload.MAX_HOURS)
        if chosen and hours + own > MOST_PAGE_HOURS:
            break
        hours += own
        chosen.append(i)
    return sorted(chosen)


def _incidents(
    warehouse: PageWarehouse, totals: Sequence[TopicTotals], in_page: Sequence[str]
) -> dict[str, list[IncidentRun]]:
    """Of every topic; with their evidence where a topic is in the page."""
    whole = queries.anomalies(warehouse, in_page)
    known = set(in_page)
    bare = (
        [_bare(flag) for flag in queries.anomaly_flags(warehouse) if flag.topic not in known]
        if len(totals) > len(in_page)
        else []
    )
    return dict(grouped_by_topic(incidents([*whole, *bare])))


def _bare(flag: queries.Flag) -> Anomaly:
    return Anomaly(
        flag.topic, flag.hour, flag.metric, 0.0, 0.0, 0.0, 0.0, 0.0, "info", "up", flag.detector,
        flag.status, (), (), None, 0,
    )  # fmt: skip


def _afterwards(warehouse: PageWarehouse) -> dict[str, list[HourSpan]]:
    found: defaultdict[str, list[HourSpan]] = defaultdict(list)
    for row in queries.afterwards(warehouse):
        found[row.topic].append(HourSpan(row.start_at, row.end_at))
    return found


def grouped_by_topic(rows: Iterable[T]) -> defaultdict[str, list[T]]:
    out: defaultdict[str, list[T]] = defaultdict(list)
    for row in rows:
        out[row.topic].append(row)  # type: ignore[attr-defined]
    return out
