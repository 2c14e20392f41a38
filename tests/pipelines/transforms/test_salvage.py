"""Which of many items had the work fail, and whether it was an item at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.transforms.salvage import salvaged


class PanicException(BaseException):
    """As a library in Rust raises it."""


def doubled(bad: set[int], calls: list[int]) -> Callable[[Sequence[int]], list[int]]:
    def work(numbers: Sequence[int]) -> list[int]:
        calls.append(len(numbers))
        if found := bad.intersection(numbers):
            raise ValueError(f"bad: {min(found)}")
        return [2 * number for number in numbers]

    return work


@given(st.integers(0, 70), st.sets(st.integers(0, 69)))
def test_every_good_item_has_its_result_and_every_bad_one_its_error(
    count: int, bad: set[int]
) -> None:
    work = doubled(bad, [])
    results = salvaged(range(count), work, probe=lambda: None)
    assert len(results) == count
    for number, result in enumerate(results):
        if number in bad:
            assert isinstance(result, ValueError) and str(result) == f"bad: {number}"
        else:
            assert result == 2 * number


def test_one_bad_item_costs_two_calls_a_halving_and_not_one_an_item() -> None:
    calls: list[int] = []
    salvaged(range(512), doubled({300}, calls), probe=lambda: None)
    assert len(calls) == 1 + 2 * 9 + 1  # 512 halves nine times; the bad one is tried once more


def test_where_the_probe_fails_too_nobody_is_at_fault_and_little_is_tried() -> None:
    calls: list[int] = []

    def probe() -> None:
        raise RuntimeError("CUDA out of memory")

    with pytest.raises(RuntimeError, match="CUDA out of memory"):
        salvaged(range(512), doubled(set(range(512)), calls), probe)
    assert len(calls) == 10


def test_an_item_that_works_the_second_time_is_none_that_is_at_fault() -> None:
    failures = iter([True, True])

    def work(numbers: Sequence[int]) -> list[int]:
        if 7 in numbers and next(failures, False):
            raise OSError("for a moment")
        return list(numbers)

    assert salvaged([6, 7], work, probe=lambda: None) == [6, 7]


def test_a_panic_is_an_error_of_its_item() -> None:
    def work(numbers: Sequence[int]) -> list[int]:
        if 3 in numbers:
            raise PanicException("index out of bounds")
        return list(numbers)

    *others, last = salvaged([1, 2, 3], work, probe=lambda: None)
    assert others == [1, 2]
    assert isinstance(last, RuntimeError) and str(last) == "index out of bounds"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_who_wants_to_stop_stops(error: type[BaseException]) -> None:
    def work(numbers: Sequence[int]) -> list[int]:
        raise error

    with pytest.raises(error):
        salvaged([1, 2], work, probe=lambda: None)
