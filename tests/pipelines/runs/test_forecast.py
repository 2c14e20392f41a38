"""From hourly rows to forecasts: the graph, what it knows of the whole warehouse, processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mltox.base.errors import UsageError
from mltox.forecasting.adaptive import PastCoverage
from mltox.posts.records import DAY, HOUR, Forecast, HourlyToxicity, Micros
from mltox.warehouse import Warehouse, open_warehouse, read_records
from pipelines.options import ForecastOptions
from pipelines.runs.forecast import extent_of, forecast, past_outcomes, processes_of
from tests.mltox.warehouse.examples import MONDAY, hourly
from tests.mltox.warehouse.examples import forecast as said

NOW = MONDAY + 400 * DAY


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = open_warehouse(str(tmp_path / "w.duckdb"))
    made.create()
    return made


def hours(topic: str, first: Micros, count: int, seed: int = 0) -> list[HourlyToxicity]:
    rng = np.random.default_rng(seed)
    posts = rng.poisson(10 * np.exp(np.sin(np.arange(count) * np.pi / 12)) + 1)
    return [
        hourly(
            topic=topic, hour=first + step * HOUR, posts=int(n), mean_toxicity=0.1 + 0.01 * (n % 3)
        )
        for step, n in enumerate(posts)
        if n
    ]


def test_an_hour_that_is_not_over_is_not_observed(warehouse: Warehouse) -> None:
    warehouse.upsert("hourly_toxicity", hours("a", MONDAY, 10))
    extent = extent_of(warehouse, MONDAY + 5 * HOUR + HOUR // 2)
    assert extent is not None
    assert extent.run_at == MONDAY + 5 * HOUR
    warehouse.upsert("hourly_toxicity", [hourly(topic="b", hour=NOW + 999 * DAY)])
    extent = extent_of(warehouse, NOW)
    assert extent is not None
    assert (extent.topics, extent.run_at) == (1, MONDAY + 10 * HOUR)
    assert extent_of(warehouse, MONDAY) is None


def test_a_gap_of_all_topics_is_a_gap_and_a_silence_of_one_is_none(warehouse: Warehouse) -> None:
    rows = hours("a", MONDAY, 500) + hours("b", MONDAY, 500, seed=1)
    gap = range(300, 320)
    warehouse.upsert(
        "hourly_toxicity",
        [row for row in rows if row.topic == "b" or (row.hour - MONDAY) // HOUR not in gap],
    )
    extent = extent_of(warehouse, NOW)
    assert extent is not None
    assert extent.origin.gaps == ()


def test_the_gap_is_handed_on(warehouse: Warehouse) -> None:
    rows = hours("a", MONDAY, 500) + hours("b", MONDAY, 500, seed=1)
    gap = range(300, 320)
    warehouse.upsert(
        "hourly_toxicity", [row for row in rows if (row.hour - MONDAY) // HOUR not in gap]
    )
    extent = extent_of(warehouse, NOW)
    assert extent is not None
    assert extent.origin.gaps == ((MONDAY + 300 * HOUR, MONDAY + 320 * HOUR),)


def test_past_runs_are_learned_from_oldest_first(warehouse: Warehouse) -> None:
    warehouse.upsert("hourly_toxicity", hours("politics", MONDAY, 72))
    warehouse.upsert(
        "forecasts",
        [
            said(
                metric="posts",
                run_at=run_at,
                hour=run_at + step * HOUR,
                lower_80=low,
                upper_80=1e6,
                lower_95=0.0,
                upper_95=1e6,
            )
            for run_at, low in ((MONDAY + DAY, 0.0), (MONDAY, 1e5), (MONDAY + 2 * DAY, 0.0))
            for step in range(24 if run_at < MONDAY + 2 * DAY else 5)
        ],
    )
    assert past_outcomes(warehouse) == {
        ("politics", "posts"): (PastCoverage(24, 0.0, 1.0), PastCoverage(24, 1.0, 1.0))
    }


def published(warehouse: Warehouse) -> list[Forecast]:
    return read_records(warehouse, "forecasts", Forecast, order_by="topic, metric, hour")


def test_processes_make_no_difference(tmp_path: Path) -> None:
    found = []
    for processes in (1, 2):
        with open_warehouse(str(tmp_path / f"{processes}.duckdb")) as warehouse:
            warehouse.create()
            warehouse.upsert(
                "hourly_toxicity", hours("a", MONDAY, 400) + hours("b", MONDAY, 400, 1)
            )
            extent = forecast(warehouse, horizon=48, show=False, processes=processes)
            assert extent is not None
            found.append(published(warehouse))
    assert len(found[0]) == 2 * 3 * 48
    assert found[0] == found[1]


def test_a_topic_that_ended_has_no_rows_and_others_do(warehouse: Warehouse) -> None:
    warehouse.upsert("hourly_toxicity", hours("a", MONDAY, 500) + hours("b", MONDAY, 300, 1))
    forecast(warehouse, horizon=24, show=False)
    assert {row.topic for row in published(warehouse) if row.metric == "posts"} == {"a"}


def test_processes_are_one_for_each_core_in_a_local_run_alone() -> None:
    assert processes_of(ForecastOptions(["--processes=3"])) == 3
    assert processes_of(ForecastOptions([])) >= 1
    assert processes_of(ForecastOptions(["--runner=DataflowRunner", "--processes=3"])) == 1
    with pytest.raises(UsageError, match="--processes"):
        processes_of(ForecastOptions(["--processes=0"]))
