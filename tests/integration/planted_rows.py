"""Rows of a warehouse with waves, anomalies and a forecast; all that people wrote is hostile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from dashboards.page import write_page
from mltox.posts.records import (
    HOUR,
    SECOND,
    Anomaly,
    DeadLetter,
    Forecast,
    ForecastAccuracy,
    HourlyToxicity,
    ScoredPost,
)
from mltox.warehouse import open_warehouse

START = 1_451_865_600 * SECOND  # Monday 4 January 2016, 00:00 UTC
HOSTILE = (
    '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
    '<b>bold</b><br><a href="javascript:window.pwned=1">click</a> %{x} $x ${1} &lt;i&gt; \u2028'
)
TOXIC = "Everyone here is a pathetic liar " + HOSTILE
MILD = "What a lovely match 😍 " + HOSTILE


def hour_row(topic: str, at: int, scored: bool = True) -> HourlyToxicity:
    wave = 1 + 0.4 * math.sin(2 * math.pi * at / 24)
    posts, mean = round(20 * wave), 0.08 * wave if scored else None

    def part(share: float) -> float | None:
        return None if mean is None else mean * share

    return HourlyToxicity(
        topic, START + at * HOUR, "default@0123456789ab", posts, 2 if scored else posts, posts - 3,
        mean, part(0.5), part(2.0), part(0.1), part(0.6), part(0.05), part(0.7), part(0.2), None,
        1, True, START + at * HOUR,
    )  # fmt: skip


def anomaly_rows(topic: str, at: int, hours: int) -> Iterator[Anomaly]:
    for i in range(hours):
        status = "resolved" if i == hours - 1 else "updated"
        yield Anomaly(
            topic, START + (at + i) * HOUR, "mean_toxicity", 0.3 + 0.01 * i, 0.08, 0.02, 0.15, 8.0,
            "critical", "up", "seasonal_1h", status, ("liar", HOSTILE),
            (f"x:{at}-toxic", f"x:{at}-mild"), 0.4, START,
        )  # fmt: skip


def post_rows(topic: str, at: int) -> Iterator[ScoredPost]:
    for kind, text, toxicity in (("toxic", TOXIC, 0.93), ("mild", MILD, 0.12)):
        created = START + at * HOUR
        yield ScoredPost(
            topic, f"x:{at}-{kind}", "x", "a" * 32, text, f"{at:032d}{kind:0>32}", "en", created,
            created, created, "default@0123456789ab", "0" * 64, toxicity, *[0.1] * 6,
        )  # fmt: skip


def forecast_rows(topic: str, start: int) -> Iterator[Forecast | ForecastAccuracy]:
    run_at = START + start * HOUR
    for metric, level in (("posts", 20.0), ("mean_toxicity", 0.08), ("toxic_share", 0.04)):
        for i in range(168):
            yield Forecast(
                topic, metric, run_at, run_at + i * HOUR, level, level * 0.8, level * 1.2,
                level * 0.6, level * 1.4, "prophet", 0.02,
            )  # fmt: skip
        for method, mase in (("prophet", 0.8), ("seasonal_naive", 1.0)):
            yield ForecastAccuracy(
                topic, metric, run_at, method, 168, mase, 0.2, 0.1, 0.8, 0.95, method == "prophet"
            )


def fill(path: Path, topics: dict[str, bool], hours: int, incidents: tuple[int, ...] = ()) -> Path:
    """A page over a warehouse of `topics` (scored or not), with anomalies at those hours."""
    with open_warehouse(str(path / "w.duckdb")) as warehouse:
        warehouse.create()
        for topic, scored in topics.items():
            warehouse.upsert(
                "hourly_toxicity", [hour_row(topic, at, scored) for at in range(hours)]
            )
            posts = [row for at in incidents for row in post_rows(topic, at)]
            anomalies = [row for at in incidents for row in anomaly_rows(topic, at, 4)]
            if posts and scored:
                warehouse.upsert("scored_posts", posts)
                warehouse.upsert("anomalies", anomalies)
                rows = list(forecast_rows(topic, hours))
                for table, kind in (
                    ("forecasts", Forecast),
                    ("forecast_accuracy", ForecastAccuracy),
                ):
                    warehouse.upsert(table, [row for row in rows if isinstance(row, kind)])
        if incidents:
            letter = DeadLetter("1", "parse", "missing_text", HOSTILE, HOSTILE, None, START)
            warehouse.upsert("dead_letters", [letter])
        return write_page(warehouse, path / "page.html", sample=True)
