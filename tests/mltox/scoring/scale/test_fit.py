"""Fitted maps: hand-computed cases, and what a user of few or odd pairs may rely on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.scoring.scale.agreement import agreement
from mltox.scoring.scale.fit import MAX_KNOTS, fit_knots, isotonic
from mltox.scoring.scale.maps import ScoreMap, check_knots

unit = st.floats(0, 1)


def fitted(ours: list[float], theirs: list[float]) -> ScoreMap:
    return ScoreMap("TOXICITY", "toxicity", tuple(fit_knots(ours, theirs)))


@pytest.mark.parametrize(
    ("y", "weights", "pooled"),
    [
        ([1, 2, 3], [1, 1, 1], [1, 2, 3]),
        ([3, 2, 1], [1, 1, 1], [2, 2, 2]),
        ([1, 3, 2, 4], [1, 1, 1, 1], [1, 2.5, 2.5, 4]),
        ([4, 1], [3, 1], [3.25, 3.25]),
        ([2, 1, 0, 5], [1, 1, 2, 1], [0.75, 0.75, 0.75, 5]),
        ([], [], []),
    ],
)
def test_pool_adjacent_violators(y: list[float], weights: list[float], pooled: list[float]) -> None:
    assert isotonic(np.array(y, float), np.array(weights, float)).tolist() == pooled


@given(st.lists(st.tuples(unit, unit), min_size=1, max_size=60))
def test_any_pairs_give_a_monotone_map_of_few_knots(pairs: list[tuple[float, float]]) -> None:
    knots = fit_knots(*map(list, zip(*pairs, strict=True)))
    check_knots(knots)
    assert len(knots) <= MAX_KNOTS


def sample(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities at natural rates, and a service that calls everything more toxic, noisily."""
    random = np.random.default_rng(seed)
    ours = random.beta(0.3, 4, count)
    theirs = np.clip(ours**0.5 + random.normal(0, 0.08, count), 0, 1)
    return ours, theirs


def test_a_map_from_many_pairs_follows_the_other_service() -> None:
    ours, theirs = sample(5_000)
    made = fitted(ours.tolist(), theirs.tolist())
    for probability in (0.01, 0.04, 0.16, 0.36):
        assert made(probability) == pytest.approx(probability**0.5, abs=0.06)


def test_as_many_are_flagged_as_before() -> None:
    """The promise of thresholds that stay. A conditional mean alone breaks it at the top."""
    ours, theirs = sample(5_000)
    other, truth = sample(5_000, seed=2)
    made = fitted(ours.tolist(), theirs.tolist())
    mapped = np.array([made(value) for value in other])
    for threshold in (0.5, 0.7):
        flagged, before = int((mapped >= threshold).sum()), int((truth >= threshold).sum())
        assert flagged == pytest.approx(before, rel=0.2)


def test_a_map_from_few_pairs_stays_near_the_probability() -> None:
    made = fitted([0.1, 0.2, 0.3], [0.9, 0.9, 0.9])
    assert made(0.95) == pytest.approx(0.95, abs=0.1)
    assert made(1.0) == 1.0 and made(0.0) < 0.2


def test_agreement_by_hand() -> None:
    found = agreement([0.1, 0.6, 0.75, 0.9], [0.3, 0.4, 0.75, 1.0])
    assert found["pairs"] == 4
    assert found["mean_distance"] == 0.125
    assert found["bias"] == -0.025
    assert found["rmse"] == 0.15
    assert found["at"]["0.5"] == {"ours": 3, "theirs": 2, "jaccard": 0.667}
    assert found["at"]["0.7"] == {"ours": 2, "theirs": 2, "jaccard": 1.0}
    assert agreement([0.1], [0.2])["at"]["0.9"]["jaccard"] is None
