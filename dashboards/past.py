"""Was it right? Past forecasts beside what came, run by run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dashboards.rendering import fill
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


class Picture(NamedTuple):
    """Paths in a box: the 80 % band, the median as a line, what came as dots."""

    hours: int
    band: str
    line: str
    dots: str
    width: int = WIDTH
    height: int = HEIGHT


def section(runs: Sequence[PastRun], hours: Iterable[PastHour], places: Mapping[str, int]) -> str:
    """A table of runs, or nothing. `data-of` is the topic's place."""
    by_run: dict[tuple[str, str, Micros], list[PastHour]] = defaultdict(list)
    for hour in hours:
        by_run[hour.topic, hour.metric, hour.run_at].append(hour)
    rows = [
        {
            "run": run,
            "place": places.get(run.topic, -1),
            "drawn": said_and_came(by_run[run.topic, run.metric, run.run_at]),
        }
        for run in runs
    ]
    return fill("past.html", rows=rows)


def said_and_came(hours: Sequence[PastHour]) -> Picture | None:
    """A small picture of a run; None of fewer than two hours."""
    if len(hours) < 2:
        return None
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
    return Picture(len(ordered), f"M{'L'.join(band)}Z", f"M{line}", dots)
