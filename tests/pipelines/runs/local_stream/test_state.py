"""The watermark of a local live run: what moves it, and what must not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mltox.posts.records import HOUR, SECOND, Micros
from mltox.warehouse.duckdb.warehouse import DuckDBWarehouse
from pipelines.runs.local_stream.state import LocalState
from pipelines.transforms.hour_accumulator import HourAccumulator
from pipelines.transforms.turn_state import HourKey

DISORDER: Micros = 600 * SECOND
NOW: Micros = 500_000 * HOUR + 1_234 * SECOND


@pytest.fixture
def state(tmp_path: Path) -> Iterator[LocalState]:
    with DuckDBWarehouse(tmp_path / "w.duckdb") as warehouse:
        warehouse.create()
        made = LocalState(warehouse, 0.4, DISORDER)
        made.open()
        yield made
        made.close()


@pytest.mark.parametrize(
    ("behind", "moves"),
    [
        (DISORDER + 1, True),
        (HOUR, True),
        (2 * HOUR + DISORDER - 1, True),
        (2 * HOUR + DISORDER, False),
        (3 * HOUR, False),
        (365 * 24 * HOUR, False),
    ],
    ids=["minutes", "an hour", "just two hours", "two hours", "three hours", "a year"],
)
def test_silence_lets_time_pass_only_where_posts_are_of_the_present(
    state: LocalState, behind: Micros, moves: bool
) -> None:
    """A replay of old posts that pauses would else close its hours, and everything that comes after
    the pause would be late."""
    state.watermark = NOW - behind
    state.idle(NOW)
    assert state.watermark == (NOW - DISORDER if moves else NOW - behind)


def test_silence_before_the_first_post_moves_nothing(state: LocalState) -> None:
    assert state.watermark == 0
    state.idle(NOW)
    assert state.watermark == 0


def test_silence_never_turns_time_back(state: LocalState) -> None:
    state.watermark = NOW - DISORDER // 2
    state.idle(NOW)
    assert state.watermark == NOW - DISORDER // 2


def test_a_paused_replay_has_no_hour_due_and_a_quiet_present_one_has(state: LocalState) -> None:
    for behind, due in ((365 * 24 * HOUR, False), (HOUR + DISORDER, True)):
        hour = (NOW - behind) - (NOW - behind) % HOUR
        state.hours = {HourKey("t", hour, "m"): HourAccumulator(0.4)}
        state.watermark = hour + HOUR // 2
        state.idle(NOW)
        assert state.has_due() is due
