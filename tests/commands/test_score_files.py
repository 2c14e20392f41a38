import csv
import json
from pathlib import Path
from typing import Any

import pytest

from commands import score_file
from commands.score import main
from mltox.scoring.scorer import Scorer


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
    toxicity = json.loads(capsys.readouterr().out)["toxicity"]
    assert toxicity is None or 0 <= toxicity <= 1


@pytest.mark.parametrize(
    "name",
    [
        "tweets.json", "tweets.zst", "tweets.xlsx", "posts.jsonl.gz", "my posts.csv",
        "dump.jsonl.1", "./posts", "../posts", "/data/posts", "~/posts", "C:\\posts", "gs://bucket/posts",
        "a.sqlite", "posts.json.zst", "archive.tar.gz", "posts.csv-20210103.gz", "posts.parquet",
    ],
)  # fmt: skip
def test_what_looks_like_a_path_is_no_text(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([name]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no file" in said.err and "--text" in said.err


def test_a_folder_and_what_is_no_file_of_texts_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "page").write_text("<html>")
    for name, said in (("folder", "is a folder"), ("page", "HTML")):
        assert main([name, "--out", "o.csv"]) == 2
        assert said in capsys.readouterr().err


def test_a_text_that_looks_like_a_path_can_be_scored(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/r/idiots", "--text"]) == 0
    assert "toxicity" in capsys.readouterr().out


def test_rows_carry_the_model_the_verdict_and_the_language(tmp_path: Path) -> None:
    german = "Ich gehe heute mit meinem Hund im Park spazieren"
    (tmp_path / "in.csv").write_text(f"text,model\nyou stupid idiot fool,mine\n{german},x\n")
    toxic, foreign = scored(tmp_path)
    assert (toxic["model"], toxic["toxic"], foreign["toxic"]) == ("mine", "true", "")
    assert toxic["mltox_model"] == foreign["mltox_model"] != ""
    assert 0 < float(toxic["threshold"]) < 1
    assert (toxic["language"], foreign["language"]) == ("en", "de")


def test_no_key_of_a_json_file_is_left_out_of_a_table(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('{"text": "a"}\n{"text": "b", "late": 5}\n')  # by its content
    assert [row["late"] for row in scored(tmp_path)] == ["", "5"]


def test_an_insult_behind_a_comma_is_scored_and_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.csv").write_text("n,text\n1,well, you are a stupid idiot\n2,hello\n")
    rows = scored(tmp_path)
    assert rows[0]["text"] == "well, you are a stupid idiot"
    assert rows[0]["toxic"] == "true"
    assert "1 rows of a table are damaged" in capsys.readouterr().err


def test_a_stopped_run_goes_on_and_gives_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(score_file, "CHUNK_ROWS", 2)
    (tmp_path / "in.csv").write_text("text\n" + "".join(f"hello {n}\n" for n in range(7)))
    whole = scored(tmp_path)
    out = tmp_path / "out.csv"
    out.unlink()
    score, seen = Scorer.score, list[str]()

    def stopped(self: Scorer, texts: list[str], *more: Any) -> Any:
        hello = [text for text in texts if text.startswith("hello")]
        seen.extend(hello)
        if hello and len(seen) == 6:
            raise KeyboardInterrupt
        return score(self, texts, *more)

    monkeypatch.setattr(Scorer, "score", stopped)
    assert main([str(tmp_path / "in.csv"), "--out", str(out)]) == 130
    assert not out.exists()
    assert scored(tmp_path, "--resume") == whole
    assert seen[6:] == ["hello 4", "hello 5", "hello 6"]


def test_another_language_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Ich gehe heute mit meinem Hund im Park spazieren"]) == 0
    assert capsys.readouterr().out.startswith("not scored: not in a language of the model (en)")
