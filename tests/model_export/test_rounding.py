"""Rounding in torch is what the exported graph computes; teaching brings both scores together."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [export] extra is not installed")
pytest.importorskip("transformers", reason="the [export] extra is not installed")

from model_export import rounding  # noqa: E402
from model_export.classifier import MeanPooledClassifier  # noqa: E402
from model_export.fit import pad  # noqa: E402
from model_export.graph import to_onnx  # noqa: E402
from model_export.parity import onnx_scoring, sigmoid  # noqa: E402
from model_export.quantise import Input, quantise, weight_products  # noqa: E402
from model_export.restore import TRANSPOSED, name_weights  # noqa: E402
from tests.model_export.test_fit import network  # noqa: E402


def some_rows(count: int) -> list[list[int]]:
    generator = np.random.default_rng(4)
    return [
        [2, *(int(piece) for piece in generator.integers(4, 95, generator.integers(2, 20))), 3]
        for _ in range(count)
    ]


def opinionated() -> MeanPooledClassifier:
    """A random network whose scores differ from text to text."""
    model = network().eval()
    with torch.no_grad():
        for layer in rounding.products(model).values():
            layer.weight *= 10
        model.head.weight *= 20
    return model


def scores(model: MeanPooledClassifier, rows: list[list[int]]) -> np.ndarray:
    with torch.no_grad():
        return sigmoid(model(*pad(rows)).double().numpy())


def test_rounding_is_that_of_the_exported_graph() -> None:
    model, rows = opinionated(), some_rows(12)
    ranges = rounding.ranges_of(model, [rows])
    graph = to_onnx(model, 0)
    name_weights(graph, model.state_dict())
    inputs = {
        node.input[1].removeprefix("encoder.").removesuffix(f".weight{TRANSPOSED}"): node.input[0]
        for node in weight_products(graph)
    }
    assert len(inputs) == 4 and inputs.keys() == ranges.keys()
    none = np.zeros(0, np.int64)
    exported = quantise(
        graph,
        {source: Input(ranges[name], none, ranges[name]) for name, source in inputs.items()},
    )
    ids, mask = (tensor.numpy() for tensor in pad(rows))
    with rounding.rounded(model, ranges):
        inside = scores(model, rows)
    assert np.abs(inside - scores(model, rows)).max() > 1e-5
    assert np.abs(inside - onnx_scoring(exported)(ids, mask)).max() < 1e-6


def test_teaching_brings_rounded_scores_to_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounding, "WEIGHT_LEVELS", 4)
    monkeypatch.setattr(rounding, "CALIBRATION_BATCHES", 2)
    monkeypatch.setattr(rounding, "ROUNDING_RATE", 3e-4)
    model, rows = opinionated(), some_rows(640)
    before = scores(model, rows[:64])

    def apart() -> float:
        with rounding.rounded(model, rounding.ranges_of(model, [rows[:64]])):
            return float(np.abs(scores(model, rows[:64]) - before).mean())

    untaught = apart()
    rounding.teach_rounding(model, rows, steps=18, seed=1)
    assert apart() < untaught / 2
