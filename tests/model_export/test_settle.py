import numpy as np

from model_export.settle import LOSS, settled, thresholds


def test_the_first_stage_that_is_sure_decides() -> None:
    stages = [
        np.asarray([0.01, 0.5, 0.05]),
        np.asarray([0.9, 0.02, 0.3]),
        np.asarray([0.8, 0.7, 0.6]),
    ]
    np.testing.assert_array_equal(settled(stages, [0.02, 0.03]), [0.01, 0.02, 0.6])
    np.testing.assert_array_equal(settled(stages, [0.0, 0.0]), stages[-1])


def test_a_stage_that_orders_as_the_last_settles_all_it_may() -> None:
    scores = np.linspace(0.001, 0.999, 400)
    truth = scores > 0.6
    assert thresholds([scores, scores, scores], truth, ["a"] * 400) == [0.1, 0.1]


def test_a_stage_that_errs_settles_nothing() -> None:
    generator = np.random.default_rng(1)
    scores = np.linspace(0.001, 0.999, 400)
    truth = scores > 0.6
    wrong = np.where(generator.random(400) < 0.5, 0.001, 0.999)
    below = thresholds([wrong, scores], truth, ["a"] * 200 + ["b"] * 200)
    assert below == [0.0]


def test_one_kind_of_text_alone_settles_nothing() -> None:
    assert thresholds([np.zeros(3), np.zeros(3)], np.zeros(3, dtype=bool), ["a"] * 3) == [0.0]
    assert LOSS < 0.002
