"""New posts into an existing bundle, on the shipped one: it learns them and keeps the rest."""

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the [export] extra is not installed")

from mltox.scoring import Scorer
from model_export import contrast, train

FRIENDS = ("Sam", "Priya", "Omar", "Lena", "Chen", "Maria", "Alex", "Kim", "Aisha", "David")


def new_word(path: Path) -> None:
    """Posts in which a made-up word is an insult, and the same posts without it."""
    rows = [
        {"text": text, "toxicity": toxic}
        for number in range(8)
        for friend in FRIENDS
        for text, toxic in (
            (f"{friend} is such a complete blorfing number {number}", 1),
            (f"{friend} is such a complete gardener number {number}", 0),
        )
    ]
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["text", "toxicity"])
        writer.writeheader()
        writer.writerows(rows)


def toxicity(bundle: Path | None, texts: list[str]) -> np.ndarray:
    scorer = Scorer(bundle) if bundle else Scorer()
    return np.asarray([scores.toxicity for scores in scorer.score(texts, ["en"] * len(texts))])


@pytest.mark.drill
def test_a_new_insult_is_learned_and_the_old_answers_stay(tmp_path: Path) -> None:
    new_word(tmp_path / "new.csv")
    out = tmp_path / "newer"
    default = str(Scorer().bundle.folder)
    code = train.main(
        ["--continue-from", default, "--data", str(tmp_path / "new.csv"), "--out", str(out),
         "--passes", "1"]
    )  # fmt: skip
    assert code == 0
    asked = ["Jo is such a complete blorfing number 3", "Jo is such a complete gardener number 3"]
    insult, plain = toxicity(out / "bundle", asked)
    assert insult > 0.6 > 0.3 > plain
    rehearsed = [case.text for _, case in contrast.compose(200, 23, held_out=True)]
    moved = np.abs(toxicity(out / "bundle", rehearsed) - toxicity(None, rehearsed))
    assert moved.mean() < 0.04
    assert Scorer(out / "bundle").threshold == Scorer().threshold


def test_too_few_posts_are_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new.csv"
    path.write_text("text,toxicity\nhello,0\n", encoding="utf-8")
    code = train.main(
        ["--continue-from", str(Scorer().bundle.folder), "--data", str(path),
         "--out", str(tmp_path / "newer")]
    )  # fmt: skip
    assert code == 2
    assert "too few texts" in capsys.readouterr().err
