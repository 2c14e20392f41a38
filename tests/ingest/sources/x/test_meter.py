from __future__ import annotations

from pathlib import Path

import pytest

from ingest.cursors.store import LocalStore
from ingest.sources.handover import Stopped
from ingest.sources.x.budget import Budget, BudgetSpent
from ingest.sources.x.meter import RESERVED_READS, Meter


def budget(folder: Path, limit: int | None = None) -> Budget:
    return Budget(LocalStore(folder), "x", limit)


def test_what_was_not_made_is_given_back(tmp_path: Path) -> None:
    meter = Meter(budget(tmp_path))
    assert meter.take(300, 30) == 300
    meter.give_back(290)
    meter.close()
    assert budget(tmp_path).used() == 10


def test_a_request_that_was_given_up_counts(tmp_path: Path) -> None:
    meter = Meter(budget(tmp_path))
    meter.take(300, 30)
    meter.close()
    meter.give_back(300)  # its answer came too late
    with pytest.raises(Stopped):
        meter.count(1)
    assert budget(tmp_path).used() == 300


def test_what_is_left_can_be_given_back_for_a_while(tmp_path: Path) -> None:
    meter = Meter(budget(tmp_path))
    meter.count(2)
    meter.rest()
    assert budget(tmp_path).used() == 2
    meter.count(3)
    meter.close()
    assert budget(tmp_path).used() == 5


def test_while_it_is_open_more_is_counted_than_used(tmp_path: Path) -> None:
    meter = Meter(budget(tmp_path))
    meter.count(1)
    assert budget(tmp_path).used() == RESERVED_READS
    for _ in range(RESERVED_READS):
        meter.count(1)
    meter.close()
    assert budget(tmp_path).used() == RESERVED_READS + 1


def test_no_more_is_granted_than_the_month_has(tmp_path: Path) -> None:
    meter = Meter(budget(tmp_path, limit=100))
    assert meter.take(300, 30) == 100
    meter.give_back(80)
    assert meter.take(300, 30) == 80
    meter.give_back(51)
    with pytest.raises(BudgetSpent):
        meter.take(300, 60)
    meter.close()
    assert budget(tmp_path).used() == 49


def test_what_comes_unasked_ends_with_the_last_read(tmp_path: Path) -> None:
    meter = Meter(budget(tmp_path, limit=3))
    meter.count(2)
    with pytest.raises(BudgetSpent):
        meter.count(2)
    meter.close()
    assert budget(tmp_path).used() == 4
