from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mltox.posts.reading.errors import InputError
from mltox.posts.reading.how import How
from mltox.posts.reading.raw_rows import RawRow, read_raw_rows
from mltox.posts.reading.remarks import Remarks


def rows_of(path: Path, remarks: Remarks | None = None, how: How | None = None) -> list[RawRow]:
    return list(read_raw_rows(path, "text", remarks=remarks, how=how or How()))


def test_lines(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("a\nb\r\n\nc", encoding="utf-8")
    assert [row["text"] for row in rows_of(path)] == ["a", "b", "", "c"]


def test_parquet_keeps_types_apart(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": ["a", None], "n": [1, 2]}), path)
    assert rows_of(path) == [{"text": "a", "n": 1}, {"text": None, "n": 2}]


def test_a_row_with_a_comma_that_nobody_quoted_keeps_its_whole_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,text,who\n1,well, you are an idiot,a\n2,fine,b\n3,short\n")
    remarks = Remarks()
    assert rows_of(path, remarks) == [
        {"n": "1", "text": "well, you are an idiot", "who": "a"},
        {"n": "2", "text": "fine", "who": "b"},
        {"n": "3", "text": "short", "who": None},
    ]
    assert remarks.lines() == [
        "2 rows of a table are damaged (first: t.csv:2: the row has 4 cells, the header 3)"
    ]


def test_no_column_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(",text,text,\n0,a,b,c\n")
    assert rows_of(path) == [{"": "0", "text": "a", "text_2": "b", "_2": "c"}]


def test_a_quote_that_is_never_closed_takes_no_other_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('n,text\n1,"you idiot\n' + "".join(f"{n},text {n}\n" for n in range(2, 41)))
    rows = rows_of(path)
    assert [row["n"] for row in rows] == [str(n) for n in range(1, 41)]
    assert rows[0]["text"] == '"you idiot'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.json", b'[{"text": "a"}, {"text": "b"}]'),
        ("t.json", b'{"text": "a"}\n{"text": "b"}'),
        ("t.jsonl.1", b'{"text": "a"}\n{"text": "b"}'),
        ("t", b'{"text": "a"}\n{"text": "b"}'),
        ("t.csv", b"text;n\na;1\nb;2"),
        ("t.csv", "text\tn\na\t1\nb\t2".encode("utf-16")),
        ("t.gz", gzip.compress(b"text,n\na,1\nb,2\n", mtime=0)),
        ("t.csv.gz", b"text,n\na,1\nb,2\n"),
    ],
)
def test_what_a_file_holds_says_how_it_is_read(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert [row["text"] for row in rows_of(path)] == ["a", "b"]


def test_a_json_value_that_is_no_object_stays_a_row(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "a"}\n{"text": oops}\n{"text": "b", "more": 1}\n')
    assert rows_of(path) == [
        {"text": "a"},
        {"text": None, "unreadable_row": '{"text": oops}'},
        {"text": "b", "more": 1},
    ]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("t.csv", b"tweet,n\na,1\n", "has no column 'text'; it has tweet, n"),
        ("t.csv", b"", "has no header"),
        ("t.jsonl", b'{"tweet": "a"}\n', "has no column 'text'; it has tweet"),
        ("t.parquet", b"PAR1 no", "is no Parquet file"),
        ("t.xlsx", b"PK\x03\x04 no", "zip"),
        ("t.csv.gz", gzip.compress(b"text\n" + b"abc\n" * 9_000, mtime=0)[:-20], "to its end"),
        ("t.db", b"SQLite format 3\0", "an SQLite database; export"),
        ("t.csv", b"<!DOCTYPE html><html>", "HTML, which is not read"),
    ],
)
def test_a_file_that_cannot_be_read(
    name: str, content: bytes, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint) as error:
        rows_of(path)
    assert "\n" not in str(error.value)
