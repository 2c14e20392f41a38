"""Was it right? Past forecasts beside what came, run by run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dashboards.markup import clipped, escaped, score, share, table, time_tag
from mltox.posts.records import Micros

RUNS = 3
"""The newest of each topic and measure that have hours that came."""
WIDTH, HEIGHT = 168, 36


class PastRun(NamedTuple):
    """A row of `forecast_runs`."""

    topic: str
    metric: str
    run_at: Micros
    hours: int
    mean_absolute_error: float
    coverage_80: float
    coverage_95: float
    bands_failed: bool


class PastHour(NamedTuple):
    """A row of `forecast_outcomes`."""

    topic: str
    metric: str
    run_at: Micros
    hours_ahead: int
    expected: float
    lower_80: float
    upper_80: float
    observed: float


def newest(runs: Iterable[PastRun]) -> list[PastRun]:
    """The last of each topic and measure, newest first."""
    by_series: dict[tuple[str, str], list[PastRun]] = defaultdict(list)
    for run in sorted(runs, key=lambda run: -run.run_at):
        series = by_series[run.topic, run.metric]
        if len(series) < RUNS:
            series.append(run)
    return [run for series in by_series.values() for run in series]


def section(
    runs: Sequence[PastRun],
    hours: Iterable[PastHour],
    places: Mapping[str, int],
    names: Mapping[str, str],
) -> str:
    """A table of runs, or nothing. `data-of` is the topic's place, `names` those of measures."""
    if not runs:
        return ""
    by_run: dict[tuple[str, str, Micros], list[PastHour]] = defaultdict(list)
    for hour in hours:
        by_run[hour.topic, hour.metric, hour.run_at].append(hour)
    rows = [
        [
            escaped(clipped(run.topic, 80)),
            names.get(run.metric, escaped(run.metric)),
            time_tag(run.run_at),
            f"{run.hours:,}",
            score(run.mean_absolute_error, 3),
            share(run.coverage_80) + (" (bands failed for weeks)" if run.bands_failed else ""),
            share(run.coverage_95),
            said_and_came(by_run[run.topic, run.metric, run.run_at]),
        ]
        for run in runs
    ]
    head = [
        "Topic", "Measure", "Forecast at", "Hours that came", "Mean error",
        "Within 80 % band", "Within 95 % band", "Said and came",
    ]  # fmt: skip
    note = (
        '<p class="note">Was it right? Past forecasts as their hours came: the 80 % band and the '
        "line that were said, and what came as dots.</p>"
    )
    attributes = [f' data-of="{places.get(run.topic, -1)}"' for run in runs]
    return note + table(
        "Past forecasts", head, rows, numeric=(3, 4, 5, 6), css="stack", attributes=attributes
    )


def said_and_came(hours: Sequence[PastHour]) -> str:
    """A small picture: the 80 % band, the median as a line, the observed as dots."""
    if len(hours) < 2:
        return "–"
    ordered = sorted(hours, key=lambda hour: hour.hours_ahead)
    last = ordered[-1].hours_ahead
    top = max(max(hour.upper_80, hour.observed) for hour in ordered) or 1.0

    def at(hour: PastHour, value: float) -> str:
        x = hour.hours_ahead / last * (WIDTH - 4) + 2
        return f"{x:.1f} {HEIGHT - 2 - value / top * (HEIGHT - 4):.1f}"

    band = [at(hour, hour.upper_80) for hour in ordered]
    band += [at(hour, hour.lower_80) for hour in reversed(ordered)]
    line = "L".join(at(hour, hour.expected) for hour in ordered)
    dots = "".join(f"M{at(hour, hour.observed)}h.01" for hour in ordered)
    return (
        f'<svg class="past" role="img" aria-label="{len(ordered)} hours said and come" '
        f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path class="band" d="M{"L".join(band)}Z"/><path d="M{line}"/>'
        f'<path class="came" d="{dots}"/></svg>'
    )
