"""What `mltox forecast` publishes beside what it must beat, on series held out.

    python -m benchmarks.forecast m4 m4_hourly_train.csv.gz
    python -m benchmarks.forecast counts hourly_counts.csv.gz --origins 5
    python -m benchmarks.forecast toxicity year.duckdb --origins 6

`m4`: a CSV with one series a row, of which the last 48 hours are held out. `counts`: a CSV with a
column of hours and one of counts for each topic. `toxicity`: the hours of a warehouse, all metrics.
The last two are forecast a week ahead out of nine weeks, from origins spread over their length.

Rivals: flat quantiles of four weeks, the seasonal naive forecast, Prophet as it comes, and AutoETS
where `statsforecast` is installed (it pins another pandas: give it an environment of its own).
Pinball loss is relative to the flat quantiles', OWA to M4's Naive2; "upper" counts the hours below
the upper ends, for shares whose lower ends are 0.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import NamedTuple

import numpy as np
import pandas as pd

from mltox.forecasting.accuracy import coverage, mase, pinball, smape
from mltox.forecasting.beside import SeriesTask, forecast_task
from mltox.forecasting.flags import flags
from mltox.forecasting.history import DAY_HOURS, LEVELS, WEEK_HOURS, History
from mltox.forecasting.methods.quantiles import FlatQuantiles
from mltox.forecasting.methods.seasonal import last_season
from mltox.forecasting.scales import Floats
from mltox.forecasting.series import history_of
from mltox.posts.records import HOUR

SPAN = 9 * WEEK_HOURS
METRICS = ("mean_toxicity", "toxic_share", "posts")
FLAT, PUBLISHED = "flat quantiles", "published"
BINS = 10


class Task(NamedTuple):
    """A history of consecutive hours that ends at `run_at` (hours), and what came after it."""

    name: str
    metric: str
    values: Floats
    posts: Floats
    run_at: int
    observed: Floats
    observed_posts: Floats


class Result(NamedTuple):
    """Quantiles (h, 5) by method; `chances` and `flagged` (h,) are of the published forecast."""

    task: Task
    said: Mapping[str, Floats]
    chances: Floats
    flagged: Floats


def m4_tasks(path: str, count: int) -> Iterator[Task]:
    """Evenly spread over the file, so that every kind of series is there."""
    frame = pd.read_csv(path)
    for row in np.unique(np.linspace(0, len(frame) - 1, count).astype(int)):
        values = frame.iloc[row, 1:].dropna().to_numpy(dtype=float)
        yield _task(str(frame.iloc[row, 0]), "posts", values, values, 0, len(values) - 48, 48)


def count_tasks(path: str, origins: int) -> Iterator[Task]:
    frame = pd.read_csv(path)
    for column in frame.columns[1:]:
        values = frame[column].to_numpy(dtype=float)
        for end in np.linspace(len(values) // 3, len(values) - WEEK_HOURS, origins).astype(int):
            if values[end - 4 * WEEK_HOURS : end].sum() > 0:
                yield _task(f"{column}@{end}", "posts", values, values, 0, end, WEEK_HOURS)


def toxicity_tasks(path: str, origins: int) -> Iterator[Task]:
    from mltox.warehouse import open_warehouse

    with open_warehouse(path) as warehouse:
        rows = warehouse.query(
            "SELECT topic, epoch_us(hour) AS hour, posts, posts - posts_unscored AS scored,"
            " mean_toxicity, toxic_share FROM latest_hourly_toxicity"
        ).to_pandas()
    for topic, group in rows.groupby("topic"):
        first = int(group.hour.min()) // HOUR
        index = group.hour.to_numpy() // HOUR - first
        posts, scored = np.zeros(index.max() + 1), np.zeros(index.max() + 1)
        posts[index], scored[index] = group.posts, group.scored
        for metric in METRICS:
            values = posts.copy() if metric == "posts" else np.full(len(posts), np.nan)
            if metric != "posts":
                values[index] = group[metric]
            weights = posts if metric == "posts" else scored
            for end in np.linspace(SPAN, len(posts) - WEEK_HOURS, origins).astype(int):
                yield _task(str(topic), metric, values, weights, first, end, WEEK_HOURS)


def _task(
    name: str, metric: str, values: Floats, posts: Floats, first: int, end: int, horizon: int
) -> Task:
    past, ahead = slice(max(end - SPAN, 0), end), slice(end, end + horizon)
    return Task(name, metric, values[past], posts[past], first + end, values[ahead], posts[ahead])


def history(task: Task) -> History:
    return _history(task.metric, task.values, task.posts, task.run_at)


def _history(metric: str, values: Floats, posts: Floats, run_at: int) -> History:
    hours = (run_at - len(values) + np.arange(len(values))) * HOUR
    found = history_of(metric, hours, values, posts, run_at * HOUR)
    assert found is not None, "a task has known hours"
    return found


def naive2(values: Floats, horizon: int) -> Floats:
    """M4's Naive2: the last value, with a multiplicative season where autocorrelation shows one."""
    period, n = DAY_HOURS, len(values)
    x = values - values.mean()
    power = float(x @ x) or 1.0
    acf = np.array([float(x[:-k] @ x[k:]) / power for k in range(1, period + 1)])
    limit = 1.645 * np.sqrt((1.0 + 2.0 * (acf[:-1] ** 2).sum()) / n)
    if abs(acf[-1]) <= limit:
        return np.full(horizon, values[-1])
    weights = np.ones(period + 1) / period
    weights[[0, -1]] /= 2.0
    trend = np.convolve(values, weights, "valid")
    ratio = values[period // 2 : period // 2 + len(trend)] / np.where(trend > 0, trend, 1.0)
    phase = (np.arange(len(trend)) + period // 2) % period
    season = np.array([ratio[phase == k].mean() for k in range(period)])
    season /= season.mean() or 1.0
    last = values[-1] / max(season[(n - 1) % period], 1e-9)
    return np.asarray(last * season[(n + np.arange(horizon)) % period])


def seasonal_naive(task: Task, horizon: int) -> Floats:
    """Last week, with the quantiles of what weeks differ by."""
    z = np.log1p(task.values) if task.metric == "posts" else task.values
    middle = last_season(z, horizon, WEEK_HOURS)
    middle = np.where(np.isnan(middle), np.nanmedian(z), middle)
    changes = z[WEEK_HOURS:] - z[:-WEEK_HOURS]
    found = middle[:, None] + np.quantile(changes[~np.isnan(changes)], LEVELS)
    found[:, 2] = middle
    return np.maximum(np.expm1(found) if task.metric == "posts" else found, 0.0)


def prophet_default(task: Task, horizon: int) -> Floats:
    from prophet import Prophet

    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).disabled = True
    stamps = pd.to_datetime((task.run_at + np.arange(-len(task.values), horizon)) * 3600, unit="s")
    frame = pd.DataFrame({"ds": stamps[: len(task.values)], "y": task.values}).dropna()
    np.random.seed(0)
    model = Prophet().fit(frame)
    ahead = pd.DataFrame({"ds": stamps[len(task.values) :]})
    return np.asarray(np.quantile(model.predictive_samples(ahead)["yhat"], LEVELS, axis=1).T)


def auto_ets(task: Task, horizon: int) -> Floats:
    from statsforecast.models import AutoETS  # type: ignore[import-not-found]

    known = pd.Series(task.values).interpolate(limit_direction="both").to_numpy()
    found = AutoETS(season_length=DAY_HOURS).forecast(y=known, h=horizon, level=[80, 95])
    names = ("lo-95", "lo-80", "mean", "hi-80", "hi-95")
    return np.column_stack([found[name] for name in names])


RIVALS: Mapping[str, Callable[[Task, int], Floats]] = {
    FLAT: lambda task, horizon: FlatQuantiles().quantiles(history(task), horizon),
    "seasonal naive": seasonal_naive,
    "Prophet's default": prophet_default,
    "AutoETS": auto_ets,
}


def result_of(task: Task, rivals: bool) -> Result:
    horizon = len(task.observed)
    said: dict[str, Floats] = {}
    for name, rival in RIVALS.items():
        if rivals or name in (FLAT, "seasonal naive"):
            with suppress(ImportError):
                said[name] = rival(task, horizon)
    hours = (task.run_at - len(task.values) + np.arange(len(task.values))) * HOUR
    series = (task.name, task.metric, hours, task.values, task.posts, task.run_at * HOUR, horizon)
    rows, _ = forecast_task(SeriesTask(*series, (), ()))
    chances = np.full(horizon, np.nan)
    if rows:
        said[PUBLISHED] = np.array(
            [[r.lower_95, r.lower_80, r.expected, r.upper_80, r.upper_95] for r in rows]
        )
        chances = np.array([row.p_anomaly for row in rows], dtype=float)
    whole = _history(
        task.metric,
        np.concatenate([task.values, task.observed]),
        np.concatenate([task.posts, task.observed_posts]),
        task.run_at + horizon,
    )
    flagged = np.abs(flags(task.metric, whole))[-horizon:].astype(float)
    return Result(task, said, chances, flagged)


def show(metric: str, results: list[Result]) -> None:
    print(f"{metric}: {len(results)} forecasts")
    results = [r for r in results if PUBLISHED in r.said]
    print(f"  {len(results)} of them published")
    base = float(np.nanmean([pinball(r.task.observed, r.said[FLAT]) for r in results]))
    for name in dict.fromkeys(name for r in results for name in r.said):
        mine = [r for r in results if name in r.said]
        cells = [f"  {name:18s}"]
        loss = float(np.nanmean([pinball(r.task.observed, r.said[name]) for r in mine]))
        cells.append(f"pinball {100 * (loss / base - 1):+6.1f} %")
        pairs = [(r.task.observed, r.said[name]) for r in mine]
        inside = np.array(
            [[coverage(y, q[:, 1], q[:, 3]), coverage(y, q[:, 0], q[:, 4])] for y, q in pairs]
        )
        held, least = np.nanmean(inside, axis=0), np.nanmin(inside, axis=0)
        upper = [np.nanmean([coverage(y, y * 0, q[:, k]) for y, q in pairs]) for k in (3, 4)]
        cells.append(f"held {held[0]:.1%} / {held[1]:.1%}")
        cells.append(f"least {least[0]:.0%} / {least[1]:.0%}")
        cells.append(f"upper {upper[0]:.1%} / {upper[1]:.1%}")
        if metric == "posts":
            cells.append(_owa(mine, name))
        print("  ".join(cells), flush=True)
    _show_chances(results)


def _owa(results: list[Result], name: str) -> str:
    figures = []
    for r in results:
        naive = naive2(r.task.values, len(r.task.observed))
        row = [
            f(r.task.observed, said)
            for said in (r.said[name][:, 2], naive)
            for f in (smape, lambda y, q, past=r.task.values: mase(y, q, past))
        ]
        if np.isfinite(row).all():
            figures.append(row)
    percent, scaled, percent_naive, scaled_naive = np.mean(figures, axis=0)
    owa = (percent / percent_naive + scaled / scaled_naive) / 2
    return f"sMAPE {percent:.2f}  MASE {scaled:.3f}  OWA {owa:.4f}"


def _show_chances(results: list[Result]) -> None:
    said = np.concatenate([r.chances for r in results])
    came = np.concatenate([r.flagged for r in results])
    which = np.minimum((said * BINS).astype(int), BINS - 1)
    error = 0.0
    print("  p_anomaly:", end="")
    for bin_ in np.unique(which):
        mine = which == bin_
        error += mine.mean() * abs(said[mine].mean() - came[mine].mean())
        print(
            f" {mine.sum()} hours said {said[mine].mean():.4f} came {came[mine].mean():.4f};",
            end="",
        )
    print(f" expected calibration error {error:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("kind", choices=("m4", "counts", "toxicity"))
    parser.add_argument("path")
    parser.add_argument("--series", type=int, default=414, help="of M4's 414 series")
    parser.add_argument("--origins", type=int, default=5, help="origins for each series")
    parser.add_argument("--rivals", action="store_true", help="Prophet's default and AutoETS too")
    parser.add_argument("--processes", type=int, default=1)
    args = parser.parse_args()
    makers = {"m4": m4_tasks, "counts": count_tasks, "toxicity": toxicity_tasks}
    tasks = list(makers[args.kind](args.path, args.series if args.kind == "m4" else args.origins))
    with ProcessPoolExecutor(args.processes) as pool:
        results = list(pool.map(result_of, tasks, [args.rivals] * len(tasks)))
    for metric in METRICS:
        mine = [each for each in results if each.task.metric == metric]
        if mine:
            show(metric, mine)


if __name__ == "__main__":
    main()
