"""Was it right? Past runs beside what came."""

from __future__ import annotations

from pathlib import Path

from dashboards.past import PastHour, PastRun, newest, said_and_came, section
from dashboards.view import Told, gather
from mltox.posts.records import DAY, HOUR
from mltox.warehouse import open_warehouse
from tests.mltox.warehouse.examples import MONDAY, forecast, hourly

BAD = "<script>alert(1)</script>"


def run(day: int, topic: str = "a", failed: bool = False) -> PastRun:
    return PastRun(topic, "posts", MONDAY + day * DAY, 24, 1.25, 0.5, 0.9, failed)


def hour(ahead: int, observed: float = 2.0) -> PastHour:
    return PastHour("a", "posts", MONDAY, ahead, 2.0, 0.0, 4.0, observed)


def test_the_newest_runs_of_each_series_are_kept() -> None:
    kept = newest([run(day) for day in range(5)] + [run(1, "b")])
    assert [(each.topic, (each.run_at - MONDAY) // DAY) for each in kept] == [
        ("a", 4),
        ("a", 3),
        ("a", 2),
        ("b", 1),
    ]


def test_what_failed_is_marked_and_names_are_escaped() -> None:
    html = section([run(0, BAD, failed=True)], [], {BAD: 0})
    assert "bands failed for weeks" in html
    assert BAD not in html
    assert 'data-of="0"' in html
    assert section([], [], {}) == ""


def test_the_picture_has_a_dot_for_each_hour_that_came() -> None:
    drawn = said_and_came([hour(3), hour(1), hour(2, 9.0)])
    assert drawn is not None
    assert drawn.dots.count("h.01") == 3
    html = section([run(0)], [hour(3), hour(1), hour(2, 9.0)], {})
    assert 'aria-label="3 hours said and come"' in html
    assert said_and_came([hour(1)]) is None


def test_a_page_has_them_of_its_warehouse(tmp_path: Path) -> None:
    with open_warehouse(str(tmp_path / "w.duckdb")) as warehouse:
        warehouse.create()
        warehouse.upsert("hourly_toxicity", [hourly(hour=MONDAY + h * HOUR) for h in range(30)])
        warehouse.upsert(
            "forecasts",
            [
                forecast(metric="posts", run_at=MONDAY, hour=MONDAY + h * HOUR, expected=10.0)
                for h in range(40)
            ],
        )
        view = gather(warehouse, Told())
    assert [(each.topic, each.hours) for each in view.past_runs] == [("politics", 30)]
    assert len(view.past_hours) == 30
