"""The whole road on small, randomly initialised models: checkpoint, ONNX, int8, bundle, scores."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [export] extra is not installed")
transformers = pytest.importorskip("transformers", reason="the [export] extra is not installed")

from mltox.scoring import BundleError, Scorer, load_bundle  # noqa: E402
from model_export import export  # noqa: E402
from model_export.classifier import MeanPooledClassifier, save  # noqa: E402
from model_export.examples import TRAINED_LABELS  # noqa: E402
from model_export.parity import sigmoid  # noqa: E402
from model_export.quantise import best_range  # noqa: E402
from model_export.restore import restore  # noqa: E402
from model_export.sources import CheckpointError, load_source, select_labels  # noqa: E402
from tests.model_export import tiny  # noqa: E402

TEXTS = ["you are nice", "no", "a much longer text " * 9, "?"]
JIGSAW = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    torch.manual_seed(5)
    encoder = transformers.BertModel(tiny.bert_config(), add_pooling_layer=False)
    model = MeanPooledClassifier(encoder, len(TRAINED_LABELS))
    save(model, tiny.word_piece().to_str(), TRAINED_LABELS, tmp_path / "trained")
    facts = {"max_length": 64, "untrained_labels": ["severe_toxicity"]}
    (tmp_path / "trained" / "training.json").write_text(json.dumps(facts), encoding="utf-8")
    return tmp_path / "trained"


def test_what_was_trained_becomes_a_bundle_that_scores_the_same(
    trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    assert export.main([str(trained), "--out", str(out)]) == 0
    scorer = Scorer(out, threads=1)
    assert scorer.bundle.labels == tuple(x for x in TRAINED_LABELS if x != "severe_toxicity")
    source = load_source(str(trained))
    for text, scores in zip(TEXTS, scorer.score(TEXTS, ["en"] * len(TEXTS)), strict=True):
        ids = torch.tensor([tiny.word_piece().encode(text.strip()).ids[:64]])
        with torch.no_grad():
            logits = source.model(ids, torch.ones_like(ids)).double().numpy()
        expected = sigmoid(logits)[0]
        found = [s for s in scores if s is not None]
        assert np.abs(expected - found).max() < 0.1
        assert scores.severe_toxicity is None


def test_a_hub_checkpoint_with_more_outputs_than_labels(tmp_path: Path) -> None:
    torch.manual_seed(6)
    many = tiny.bert_config()
    many.id2label = {0: "male", 1: "toxicity", 2: "identity_attack", 3: "female", 4: "insult"}
    many.label2id = {name: number for number, name in many.id2label.items()}
    many.problem_type = "multi_label_classification"
    model = transformers.BertForSequenceClassification(many)
    checkpoint = tmp_path / "hub"
    model.save_pretrained(checkpoint)
    tiny.save_tokenizer(tiny.word_piece(), checkpoint)
    assert export.main([str(checkpoint), "--out", str(tmp_path / "bundle")]) == 0
    scorer = Scorer(tmp_path / "bundle", threads=1)
    assert scorer.bundle.labels == ("toxicity", "identity_attack", "insult")
    (scores,) = scorer.score(["you are nice"], ["en"])
    ids = torch.tensor([tiny.word_piece().encode("you are nice").ids])
    with torch.no_grad():
        logits = model.eval()(input_ids=ids).logits.double().numpy()[0]
    assert scores.insult == pytest.approx(float(sigmoid(logits)[4]), abs=0.1)


@pytest.mark.parametrize(
    ("config", "tokenizer"),
    [
        (tiny.bert_config, tiny.word_piece),
        (tiny.albert_config, tiny.word_piece),
        (tiny.roberta_config, tiny.framed_by_s),
        (tiny.xlm_roberta_config, tiny.framed_by_s),
    ],
)
def test_the_road_from_a_checkpoint_of_each_architecture(
    config: Any, tokenizer: Any, tmp_path: Path
) -> None:
    torch.manual_seed(7)
    labels = dict(enumerate(JIGSAW))
    filled = config(id2label=labels, label2id={name: number for number, name in labels.items()},
                    problem_type="multi_label_classification")  # fmt: skip
    model = transformers.AutoModelForSequenceClassification.from_config(filled).eval()
    checkpoint = tmp_path / "hub"
    model.save_pretrained(checkpoint)
    tiny.save_tokenizer(tokenizer(), checkpoint)
    assert export.main([str(checkpoint), "--out", str(tmp_path / "bundle")]) == 0
    scorer = Scorer(tmp_path / "bundle", threads=1)
    assert scorer.bundle.labels == TRAINED_LABELS
    for text, scores in zip(TEXTS, scorer.score(TEXTS, ["en"] * len(TEXTS)), strict=True):
        ids = torch.tensor([tokenizer().encode(text.strip()).ids[:128]])
        with torch.no_grad():
            expected = sigmoid(model(input_ids=ids).logits.double().numpy()[0])
        assert np.abs(np.asarray(scores[:6]) - expected).max() < 0.1


def test_a_checkpoint_file_of_detoxify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tmp_path / "roberta-tiny"
    config = tiny.roberta_config(num_labels=16)
    torch.manual_seed(8)
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    model.save_pretrained(base)
    tiny.save_tokenizer(tiny.framed_by_s(), base)
    path = tmp_path / "unbiased.ckpt"
    arguments = {"model_type": str(base), "num_classes": 16}
    checkpoint = {
        "config": {"arch": {"args": arguments}, "dataset": {"args": {}}},
        "state_dict": model.state_dict(),
    }
    torch.save(checkpoint, path)
    assert export.main([str(path), "--out", str(tmp_path / "bundle")]) == 0
    scorer = Scorer(tmp_path / "bundle", threads=1)
    assert set(scorer.bundle.labels) == {*TRAINED_LABELS, "sexual_explicit"}
    (scores,) = scorer.score(["you are nice"], ["en"])
    ids = torch.tensor([tiny.framed_by_s().encode("you are nice").ids])
    with torch.no_grad():
        expected = sigmoid(model(input_ids=ids).logits.double().numpy()[0])
    assert scores.insult == pytest.approx(expected[4], abs=0.1)
    assert scores.sexual_explicit == pytest.approx(expected[6], abs=0.1)


def test_a_bundle_of_ours_unpacks_to_the_model_it_was_made_of(
    trained: Path, tmp_path: Path
) -> None:
    assert export.main([str(trained), "--out", str(tmp_path / "bundle")]) == 0
    restored = restore(load_bundle(tmp_path / "bundle")).state_dict()
    source = load_source(str(trained)).model.state_dict()
    assert restored.keys() == source.keys()
    for name, value in source.items():
        step = float(value.abs().max()) / 63
        assert torch.allclose(restored[name], value, atol=step), name


def test_a_bundle_of_another_kind_is_not_trained_further(tmp_path: Path) -> None:
    config = tiny.bert_config(id2label=dict(enumerate(JIGSAW)))
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "hub")
    tiny.save_tokenizer(tiny.word_piece(), tmp_path / "hub")
    assert export.main([str(tmp_path / "hub"), "--out", str(tmp_path / "bundle")]) == 0
    with pytest.raises(BundleError, match="cannot be trained further"):
        restore(load_bundle(tmp_path / "bundle"))


def test_a_model_that_moves_too_far_is_refused(
    trained: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("model_export.parity.MAX_INT8", 1e-9)
    out = tmp_path / "bundle"
    assert export.main([str(trained), "--out", str(out)]) == 2
    assert "int8 differs from the source" in capsys.readouterr().err
    assert not out.exists()


def test_a_pickled_checkpoint_is_never_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evil.ckpt"
    torch.save({"state_dict": Path("x")}, path)
    assert export.main([str(path), "--out", str(tmp_path / "bundle")]) == 2
    assert "is no Detoxify checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "problem", "selected"),
    [
        (
            ["toxic", "severe_toxic", "identity_hate"],
            "multi_label_classification",
            ([0, 1, 2], ["toxicity", "severe_toxicity", "identity_attack"], None),
        ),
        (["neutral", "toxic"], None, ([1], ["toxicity"], 0)),
    ],
)
def test_labels_are_selected_by_name(
    names: list[str], problem: str | None, selected: tuple[list[int], list[str], int | None]
) -> None:
    assert select_labels(names, problem) == selected


def test_a_model_without_toxicity_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no output for toxicity"):
        select_labels(["joy", "anger"], "multi_label_classification")


def test_the_best_range_leaves_a_lone_outlier_out() -> None:
    counts = np.zeros(4096)
    counts[1800:2200] = 1e6  # values in about -0.12 … 0.07 of the range -1 … 1
    counts[-1] = 1
    found = best_range(counts, -1.0, 1.0)
    assert found.high < 0.5 and found.low < 0 < found.high
