"""What a backfill says when it knows all hours, in the table beside what it said hour by hour."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mltox.posts.records import HOUR, HourlyToxicity, Micros, ScoredPost
from mltox.warehouse import Warehouse, open_warehouse
from pipelines.runs.backfill.hindsight import judge_in_hindsight

START: Micros = 1_451_908_800_000_000
TOPIC = "dam"
BURST = 40


def row(at: int, posts: int) -> HourlyToxicity:
    hour = START + at * HOUR
    return HourlyToxicity(
        TOPIC, hour, "m@1", posts, 0, posts, 0.1, 0.0, None, None, None, None, None, None, None, 1,
        True, hour,
    )  # fmt: skip


def post(at: int, number: int, text: str) -> ScoredPost:
    stamp = START + at * HOUR + number
    return ScoredPost(
        TOPIC, f"x:{at}-{number}", "x", f"a{number}", text, f"{at:04x}{number:04x}", "en", stamp,
        stamp, stamp, "m@1", "f", 0.1, *[None] * 6,
    )  # fmt: skip


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    """60 hours of three posts, but one in which the dam breaks."""
    with open_warehouse(str(tmp_path / "w.duckdb")) as made:
        made.create()
        made.upsert("hourly_toxicity", [row(at, 80 if at == BURST else 3) for at in range(60)])
        calm = [post(at, i, f"calm {chr(97 + at % 26)}{i}") for at in range(60) for i in range(3)]
        loud = [post(BURST, 10 + i, f"the dam burst, run {chr(97 + i % 26)}") for i in range(77)]
        made.upsert("scored_posts", [*calm, *loud])
        yield made


def said(warehouse: Warehouse) -> list[dict[str, Any]]:
    return warehouse.query(
        "SELECT hour, metric, detector, status, direction, terms, len(example_post_ids) AS examples"
        " FROM anomalies ORDER BY hour"
    ).to_pylist()


def test_the_hour_is_found_and_told_from_its_posts(warehouse: Warehouse) -> None:
    assert judge_in_hindsight(warehouse, [TOPIC, "nothing"], now=1) == 2
    [found] = said(warehouse)
    assert int(found["hour"].timestamp()) * 1_000_000 == START + BURST * HOUR
    assert (found["metric"], found["detector"], found["direction"], found["status"]) == (
        "posts", "retrospective", "up", "resolved",
    )  # fmt: skip
    assert any("burst" in term for term in found["terms"])
    assert found["examples"] == 5
    [span] = warehouse.query("SELECT detector, hours_judged FROM judged_spans").to_pylist()
    assert span == {"detector": "retrospective", "hours_judged": 60}


def test_a_second_run_changes_nothing(warehouse: Warehouse) -> None:
    judge_in_hindsight(warehouse, [TOPIC], now=1)
    before = said(warehouse)
    assert judge_in_hindsight(warehouse, [TOPIC], now=2) == 0
    assert said(warehouse) == before


def test_words_of_the_topic_explain_nothing(warehouse: Warehouse) -> None:
    judge_in_hindsight(warehouse, [TOPIC], now=1, keywords={TOPIC: ("burst", "run")})
    [found] = said(warehouse)
    assert not {"burst", "run", "dam"} & set(" ".join(found["terms"]).split())


def test_what_more_hours_show_to_be_ordinary_is_taken_back(warehouse: Warehouse) -> None:
    judge_in_hindsight(warehouse, [TOPIC], now=1)
    warehouse.upsert("hourly_toxicity", [row(at, 80) for at in range(60, 300)])
    judge_in_hindsight(warehouse, [TOPIC], now=2)
    statuses = {(r["hour"], r["metric"]): r["status"] for r in said(warehouse)}
    shown = warehouse.query("SELECT hour, metric FROM anomaly_details").to_pylist()
    withdrawn = {key for key, status in statuses.items() if status == "withdrawn"}
    assert not withdrawn & {(r["hour"], r["metric"]) for r in shown}
    assert len(shown) + len(withdrawn) == len(statuses)
