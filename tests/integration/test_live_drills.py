"""Drills of the live run on one machine: real emulator, real processes, real kills."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipelines.warehouse.duckdb import DuckDBWarehouse
from tests.integration.pubsub import (
    SUBSCRIPTION,
    Drill,
    drill,
    emulated,
    environment,
    need_emulator,
    publish,
)

pytestmark = pytest.mark.drill


@pytest.fixture
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


class Live:
    """`mltox stream` as a process of its own."""

    def __init__(self, warehouse: Path, address: str, log: Path) -> None:
        command = [sys.executable, "-m", "mltox", "stream", "--input_subscription", SUBSCRIPTION,
                   "--warehouse", str(warehouse), "--disorder_minutes", "150",
                   "--topic", "everything"]  # fmt: skip
        self._log = log.open("ab")
        self.process = subprocess.Popen(
            command, env=environment(address), stdout=self._log, stderr=self._log
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


def wait_for_quiet(log: Path, seconds: float = 14.0, at_most: float = 300.0) -> None:
    """Until nothing was committed for longer than Pub/Sub waits to deliver again."""
    deadline, size, since = time.monotonic() + at_most, -1, time.monotonic()
    while time.monotonic() < deadline:
        now = log.stat().st_size
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > seconds:
            return
        time.sleep(0.5)
    raise AssertionError(f"still busy after {at_most} s:\n{log.read_text()[-3000:]}")


def check(path: Path, expected: Drill) -> None:
    """Every distinct valid post once, hourly counts as in truth, a letter for each malformed."""
    with DuckDBWarehouse(path) as warehouse:
        posts = [row["post_id"] for row in
                 warehouse.query("SELECT post_id FROM scored_posts").to_pylist()]  # fmt: skip
        counts = {row["h"]: row["posts"] for row in warehouse.query(
            "SELECT epoch(hour)::BIGINT AS h, posts FROM hourly_toxicity").to_pylist()}  # fmt: skip
        letters = warehouse.query("SELECT payload FROM dead_letters").num_rows
    assert Counter(posts) == Counter(list(expected.posts))
    truth = Counter(int(moment.timestamp()) // 3600 * 3600 for moment in expected.posts.values())
    assert counts == dict(truth)
    assert letters == expected.malformed


def publish_slowly(payloads: Sequence[bytes], seconds: float) -> Iterator[None]:
    parts = [payloads[start : start + 250] for start in range(0, len(payloads), 250)]
    for part in parts:
        publish(part)
        time.sleep(seconds / len(parts))
        yield


@pytest.mark.parametrize("seed", [11])
def test_killed_at_ten_moments_nothing_is_lost_or_counted_twice(
    emulator: str, tmp_path: Path, seed: int
) -> None:
    expected = drill(20_000, seed)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    generator = random.Random(seed)
    live = Live(path, emulator, log)
    kills, next_kill = 0, time.monotonic() + generator.uniform(4, 8)
    for _ in publish_slowly(expected.payloads, 50):
        if kills < 10 and time.monotonic() > next_kill:
            live.kill()
            kills += 1
            live = Live(path, emulator, log)
            next_kill = time.monotonic() + generator.uniform(4, 8)
    while kills < 10:
        time.sleep(generator.uniform(4, 8))
        live.kill()
        kills += 1
        live = Live(path, emulator, log)
    wait_for_quiet(log)
    assert live.stop() == 0
    check(path, expected)


def test_the_emulator_goes_away_and_comes_back(tmp_path: Path) -> None:
    need_emulator()
    expected = drill(2_000, 5)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    with emulated() as address:
        port = int(address.rpartition(":")[2])
        live = Live(path, address, log)
        publish(expected.payloads[:1_000])
        wait_for_quiet(log, seconds=6)
    deadline = time.monotonic() + 60
    while "Pub/Sub does not answer" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.5)
    assert "Pub/Sub does not answer" in log.read_text()
    assert live.process.poll() is None
    with emulated(port):  # it forgets everything: topics and messages are made anew
        publish(expected.payloads)
        wait_for_quiet(log, seconds=35)
        assert live.stop() == 0
    check(path, expected)


def test_ctrl_c_commits_what_was_pulled_and_leaves_the_rest(emulator: str, tmp_path: Path) -> None:
    expected = drill(6_000, 7)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    live = Live(path, emulator, log)
    publish(expected.payloads[:3_000])
    time.sleep(6)
    assert live.stop() == 0
    assert "rows read" in log.read_text()
    publish(expected.payloads[3_000:])
    live = Live(path, emulator, log)
    wait_for_quiet(log)
    assert live.stop() == 0
    check(path, expected)
