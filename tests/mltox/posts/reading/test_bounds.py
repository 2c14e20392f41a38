"""A small file takes a small memory, whatever it stands for; what is beyond a bound says so."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from mltox.posts.authors import AuthorKeys
from mltox.posts.formats import decode
from mltox.posts.reading import decompress, parquet
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import expand
from mltox.posts.reading.rows import read_rows

GOOD = b'{"id": "1", "text": "hello you", "created_at": "2024-01-01"}\n'
NOW = 1_800_000_000_000_000
AUTHORS = AuthorKeys(b"a secret of the tests")


def kinds(path: Path) -> list[str]:
    """What each row of a file becomes: a post, or the error type of its letter."""
    items = [i for row in read_rows(path) for i in decode(row.payload, authors=AUTHORS, now=NOW)]
    return [item[0] if len(item) == 4 else "post" for item in items]


def table(path: Path, **columns: object) -> Path:
    given = {"id": ["1", "2"], "text": ["a b", "c d"], "created_at": [1_700_000_000] * 2}
    pq.write_table(pa.table({**given, **columns}), path, store_schema=False)
    return path


@pytest.mark.parametrize(
    "stamps",
    [
        pa.array([2**62, 1_700_000_000_000_000], pa.timestamp("us")),
        pa.array([-(2**62), 1_700_000_000_000], pa.timestamp("ms")),
        pa.array([-(2**31), 19_700], pa.date32()),
    ],
)
def test_a_stamp_that_is_no_year_of_ours_spoils_no_other(tmp_path: Path, stamps: object) -> None:
    assert kinds(table(tmp_path / "p.parquet", created_at=stamps)) == ["bad_created_at", "post"]


def test_a_time_of_day_is_a_letter(tmp_path: Path) -> None:
    path = table(tmp_path / "p.parquet", created_at=pa.array([2**40] * 2, pa.time64("us")))
    assert kinds(path) == ["bad_created_at"] * 2


def test_two_columns_of_one_name_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    names = ["id", "text", "text", "created_at"]
    pq.write_table(pa.table([["1"], ["a"], ["b"], [1_700_000_000]], names=names), path)
    with pytest.raises(InputError, match="two columns of one name"):
        kinds(path)


def test_a_dictionary_of_one_long_text_is_not_a_copy_for_each_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_BATCH_BYTES", 1_000_000)
    rows = 500
    long = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["a" * 600_000])
    path = table(
        tmp_path / "p.parquet",
        id=[str(n) for n in range(rows)],
        text=long,
        created_at=[1_700_000_000] * rows,
    )
    assert path.stat().st_size < 100_000
    batches = list(parquet.ParquetTable(path).batches(["id", "text"]))
    assert sum(len(ids) for ids, _ in batches) == rows
    assert max(sum(map(len, texts)) for _, texts in batches) <= 1_000_000
    assert kinds(path) == ["text_too_large"] * rows


def test_nulls_and_short_texts_of_a_dictionary_are_as_written(tmp_path: Path) -> None:
    path = table(tmp_path / "p.parquet", text=pa.array(["née 🔥", None]).dictionary_encode())
    assert list(parquet.ParquetTable(path).batches(["text"])) == [[["née 🔥", None]]]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_file_that_unpacks_without_end_is_left_with_a_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(decompress, "MOST_AT_ANY_RATIO", 1 << 20)
    start = GOOD if kind == "jsonl" else b"id,text,created_at\n1,hello,2024-01-01\n"
    path = tmp_path / f"bomb.{kind}.zst"
    path.write_bytes(zstandard.compress(start + b"a" * 50_000_000))
    found = kinds(path)
    assert found[0] == "post"
    assert found[-1] == "truncated_input"


def test_a_small_file_is_granted_no_large_window(tmp_path: Path) -> None:
    settings = zstandard.ZstdCompressionParameters(window_log=29, enable_ldm=True)
    packed = zstandard.ZstdCompressor(compression_params=settings).compressobj()
    path = tmp_path / "w.jsonl.zst"
    path.write_bytes(packed.compress(GOOD) + packed.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
                     + packed.compress(GOOD * 10) + packed.flush())  # fmt: skip
    with pytest.raises(decompress.TruncatedInput, match="damaged"):
        list(decompress.chunks(path))


def test_what_is_no_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name in (str(tmp_path / "pipe.jsonl"), "/dev/zero", "", "  "):
        with pytest.raises(InputError):
            expand([name])


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "posts"
    (folder / "more").mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(GOOD)
    (tmp_path / "secret.jsonl").write_bytes(GOOD)
    (folder / "out.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (folder / "in.jsonl").symlink_to(folder / "a.jsonl")
    (folder / "loop.jsonl").symlink_to(folder / "loop.jsonl")
    (folder / "up").symlink_to(tmp_path)
    for name in (str(folder), f"{folder}/*.jsonl", f"{folder}/**/*.jsonl"):
        assert [path.name for path in expand([name])] == ["a.jsonl"]
    asked_for = expand([str(folder / "out.jsonl")])
    assert [path.name for path in asked_for] == ["out.jsonl"]
