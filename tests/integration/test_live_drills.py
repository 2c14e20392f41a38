"""Drills of the live run on one machine: real emulator, real processes, real kills."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.live_process import (
    Live,
    told,
    wait_for,
    wait_for_all,
    wait_for_quiet,
)
from tests.integration.pubsub import drill, emulated, need_emulator, publish
from tests.integration.truth import check

pytestmark = pytest.mark.drill


@pytest.fixture
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


def publish_slowly(payloads: Sequence[bytes], seconds: float) -> Iterator[int]:
    """Publishes 250 more at each step; yields how many."""
    parts = [payloads[start : start + 250] for start in range(0, len(payloads), 250)]
    for part in parts:
        publish(part)
        time.sleep(seconds / len(parts))
        yield len(part)


@pytest.mark.parametrize("seed", [11])
def test_killed_at_ten_moments_nothing_is_lost_or_counted_twice(
    emulator: str, tmp_path: Path, seed: int
) -> None:
    expected = drill(20_000, seed)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    generator = random.Random(seed)
    publishing = publish_slowly(expected.payloads, 90)
    for _ in range(10):
        with Live(path, emulator, log):  # leaving it kills it
            until = time.monotonic() + generator.uniform(5, 12)
            while time.monotonic() < until:
                if next(publishing, None) is None:
                    time.sleep(max(0.0, until - time.monotonic()))
    for _ in publishing:
        pass
    with Live(path, emulator, log) as live:
        wait_for_quiet(log)
        assert live.stop() == 0
    check(path, expected)


def test_the_emulator_goes_away_and_comes_back(tmp_path: Path) -> None:
    need_emulator()
    expected = drill(2_000, 5)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    with ExitStack() as processes:
        with emulated() as address:
            port = int(address.rpartition(":")[2])
            live = processes.enter_context(Live(path, address, log))
            publish(expected.payloads[:1_000])
            wait_for(log, "rows: ")
        wait_for(log, "Pub/Sub does not answer")
        assert live.process.poll() is None
        before = told(log)
        # The emulator forgets everything: a run that asks before the subscription is made anew has
        # to end, as it would where somebody deleted it.
        live.process.send_signal(signal.SIGSTOP)
        with emulated(port):
            publish(expected.payloads)
            live.process.send_signal(signal.SIGCONT)
            wait_for_all(log, len(expected.posts), before.letters + expected.malformed)
            assert live.stop() == 0
    assert "Traceback" not in log.read_text()
    check(path, expected)


def test_ctrl_c_commits_what_was_pulled_and_leaves_the_rest(emulator: str, tmp_path: Path) -> None:
    expected = drill(6_000, 7)
    log, path = tmp_path / "live.log", tmp_path / "live.duckdb"
    with Live(path, emulator, log) as live:
        publish(expected.payloads[:3_000])
        wait_for(log, "rows: ")
        assert live.stop() == 0
    assert "rows read" in log.read_text()
    publish(expected.payloads[3_000:])
    with Live(path, emulator, log) as live:
        wait_for_all(log, len(expected.posts), expected.malformed)
        assert live.stop() == 0
    check(path, expected)
