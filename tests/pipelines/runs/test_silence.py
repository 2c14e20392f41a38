"""A topic that falls silent while another speaks: told by a live run and by a backfill, alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from mltox.posts.records import SECOND, Anomaly, Message
from mltox.warehouse import Warehouse, open_warehouse, read_records
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs.backfill.local import backfill
from pipelines.runs.local_stream.state import LocalState
from pipelines.runs.local_stream.turn import Turns
from tests.pipelines.streams import SETTINGS

T0 = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
SPOKEN, HOURS, POSTS = 24, 30, 12
"""The dam has posts in the first 24 of 30 hours, the river in all of them."""
TEXTS = ("good morning", "what a game", "lovely weather today")
Told = list[tuple[int, str, str, str, str]]


def rows() -> Iterator[dict[str, Any]]:
    for hour in range(HOURS):
        for topic in ("dam", "river") if hour < SPOKEN else ("river",):
            for number in range(POSTS):
                moment = datetime.fromtimestamp(T0 + hour * 3600 + 250 * number, UTC)
                yield {
                    "id": f"{topic}-{hour}-{number}", "text": TEXTS[number % 3], "lang": "en",
                    "created_at": moment.isoformat(), "topic": topic,
                }  # fmt: skip


def told(warehouse: Warehouse, topic: str = "dam") -> Told:
    found = read_records(
        warehouse,
        "anomalies",
        Anomaly,
        where="topic = ? AND detector != 'retrospective'",
        params=(topic,),
        order_by="hour",
    )
    return [
        ((a.hour // SECOND - T0) // 3600, a.metric, a.direction, a.detector, a.status)
        for a in found
    ]


def opened(path: Path) -> LocalState:
    warehouse = DuckDBWarehouse(path)
    warehouse.create()
    state = LocalState(warehouse, 0.4, 600 * SECOND, alerting=True)
    state.open()
    return state


def live(path: Path, restart_at: int | None = None) -> tuple[Told, dict[int, Told]]:
    """What is in the table at the end, and what was after each hour."""
    state, by_hour = opened(path), {}
    turns = Turns(SETTINGS, state, PipelineOptions([]))
    for hour in (SPOKEN - 1, *range(SPOKEN, HOURS)):
        if hour == restart_at:
            state.close()
            state.warehouse.close()
            state = opened(path)
            turns = Turns(SETTINGS, state, PipelineOptions([]))
        first = 0 if hour < SPOKEN else hour
        posts = [row for row in rows() if first <= int(row["id"].split("-")[1]) <= hour]
        turns.run([Message(json.dumps(row).encode(), row["id"]) for row in posts])
        if state.has_due():
            turns.run([])
        by_hour[hour] = told(state.warehouse)
    state.close()
    found = told(state.warehouse)
    assert told(state.warehouse, "river") == []
    state.warehouse.close()
    return found, by_hour


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, dict[int, Told]]:
    return live(tmp_path_factory.mktemp("live") / "w.duckdb")


def test_it_is_told_while_it_lasts(watched: tuple[Told, dict[int, Told]]) -> None:
    found, by_hour = watched
    assert by_hour[SPOKEN] == []
    first = found[0]
    assert first[0] <= SPOKEN + 2
    assert (first[1], first[2], first[4]) == ("posts", "down", "open")
    assert "silence" in first[3]
    for hour in range(first[0] + 1, HOURS):  # the hour before is over
        assert by_hour[hour][-1][0] == hour - 1
    assert {status for *_, status in found[1:]} == {"updated"}


def test_a_run_that_starts_in_it_goes_on(
    watched: tuple[Told, dict[int, Told]], tmp_path: Path
) -> None:
    assert live(tmp_path / "w.duckdb", restart_at=SPOKEN + 4)[0] == watched[0]


@pytest.mark.parametrize("slice_posts", [50_000, 300], ids=["at once", "in slices"])
def test_a_backfill_tells_the_same(
    watched: tuple[Told, dict[int, Told]], tmp_path: Path, slice_posts: int
) -> None:
    """And a second one changes nothing."""
    source = tmp_path / "posts.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows()))
    for _ in range(2):
        with open_warehouse(str(tmp_path / "w.duckdb")) as warehouse:
            report = backfill(
                [str(source)], replace(SETTINGS), warehouse, slice_posts=slice_posts, show=False
            )
            found = told(warehouse)
        assert [each for each in found if each[0] < HOURS - 1] == watched[0]
        assert found[-1][0] == HOURS - 1  # whose end a live run would still wait for
        assert report["anomalies"] == len(found)
