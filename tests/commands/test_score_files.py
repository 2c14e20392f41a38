import csv
import json
from pathlib import Path

import pytest

from commands.score import main


def scored(tmp_path: Path, *more: str) -> list[dict[str, str]]:
    out = tmp_path / "out.csv"
    assert main([str(tmp_path / "in.csv"), "--out", str(out), *more]) == 0
    with out.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_texts_that_are_not_scored_have_empty_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    german = "Ich gehe heute mit meinem Hund im Park spazieren"
    (tmp_path / "in.csv").write_text(f"text,n\nyou fool,1\n{german},2\n,3\n", encoding="utf-8")
    rows = scored(tmp_path)
    assert [bool(row["toxicity"]) for row in rows] == [True, False, False]
    assert [row["n"] for row in rows] == ["1", "2", "3"]
    assert "3 rows, 2 of them not scored" in capsys.readouterr().out


def test_a_column_of_languages_is_believed(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,l\nyou fool,fr\nyou fool,en\nyou fool,\n")
    rows = scored(tmp_path, "--lang_column", "l")
    assert [bool(row["toxicity"]) for row in rows] == [False, True, True]


def test_a_column_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("text,toxicity\nhave a nice day,mine\n")
    [row] = scored(tmp_path)
    assert row["toxicity"] == "mine"
    assert float(row["toxicity_score"]) < 0.5
    assert float(row["insult"]) < 0.5


def test_a_file_without_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_text("text\n")
    assert main([str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv")]) == 2
    assert "has no rows" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("text", ["what is in posts.csv today?", "a.b", "\x00", "x" * 5_000])
def test_what_only_looks_like_a_file_is_a_text(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([text, "--json"]) == 0
    assert 0 <= json.loads(capsys.readouterr().out)["toxicity"] <= 1


def test_another_language_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Ich gehe heute mit meinem Hund im Park spazieren"]) == 0
    assert capsys.readouterr().out.startswith("not scored: not in a language of the model (en)")
