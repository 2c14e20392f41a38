import json
from pathlib import Path

import pytest

from mltox.posts.reading.raw_rows import RawRow, read_raw_rows
from mltox.posts.writing import OutputError, Writer, WrittenRow, kind_to_write

ROWS: list[WrittenRow] = [
    {"n": "1", "text": 'a, "quoted"\nline', "toxicity": 0.25},
    {"n": "2", "text": "ünï 😂", "toxicity": None},
    {"n": "3", "text": "", "toxicity": 1.0},
]
COLUMNS = ["n", "text", "toxicity"]


def rows_of(path: Path) -> list[RawRow]:
    return list(read_raw_rows(path, "text"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", ".csv"), ("a.b.CSV.gz", ".csv"), ("a.ndjson", ".ndjson"), ("a.parquet", ".parquet")],
)
def test_the_kind_that_a_name_says(name: str, kind: str) -> None:
    assert kind_to_write(Path(name)) == kind


@pytest.mark.parametrize("name", ["a", "a.gz", "a.xlsx", "a.txt", "a.json"])
def test_a_name_that_says_no_format(name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv or \.jsonl"):
        Writer(tmp_path / name, COLUMNS)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_what_is_written_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    with Writer(path, COLUMNS, ["toxicity"]) as writer:
        writer.write(ROWS[:2])
        writer.write(ROWS[2:])
    found = rows_of(path)
    assert [row["text"] for row in found] == [row["text"] for row in ROWS]
    numbers = [float(row["toxicity"]) if row["toxicity"] not in ("", None) else None
               for row in found]  # fmt: skip
    assert numbers == [0.25, None, 1.0]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz"])
def test_a_run_that_was_stopped_goes_on(suffix: str, tmp_path: Path) -> None:
    path, whole = tmp_path / f"t.{suffix}", tmp_path / f"whole.{suffix}"
    with Writer(whole, COLUMNS) as writer:
        writer.write(ROWS[:2])
        writer.write(ROWS[2:])
    with pytest.raises(KeyboardInterrupt), Writer(path, COLUMNS, run="r") as writer:
        writer.write(ROWS[:2])
        raise KeyboardInterrupt
    assert not path.exists()
    with next(tmp_path.glob(".t.*partial")).open("ab") as torn:
        torn.write(b"half a ro")  # as a kill in the middle of a write leaves it
    again = Writer(path, [], run="r", resume=True)
    assert again.rows_done == 2
    with again:
        again.write(ROWS[2:])
    assert path.read_bytes() == whole.read_bytes()
    assert sorted(tmp_path.iterdir()) == [path, whole]


def test_what_was_begun_with_another_model_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(KeyboardInterrupt), Writer(path, COLUMNS, run="r") as writer:
        writer.write(ROWS)
        raise KeyboardInterrupt
    with pytest.raises(OutputError, match="another input, model"):
        Writer(path, COLUMNS, run="other", resume=True)
    with pytest.raises(OutputError, match="Parquet is written whole"):
        Writer(tmp_path / "t.parquet", COLUMNS, run="r", resume=True)


def test_lone_surrogates_can_be_written(tmp_path: Path) -> None:
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        with Writer(tmp_path / name, ["text"]) as writer:
            writer.write([{"text": "a\ud800b"}])
    assert rows_of(tmp_path / "t.csv") == [{"text": "a\ufffdb"}]


def test_what_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(RuntimeError), Writer(path, ["text"]) as writer:
        writer.write([{"text": "a"}])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_json_lines_keep_every_key_and_cells_hold_json(tmp_path: Path) -> None:
    rows: list[WrittenRow] = [{"text": "a"}, {"text": "b", "more": {"x": [1]}}]
    for name in ("t.jsonl", "t.csv"):
        with Writer(tmp_path / name, ["text", "more"]) as writer:
            writer.write(rows)
    assert [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()] == rows
    assert json.loads(rows_of(tmp_path / "t.csv")[1]["more"]) == {"x": [1]}
