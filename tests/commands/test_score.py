import csv
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands.score import main


def test_one_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["you are a stupid idiot"]) == 0
    shown = capsys.readouterr().out
    assert "toxicity" in shown and "\ntoxic (threshold" in shown


def test_one_text_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["have a nice day", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["toxicity"] < scores["threshold"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "txt"])
def test_a_file_keeps_its_rows_in_order(kind: str, tmp_path: Path) -> None:
    texts = ["have a nice day", "you are a stupid idiot", "see you, later"] * 700
    path = tmp_path / f"posts.{kind}"
    if kind == "csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["n", "tweet"], *enumerate(texts)])
    elif kind == "jsonl":
        path.write_text(
            "\n".join(json.dumps({"n": n, "tweet": t}) for n, t in enumerate(texts)), "utf-8"
        )
    elif kind == "parquet":
        pq.write_table(pa.table({"n": range(len(texts)), "tweet": texts}), path)
    else:
        path.write_text("\n".join(texts), encoding="utf-8")
    out = tmp_path / "scored.csv"
    assert main([str(path), "--text_column", "tweet", "--out", str(out)]) == 0
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["tweet"] for row in rows] == texts
    assert float(rows[1]["toxicity"]) > 0.5 > float(rows[0]["toxicity"])


BAD = {
    "no such file": (["nowhere.csv", "--out", "o.csv"], "there is no file"),
    "no out": (["posts.csv"], "--out"),
    "no such column": (["posts.csv", "--text_column", "tweet", "--out", "o.csv"], "it has text"),
    "not a kind": (["posts.csv", "--out", "o.xlsx"], ".csv or .jsonl"),
    "onto itself": (["posts.csv", "--out", "posts.csv"], "same file"),
    "no bundle": (["hello", "--bundle", "nowhere"], "no model bundle at nowhere"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_what_a_person_can_mend_is_one_line_and_code_2(
    case: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("posts.csv").write_text("text\nhello\n", encoding="utf-8")
    arguments, said = BAD[case]
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line
