"""The loop on a tiny network: it learns, resumes to the same weights, and calibrates."""

import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [export] extra is not installed")
transformers = pytest.importorskip("transformers", reason="the [export] extra is not installed")

from model_export.calibrate import calibrate_head, platt  # noqa: E402
from model_export.classifier import MeanPooledClassifier  # noqa: E402
from model_export.fit import (  # noqa: E402
    Encoded,
    FitSchedule,
    batches_by_length,
    fit,
    logits_of,
    masked_loss,
)
from tests.model_export import tiny  # noqa: E402

SCHEDULE = FitSchedule(passes=2, batch=8, learning_rate=5e-3, seed=3)


def network() -> MeanPooledClassifier:
    torch.manual_seed(2)
    config = tiny.bert_config(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return MeanPooledClassifier(transformers.BertModel(config, add_pooling_layer=False), 2, 0.0)


def texts(seed: int) -> Encoded:
    """Texts of 4 to 12 pieces; the first label says whether piece 50 is in them."""
    generator = np.random.default_rng(seed)
    ids = [[2, *generator.integers(4, 45, generator.integers(2, 10)), 3] for _ in range(64)]
    for row in ids[::2]:
        row[1] = 50
    labels = np.full((64, 2), -1, dtype=np.float32)
    labels[:, 0] = np.arange(64) % 2 == 0
    return Encoded([[int(piece) for piece in row] for row in ids], labels)


class Stopped(Exception):
    pass


def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_export.fit.CHECKPOINT_SECONDS", 0)
    whole, resumed = network(), network()
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    fit(whole, texts, [64, 64], SCHEDULE, tmp_path / "whole", lambda number: None)

    def stop(number: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        fit(network(), texts, [64, 64], SCHEDULE, tmp_path / "stopped", stop)
    progress = fit(resumed, texts, [64, 64], SCHEDULE, tmp_path / "stopped", lambda number: None)
    assert (progress.step, len(progress.losses)) == (16, 8)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_it_learns_and_the_unknown_label_teaches_nothing(tmp_path: Path) -> None:
    model = network()
    before = model.head.weight[1].clone()
    fit(model, texts, [64] * 8, SCHEDULE, tmp_path, lambda number: None)
    held_out = texts(99)
    logits = logits_of(model, held_out.ids)[:, 0]
    assert ((logits > 0) == (held_out.labels[:, 0] > 0.5)).mean() > 0.9
    assert torch.allclose(model.head.weight[1], before, atol=0.05)  # weight decay alone


def test_unknown_labels_are_left_out_of_the_loss() -> None:
    logits = torch.tensor([[0.0, 9.0]])
    assert masked_loss(logits, torch.tensor([[1.0, -1.0]])).item() == pytest.approx(np.log(2))


def test_batches_hold_every_text_once_with_like_lengths() -> None:
    lengths = [5, 80, 6, 79, 7, 78, 8, 77]
    found = batches_by_length(lengths, 4, random.Random(1))
    assert sorted(index for batch in found for index in batch) == list(range(8))
    assert sorted(map(sorted, found)) == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_platt_recovers_a_known_distortion() -> None:
    generator = np.random.default_rng(1)
    true_logits = generator.normal(0, 2, 20_000)
    truth = (generator.random(20_000) < 1 / (1 + np.exp(-true_logits))).astype(np.float32)
    scale, shift = platt(3 * true_logits - 1, truth)
    assert scale == pytest.approx(1 / 3, rel=0.05)
    assert shift == pytest.approx(1 / 3, abs=0.05)
    assert platt(true_logits[:10], truth[:10]) == (1.0, 0.0)


def test_calibration_is_folded_into_the_head(tmp_path: Path) -> None:
    model, held_out = network().eval(), texts(5)
    before = logits_of(model, held_out.ids)
    (scale, shift), unknown = calibrate_head(model, held_out)
    assert unknown == (1.0, 0.0)
    after = logits_of(model, held_out.ids)
    assert np.allclose(after[:, 0], before[:, 0] * scale + shift, atol=0.05)
    assert np.allclose(after[:, 1], before[:, 1], atol=0.05)
