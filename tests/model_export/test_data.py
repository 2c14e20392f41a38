from pathlib import Path

import pytest

from model_export.data import DataError, read_labelled, split_validation
from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText


def test_every_column_of_jigsaw_is_known(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "text,toxic,severe_toxic,obscene,threat,insult,identity_hate,src\nhello,1,0,-1,,0.5,1,a\n",
        encoding="utf-8",
    )
    (example,) = read_labelled(path)
    assert dict(zip(TRAINED_LABELS, example.labels, strict=True)) == {
        "toxicity": 1.0,
        "severe_toxicity": 0.0,
        "obscene": UNKNOWN,
        "threat": UNKNOWN,
        "insult": 0.5,
        "identity_attack": 1.0,
    }


def test_a_file_without_labels_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("text,anger\nhello,1\n", encoding="utf-8")
    with pytest.raises(DataError, match="at least one of toxicity"):
        read_labelled(path)


def test_near_duplicates_fall_on_one_side() -> None:
    examples = [
        LabelledText(f"{end} one two three four five six seven eight nine number {i}", (1.0,), "s")
        for i in range(400)
        for end in ("well", "hm")
    ]
    training, validation = split_validation(examples, 0.3)
    sides = {text.text.split()[-1] for text in training} & {
        text.text.split()[-1] for text in validation
    }
    assert len(training) + len(validation) == len(examples)
    assert sides == set() or not validation
