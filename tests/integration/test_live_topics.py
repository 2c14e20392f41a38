"""Drills of what a live run publishes: after the commit, and also when it is killed in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.live_process import Live, told, wait_for, wait_for_all
from tests.integration.pubsub import (
    START,
    TEXTS,
    delete,
    emulated,
    heard,
    listen,
    need_emulator,
    publish,
)

MASKED = '{"[masked]"'
"""What is kept of a letter whose payload is no JSON."""

pytestmark = pytest.mark.drill

QUIET_DAYS = 10


@pytest.fixture
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


def posts(first_hour: int, last_hour: int, busy: tuple[int, ...] = ()) -> list[bytes]:
    """Five posts an hour, and forty in a busy one."""
    rows = []
    for hour in range(first_hour, last_hour):
        count = 40 if hour in busy else 5
        for number in range(count):
            moment = START + timedelta(hours=hour, seconds=3600 * number // count)
            rows.append({"id": f"{hour}-{number}", "text": TEXTS[number % len(TEXTS)],
                         "created_at": moment.isoformat(), "lang": "en"})  # fmt: skip
    return [json.dumps(row).encode() for row in rows]


def hour_of(alert: dict[str, Any]) -> int:
    return int((alert["hour"] / 1e6 - START.timestamp()) // 3600)


def test_letters_and_alerts_come_after_the_commit(emulator: str, tmp_path: Path) -> None:
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    surge = 24 * QUIET_DAYS
    (letters, letters_heard), (alerts, alerts_heard) = listen("letters"), listen("alerts")
    with Live(
        path, emulator, log, "--dead_letter_topic", letters, "--alerts_topic", alerts
    ) as live:
        publish([*posts(0, surge + 5, busy=(surge,)), b"{broken"])
        (letter,) = heard(letters_heard, 1)
        (alert,) = heard(alerts_heard, 1)
        assert live.stop() == 0
    assert letter["error_type"] == "malformed_json" and letter["payload"] == MASKED
    assert (hour_of(alert), alert["metric"], alert["observed"]) == (surge, "posts", 40.0)
    with DuckDBWarehouse(path) as warehouse:
        kept = warehouse.query("SELECT letter_id FROM dead_letters").to_pylist()
        found = warehouse.query("SELECT topic, metric FROM anomalies").to_pylist()
    assert kept == [{"letter_id": letter["letter_id"]}]
    assert found == [{"topic": alert["topic"], "metric": "posts"}]


def test_a_kill_between_the_commit_and_the_topics_loses_neither(
    emulator: str, tmp_path: Path
) -> None:
    """The topics are gone when the turn has committed, which holds it up there; then it is killed
    and they come back."""
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    surge = 24 * QUIET_DAYS
    (letters, _), (alerts, _) = listen("letters"), listen("alerts")
    topics = ("--dead_letter_topic", letters, "--alerts_topic", alerts)
    before = posts(0, surge)
    with Live(path, emulator, log, *topics):
        publish(before)
        wait_for_all(log, len(before), 0)
        delete(alerts)
        publish(posts(surge, surge + 5, busy=(surge,)))
        wait_for(log, f"there is no topic {alerts}")
    _, alerts_heard = listen("alerts")
    with Live(path, emulator, log, *topics):
        (alert,) = heard(alerts_heard, 1)
        delete(letters)
        publish([b"{broken"])
        wait_for(log, f"there is no topic {letters}")
    _, letters_heard = listen("letters")
    with Live(path, emulator, log, *topics) as live:
        (letter,) = heard(letters_heard, 1)
        assert heard(alerts_heard, 1, seconds=10) == []  # published once, not at every start
        assert live.stop() == 0
    assert hour_of(alert) == surge and letter["payload"] == MASKED
    assert told(log).posts >= len(before)
