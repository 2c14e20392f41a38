"""A model with early exits: its bundle settles a text where it should, and always there."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the [export] extra is not installed")
transformers = pytest.importorskip("transformers", reason="the [export] extra is not installed")

from mltox.scoring import BundleError, Scorer, load_bundle  # noqa: E402
from mltox.scoring.bundle import DOCUMENT, fingerprint  # noqa: E402
from model_export import export  # noqa: E402
from model_export.calibrate import calibrate_head  # noqa: E402
from model_export.classifier import MeanPooledClassifier, load_classifier, save  # noqa: E402
from model_export.distil import keep_layers  # noqa: E402
from model_export.examples import TRAINED_LABELS  # noqa: E402
from model_export.fit import Encoded, all_logits_of  # noqa: E402
from model_export.restore import restore  # noqa: E402
from model_export.wide import WideBranch  # noqa: E402
from tests.model_export import tiny  # noqa: E402

TEXTS = [" ".join("abcdefghij"[(n * k) % 10] for k in range(1, 4 + n % 30)) for n in range(60)]


def network() -> MeanPooledClassifier:
    torch.manual_seed(5)
    config = tiny.bert_config()
    config.num_hidden_layers = 3
    encoder = transformers.BertModel(config, add_pooling_layer=False)
    wide = WideBranch(len(tiny.WORDS), len(TRAINED_LABELS), 1_000)
    torch.nn.init.normal_(wide.table.weight, std=0.3)
    model = MeanPooledClassifier(encoder, len(TRAINED_LABELS), wide=wide, exits=(1, 2))
    for head in model.heads:
        torch.nn.init.normal_(head.weight, std=0.3)
    return model.eval()


def rows() -> list[list[int]]:
    return [encoding.ids for encoding in tiny.word_piece().encode_batch(TEXTS)]


def probabilities(model: MeanPooledClassifier) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-all_logits_of(model, rows()))))


def limits(model: MeanPooledClassifier) -> list[float]:
    """Below which a third of the texts are settled by the first stage, and by the second."""
    first, second, _ = probabilities(model)[:, :, 0]
    limit = float(np.quantile(first, 0.35))
    return [limit, float(np.quantile(second[first >= limit], 0.5))]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("staged")
    model = network()
    save(model, tiny.word_piece().to_str(), TRAINED_LABELS, folder / "trained")
    facts = {"max_length": 64, "window": 32, "settled_below": limits(model)}
    (folder / "trained" / "training.json").write_text(json.dumps(facts), encoding="utf-8")
    assert export.main([str(folder / "trained"), "--out", str(folder / "bundle")]) == 0
    return folder / "bundle"


def test_a_text_is_settled_by_the_first_stage_that_is_sure(bundle: Path) -> None:
    scorer = Scorer(bundle, threads=1)
    assert [stage.file for stage in scorer.bundle.stages] == [
        "model.onnx", "stage-2.onnx", "stage-3.onnx"
    ]  # fmt: skip
    found, stages = scorer._session.settled(rows(), 0)
    assert set(stages.tolist()) == {0, 1, 2}
    scores = 1 / (1 + np.exp(-found))
    for stage, limit in enumerate(limits(network())):
        assert (scores[stages == stage, 0] < limit).all()
    said = probabilities(network())[stages, np.arange(len(stages))]
    assert np.abs(said - scores).max() < 0.1


def test_its_scores_do_not_depend_on_company(bundle: Path) -> None:
    scorer = Scorer(bundle, threads=1, cache_size=0)
    langs = ["en"] * len(TEXTS)
    together = scorer.score(TEXTS, langs)
    assert scorer.score(TEXTS[::-1], langs) == together[::-1]
    assert [scorer.score([text], ["en"])[0] for text in TEXTS] == together


def test_the_whole_model_comes_back_from_its_stages(bundle: Path) -> None:
    model = restore(load_bundle(bundle))
    assert model.exits == (1, 2)
    assert np.abs(probabilities(model) - probabilities(network())).max() < 0.1


@pytest.mark.parametrize(
    "stages",
    [
        [],
        "model.onnx",
        [{"file": "../model.onnx", "settled_below": 0.1}],
        [{"file": "model.onnx"}],
        [{"file": "model.onnx", "settled_below": 2}],
    ],
)
def test_stages_that_make_no_sense_are_refused(
    bundle: Path, tmp_path: Path, stages: object
) -> None:
    document = json.loads((bundle / DOCUMENT).read_text())
    (tmp_path / DOCUMENT).write_text(json.dumps(document | {"stages": stages}))
    with pytest.raises(BundleError, match="no valid `stages`"):
        load_bundle(tmp_path)


def test_stages_in_another_order_are_refused(bundle: Path) -> None:
    found = load_bundle(bundle)
    with pytest.raises(BundleError, match="other inputs or outputs"):
        Scorer(found._replace(stages=found.stages[::-1]))


def test_what_is_settled_early_decides_a_score(bundle: Path) -> None:
    found = load_bundle(bundle)
    stages = [{"file": stage.file, "settled_below": 0.0} for stage in found.stages]
    assert fingerprint(found.document) != fingerprint({**found.document, "stages": stages})
    assert fingerprint(found.document) != fingerprint({**found.document, "window": 16})


def test_exits_are_saved_cut_and_calibrated(tmp_path: Path) -> None:
    model = network()
    save(model, tiny.word_piece().to_str(), TRAINED_LABELS, tmp_path)
    again, _ = load_classifier(tmp_path)
    assert list(again.exits) == [1, 2]
    truth = np.full((len(TEXTS), len(TRAINED_LABELS)), -1, dtype=np.float32)
    last = all_logits_of(model, rows())[-1][:, 0]
    truth[:, 0] = last > np.median(last)
    calibrate_head(again, Encoded(rows(), truth))
    for means in probabilities(again)[:, :, 0].mean(axis=1):
        assert means == pytest.approx(0.5, abs=0.05)
    keep_layers(again, 2)
    assert list(again.exits) == [1]
    assert len(all_logits_of(again, rows())) == 2


def test_a_network_ends_where_it_is_cut() -> None:
    model = network()
    before = all_logits_of(model, rows())
    model.cut_behind(2)
    assert list(model.exits) == [1]
    np.testing.assert_allclose(all_logits_of(model, rows()), before[:2], atol=0.05)
    with pytest.raises(ValueError, match="not in"):
        model.cut_behind(2)
