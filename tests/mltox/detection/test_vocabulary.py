"""A decayed, bounded memory of terms."""

from __future__ import annotations

import math

import pytest

from mltox.detection.vocabulary import HALF_LIFE, Vocabulary
from mltox.posts.records import DAY


def test_a_week_halves() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(0, {"old": 8.0}, 8.0)
    vocabulary.learn(HALF_LIFE, {"new": 4.0}, 4.0)
    assert vocabulary["old"] == pytest.approx(vocabulary["new"])
    assert vocabulary["new"] / vocabulary.present(HALF_LIFE) == pytest.approx(4.0)
    assert vocabulary.rate("old") == pytest.approx(0.5)


def test_bounded_and_keeps_what_is_said_most() -> None:
    vocabulary = Vocabulary(size=10)
    vocabulary.learn(0, {"often": 50.0}, 50.0)
    for day in range(100):
        vocabulary.learn(day * DAY // 24, {f"once{day}-{i}": 1.0 for i in range(5)}, 5.0)
    kept = [term for term in ("often", "once0-0") if vocabulary[term]]
    assert kept == ["often"]
    assert sum(vocabulary[f"once{d}-{i}"] > 0 for d in range(100) for i in range(5)) <= 12


def test_years_do_not_overflow() -> None:
    vocabulary = Vocabulary()
    for day in range(0, 20_000, 5):
        vocabulary.learn(day * DAY, {"word": 1.0}, 2.0)
    # a geometric sum with 2^(-5/7): what is a constant half of the posts stays so
    assert vocabulary.rate("word") == pytest.approx(0.5)
    assert vocabulary["word"] / vocabulary.present(19_995 * DAY) == pytest.approx(
        1 / (1 - 2 ** (-5 / 7))
    )


def test_nothing_learnt_nothing_known() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.rate("word") == 0
    assert vocabulary.present(DAY) == 1


@pytest.mark.parametrize("years", [1, 9, 10, 20, 26, 1_000, 100_000])
def test_no_gap_between_two_hours_is_too_long(years: int) -> None:
    """A post of the year 2000 is enough for one of 26 years, in either direction."""
    early, late = 0, years * 365 * DAY
    vocabulary = Vocabulary()
    vocabulary.learn(early, {"old": 1.0}, 1.0)
    vocabulary.learn(late, {"new": 1.0}, 1.0)
    vocabulary.learn(early, {"old": 1.0}, 1.0)
    assert vocabulary.rate("new") == pytest.approx(1.0, abs=1e-6)
    assert vocabulary.rate("old") < 1e-6
    assert vocabulary["new"] / vocabulary.present(late) == pytest.approx(1.0)
    assert math.isfinite(vocabulary.present(late + years * 365 * DAY))
