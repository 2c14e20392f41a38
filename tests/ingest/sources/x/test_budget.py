from __future__ import annotations

import argparse
import contextlib
import logging
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ingest.cursors.store import LocalStore
from ingest.sources.source import SourceError
from ingest.sources.x.budget import Budget, BudgetSpent, add_arguments, limit_of, money, open_budget

MARCH = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


def options_of(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("arguments", "limit"),
    [
        ([], None),
        (["--max-reads", "0"], 0),
        (["--max-reads", "500"], 500),
        (["--monthly-budget", "50usd", "--price-per-read", "0.005usd"], 10_000),
        (["--monthly-budget", "$1", "--price-per-read", "0.03"], 33),
        (["--monthly-budget", "1", "--price-per-read", "0.1", "--max-reads", "7"], 7),
    ],
)
def test_the_limit_is_the_smallest(arguments: list[str], limit: int | None) -> None:
    assert limit_of(options_of(*arguments)) == limit


def test_a_budget_without_a_price_is_no_limit_and_is_refused() -> None:
    with pytest.raises(SourceError, match="--monthly-budget needs --price-per-read"):
        limit_of(options_of("--monthly-budget", "50usd"))
    with pytest.raises(SourceError, match="--price-per-read"):
        limit_of(options_of("--monthly-budget", "50usd", "--price-per-read", "0"))


@pytest.mark.parametrize("text", ["", "fifty", "-1", "50eur", "1e3", "nan", "5,0"])
def test_what_is_no_money_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        money(text)


def test_money_is_exact() -> None:
    assert [money(text) for text in ("50usd", "$50", "USD 50", " 50 usd ")] == [Decimal(50)] * 4


def test_never_more_than_allowed_whatever_is_read(tmp_path: Path) -> None:
    budget = Budget(LocalStore(tmp_path), "x", 250, lambda: MARCH)
    first = budget.reserve(100)
    budget.settle(first, 60)
    assert budget.used() == 60
    assert budget.reserve(100).reads == 100
    assert budget.reserve(100).reads == 90
    with pytest.raises(BudgetSpent, match=r"250 of 250 paid reads of 2026-03 \(UTC\)"):
        budget.reserve(1)


def test_a_request_that_needs_more_than_is_left_is_not_made(tmp_path: Path) -> None:
    budget = Budget(LocalStore(tmp_path), "x", 105, lambda: MARCH)
    budget.reserve(100)
    with pytest.raises(BudgetSpent):
        budget.reserve(100, at_least=10)
    assert budget.reserve(100, at_least=5).reads == 5


def test_the_count_outlives_a_kill_between_reserve_and_settle(tmp_path: Path) -> None:
    Budget(LocalStore(tmp_path), "x", 100, lambda: MARCH).reserve(100)
    with pytest.raises(BudgetSpent):
        Budget(LocalStore(tmp_path), "x", 100, lambda: MARCH).reserve(1)


def test_a_new_month_starts_anew_and_the_old_one_is_settled_where_it_was(tmp_path: Path) -> None:
    now = MARCH
    budget = Budget(LocalStore(tmp_path), "x", 100, lambda: now)
    grant = budget.reserve(100)
    now = APRIL
    assert budget.used() == 0
    assert budget.reserve(100).reads == 100
    budget.settle(grant, 1)
    assert budget.used() == 100
    assert Budget(LocalStore(tmp_path), "x", 100, lambda: MARCH).used() == 1


def test_runs_that_count_at_once_count_all(tmp_path: Path) -> None:
    def count() -> None:
        budget = Budget(LocalStore(tmp_path), "x", 100, lambda: MARCH)
        with contextlib.suppress(BudgetSpent):
            while True:
                granted.append(budget.reserve(7).reads)

    granted: list[int] = []
    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 100
    assert Budget(LocalStore(tmp_path), "x", None, lambda: MARCH).used() == 100


def test_a_warning_at_four_fifths_and_only_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    budget = Budget(LocalStore(tmp_path), "x", 100, lambda: MARCH)
    with caplog.at_level(logging.WARNING):
        budget.reserve(79)
        assert not caplog.records
        budget.reserve(1)
        budget.reserve(1)
    assert [each.getMessage() for each in caplog.records] == [
        "80 of 100 paid reads of 2026-03 (UTC) are used"
    ]


def test_without_a_limit_reads_are_counted_all_the_same(tmp_path: Path) -> None:
    options = options_of()
    options.state = str(tmp_path)
    open_budget(options, "x").reserve(1_000_000)
    assert open_budget(options, "x").used() == 1_000_000
