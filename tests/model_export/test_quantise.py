"""A product whose input has an outlier, on a tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [export] extra is not installed")
transformers = pytest.importorskip("transformers", reason="the [export] extra is not installed")

from mltox.scoring import load_bundle  # noqa: E402
from model_export import export  # noqa: E402
from model_export.classifier import MeanPooledClassifier, save  # noqa: E402
from model_export.examples import TRAINED_LABELS  # noqa: E402
from model_export.export import model_inputs  # noqa: E402
from model_export.graph import to_onnx  # noqa: E402
from model_export.parity import onnx_scoring, passes_int8, score_rows  # noqa: E402
from model_export.quantise import input_ranges, quantise, weight_products  # noqa: E402
from model_export.restore import name_weights, restore  # noqa: E402
from model_export.sources import load_source  # noqa: E402
from tests.model_export import tiny  # noqa: E402

OUTLIER = 7
ROWS = [[2, *range(5 + n, 25 + n), 3] for n in range(40)]


@pytest.fixture
def model() -> MeanPooledClassifier:
    """Channel 7 of what its first layer's second product is given is 60, others below 1."""
    torch.manual_seed(3)
    encoder = transformers.BertModel(tiny.bert_config(), add_pooling_layer=False)
    encoder.encoder.layer[0].intermediate.dense.bias.data[OUTLIER] = 60.0
    made = MeanPooledClassifier(encoder, len(TRAINED_LABELS)).eval()
    made.head.weight.data *= 20
    return made


def test_an_outlier_in_fp32_leaves_the_rest_its_precision(model: MeanPooledClassifier) -> None:
    graph = to_onnx(model, 0)
    name_weights(graph, model.state_dict())
    inputs = input_ranges(graph, list(model_inputs(ROWS, 0)))
    (product,) = [
        node for node in weight_products(graph) if "layer.0.output.dense" in node.input[1]
    ]
    source, weight = product.input
    seen = inputs[source]
    assert OUTLIER in seen.outliers and len(seen.outliers) == 32
    assert seen.range.high > 50 and seen.rest.high < 2
    others = [node.input[1] for node in weight_products(graph) if node.input[1] != weight]
    exact = score_rows(onnx_scoring(graph), ROWS, 0)
    whole = score_rows(onnx_scoring(quantise(graph, inputs, others)), ROWS, 0)
    split = score_rows(onnx_scoring(quantise(graph, inputs, others, [weight])), ROWS, 0)
    assert np.abs(split - exact).mean() < np.abs(whole - exact).mean() / 5


def test_an_export_spares_outliers_before_whole_products_and_they_come_back(
    model: MeanPooledClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(model, tiny.word_piece().to_str(), TRAINED_LABELS, tmp_path / "trained")
    answers = iter([False, False])
    monkeypatch.setattr(
        export, "passes_int8", lambda found: next(answers, True) and passes_int8(found)
    )
    assert export.main([str(tmp_path / "trained"), "--out", str(tmp_path / "bundle")]) == 0
    bundle = load_bundle(tmp_path / "bundle")
    parity = bundle.document["parity"]
    assert parity["products_with_outliers_in_fp32"] == 2 and parity["products_in_fp32"] == 0
    restored = restore(bundle).eval()
    name = "encoder.encoder.layer.0.output.dense.weight"
    apart = (restored.state_dict()[name] - model.state_dict()[name]).abs()
    assert apart[:, OUTLIER].max() < apart.max() / 100


def test_a_weight_that_layers_share_is_not_split(tmp_path: Path) -> None:
    torch.manual_seed(4)
    config = tiny.albert_config(id2label={0: "toxic", 1: "threat"})
    transformers.AlbertForSequenceClassification(config).save_pretrained(tmp_path)
    tiny.save_tokenizer(tiny.word_piece(), tmp_path)
    graph = to_onnx(load_source(str(tmp_path)).model, 0)
    weights = [node.input[1] for node in weight_products(graph)]
    assert len(set(weights)) < len(weights)
    inputs = input_ranges(graph, list(model_inputs(ROWS, 0)))
    exact = score_rows(onnx_scoring(graph), ROWS, 0)
    model = quantise(graph, inputs, (), weights)
    names = [tensor.name for tensor in model.graph.initializer]
    assert len(set(names)) == len(names)
    assert np.abs(score_rows(onnx_scoring(model), ROWS, 0) - exact).max() < 0.01
