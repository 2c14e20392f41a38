import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mltox.posts.reading.tables import Row, TableError, Writer, kind, read_chunks

ROWS: list[Row] = [
    {"n": "1", "text": 'a, "quoted"\nline', "toxicity": 0.25},
    {"n": "2", "text": "ünï 😂", "toxicity": None},
    {"n": "3", "text": "", "toxicity": 1.0},
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", ".csv"),
        ("a.b.CSV.gz", ".csv"),
        ("a.ndjson", ".ndjson"),
        ("a.parquet", ".parquet"),
        ("a.txt.gz", ".txt"),
        ("a.gz", None),
        ("a", None),
        ("a.xlsx", None),
    ],
)
def test_kind(name: str, expected: str | None) -> None:
    assert kind(Path(name)) == expected


def rows_of(path: Path, size: int = 2) -> list[Row]:
    return [row for chunk in read_chunks(path, "text", size) for row in chunk.rows]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_what_is_written_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{suffix}"
    with Writer(path, ["toxicity"]) as writer:
        writer.write(ROWS[:2])
        writer.write(ROWS[2:])
    found = rows_of(path)
    assert [row["text"] for row in found] == [row["text"] for row in ROWS]
    numbers = [float(row["toxicity"]) if row["toxicity"] not in ("", None) else None
               for row in found]  # fmt: skip
    assert numbers == [0.25, None, 1.0]
    assert list(tmp_path.iterdir()) == [path]


def test_chunks_are_of_the_size_and_end_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("a\nb\r\nc", encoding="utf-8")
    chunks = list(read_chunks(path, "text", 2))
    assert [chunk.rows for chunk in chunks] == [[{"text": "a"}, {"text": "b"}], [{"text": "c"}]]
    assert chunks[-1].position == path.stat().st_size


def test_parquet_keeps_types_apart(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": ["a", None], "n": [1, 2]}), path)
    assert rows_of(path) == [{"text": "a", "n": 1}, {"text": None, "n": 2}]


def test_ragged_csv_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\ufefftext,n\na,1,too much\nb\n", encoding="utf-8")
    assert rows_of(path) == [{"text": "a", "n": "1"}, {"text": "b", "n": None}]


def test_lone_surrogates_can_be_written(tmp_path: Path) -> None:
    for name in ("t.csv", "t.jsonl", "t.parquet"):
        with Writer(tmp_path / name, []) as writer:
            writer.write([{"text": "a\ud800b"}])
    assert rows_of(tmp_path / "t.csv") == [{"text": "a?b"}]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("t.csv", b"tweet,n\na,1\n", "has no column 'text'; it has tweet, n"),
        ("t.csv", b"", "has no column 'text'; it has none"),
        ("t.csv", b"text\n\xff\xfe\n", "cannot read"),
        ("t.jsonl", b'{"text": "a"}\n[1]\n', "line 2: not a JSON object"),
        ("t.jsonl", b'{"tweet": "a"}\n', "has no column 'text'; it has tweet"),
        ("t.jsonl", b"[" * 100_000, "line 1: not a JSON object"),
        ("t.parquet", b"PAR1 no", "cannot read"),
        ("t.csv.gz", b"no gzip", "cannot read"),
        ("t.csv.gz", gzip.compress(b"text\n" + b"abc\n" * 9_000, mtime=0)[:-20], "cannot read"),
    ],
)
def test_a_file_that_cannot_be_read(
    name: str, content: bytes, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(TableError, match=complaint) as error:
        rows_of(path)
    assert "\n" not in str(error.value)


def test_what_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(RuntimeError), Writer(path, []) as writer:
        writer.write([{"text": "a"}])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_says_no_format(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"\.csv or \.jsonl"):
        Writer(tmp_path / "t.xlsx", [])


def test_json_lines_keep_every_column(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with Writer(path, []) as writer:
        writer.write([{"text": "a"}, {"text": "b", "more": {"x": [1]}}])
    assert [json.loads(line) for line in path.read_text().splitlines()][1]["more"] == {"x": [1]}
