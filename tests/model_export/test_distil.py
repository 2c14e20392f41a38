"""A smaller model out of the shipped one."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the [export] extra is not installed")

from mltox.scoring import Scorer
from model_export import contrast, teacher, train
from model_export.examples import UNKNOWN, LabelledText


def some_texts(count: int, seed: int) -> list[LabelledText]:
    return [case for _, case in contrast.compose(count, seed)]


def test_a_label_of_a_person_counts_half_and_an_unknown_one_not() -> None:
    example = LabelledText("x", (1.0, 0.0, UNKNOWN, UNKNOWN, 1.0), "davidson")
    said = teacher.mixed(example, (0.4, 0.4, 0.3, UNKNOWN, UNKNOWN))
    assert said.labels == pytest.approx((0.7, 0.2, 0.3, UNKNOWN, 1.0))


def test_a_set_that_asked_for_hate_counts_less_and_alone_says_nothing_of_toxicity() -> None:
    example = LabelledText("x", (1.0, 0.0), "implicit_hate")
    assert teacher.mixed(example, (0.4, 0.4)).labels == pytest.approx((0.46, 0.2))
    assert teacher.untaught(example).labels == (UNKNOWN, 0.0)
    assert teacher.untaught(example._replace(source="civil")).labels == (1.0, 0.0)


def test_a_pass_is_shown_to_the_teacher_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = some_texts(6, seed=2)
    first = teacher.Teacher(Scorer().bundle, tmp_path).answers(examples, 0)
    assert all(0 <= label <= 1 for example in first for label in example.labels)
    monkeypatch.setattr(teacher, "Scorer", None)
    assert teacher.Teacher(Scorer().bundle, tmp_path).answers(examples, 0) == first


@pytest.mark.parametrize("count", ["0", "6"])
def test_layers_that_are_not_there(
    count: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "texts.csv", some_texts(60, seed=3))
    shipped = str(Scorer().bundle.folder)
    code = train.main(
        ["--distil-from", shipped, "--data", str(tmp_path / "texts.csv"), "--layers", count,
         "--out", str(tmp_path / "out")]
    )  # fmt: skip
    assert code == 2
    assert "--layers: the model of the bundle has" in capsys.readouterr().err


def write(path: Path, examples: list[LabelledText]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "toxicity"])
        writer.writerows((example.text, example.labels[0]) for example in examples)


@pytest.mark.drill
def test_fewer_layers_say_nearly_what_all_of_them_say(tmp_path: Path) -> None:
    write(tmp_path / "texts.csv", some_texts(1_500, seed=4))
    shipped, out = Scorer(), tmp_path / "smaller"
    layers = int(shipped.bundle.document["encoder"]["num_hidden_layers"])
    code = train.main(
        ["--distil-from", str(shipped.bundle.folder), "--data", str(tmp_path / "texts.csv"),
         "--layers", str(layers - 1), "--passes", "1", "--contrast", "1500", "--out", str(out)]
    )  # fmt: skip
    assert code == 0
    document = json.loads((out / "bundle" / "bundle.json").read_text(encoding="utf-8"))
    assert document["encoder"]["num_hidden_layers"] == layers - 1
    asked = [example.text for example in some_texts(300, seed=6)]
    said = [
        np.asarray([scores.toxicity for scores in scorer.score(asked, ["en"] * len(asked))])
        for scorer in (shipped, Scorer(out / "bundle"))
    ]
    assert np.corrcoef(np.stack(said))[0, 1] > 0.9
