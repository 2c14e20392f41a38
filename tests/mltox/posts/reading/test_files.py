from __future__ import annotations

import bz2
import gzip
import json
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.reading import rows
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import count_hint, expand
from mltox.posts.reading.rows import read_rows

NOW = 1_767_225_600_000_000
ROWS = [
    {"id": str(n), "text": f"text {n}, \"é\"", "created_at": "2025-06-02T10:00:00Z", "topic": "t"}
    for n in range(1, 6)
]  # fmt: skip
JSONL = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def read(
    path: Path, columns: Mapping[str, str] | None = None
) -> list[tuple[str, Envelope | Reject]]:
    keys = AuthorKeys(b"a secret of the tests")
    return [
        (row.origin, item)
        for row in read_rows(path, columns)
        for item in decode(row.payload, authors=keys, now=NOW)
    ]


def outcome(path: Path, columns: Mapping[str, str] | None = None) -> list[str]:
    """The post id or the error type of each item."""
    return [
        item.post_id if isinstance(item, Envelope) else item.error_type
        for _, item in read(path, columns)
    ]


GOOD = [f"file:{n}" for n in range(1, 6)]


def csv_of(rows: list[dict[str, str]], delimiter: str = ",") -> bytes:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"'

    lines = [delimiter.join(rows[0]), *(delimiter.join(map(quoted, r.values())) for r in rows)]
    return ("\n".join(lines) + "\n").encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.jsonl", JSONL),
        ("posts.ndjson", b"\xef\xbb\xbf" + JSONL.replace(b"\n", b"\r\n") + b"\n \n"),
        ("posts.JSONL", JSONL.rstrip(b"\n")),
        ("posts.json", JSONL),  # as the stream grabs of archives are named
        ("posts.json", json.dumps(ROWS).encode()),
        ("posts.json", json.dumps(ROWS, indent=2).encode()),
        ("posts.json", b"\n\n" + b"\n".join(json.dumps(r, indent=1).encode() for r in ROWS)),
        ("posts.csv", csv_of(ROWS)),
        ("posts.csv", b"\xef\xbb\xbf" + csv_of(ROWS).replace(b"\n", b"\r\n")),
        ("posts.tsv", csv_of(ROWS, "\t")),
    ],
)
@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("", lambda data: data),
        (".gz", gzip.compress),
        (".gz", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
        (".bz2", bz2.compress),
        (".zst", zstandard.compress),
        (".zst", lambda data: zstandard.compress(data[:100]) + zstandard.compress(data[100:])),
    ],
)
def test_every_kind_of_file_gives_the_same_posts(
    name: str,
    content: bytes,
    suffix: str,
    compress: Callable[[bytes], bytes],
    tmp_path: Path,
) -> None:
    path = tmp_path / (name + suffix)
    path.write_bytes(compress(content))
    items = [item for _, item in read(path)]
    assert [getattr(item, "post_id", item) for item in items] == GOOD
    assert getattr(items[0], "text", None) == 'text 1, "é"'


def test_a_page_in_a_file_is_one_row_with_all_its_posts(tmp_path: Path) -> None:
    page = {"data": [{"id": str(10**18 + n), "text": "t"} for n in range(3)], "meta": {}}
    path = tmp_path / "page.json"
    path.write_text(json.dumps(page, indent=1))
    assert [origin for origin, _ in read(path)] == ["page.json:1"] * 3


def test_origins_count_lines_and_rows(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_bytes(b"\n" + JSONL)
    assert [origin for origin, _ in read(lines)] == [f"a.jsonl:{n}" for n in range(2, 7)]
    table = tmp_path / "a.csv"
    table.write_text('id,text,created_at\n1,"two\nlines",2025-06-02\n2,b,2025-06-02\n')
    assert [origin for origin, _ in read(table)] == ["a.csv:2", "a.csv:4"]


def test_columns_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("n,tweet,date,user,text\n7,hello,2025-06-02,someone,other\n")
    columns = {"id": "n", "text": "tweet", "created_at": "date", "author": "user", "topic": "text"}
    ((_, item),) = read(path, columns)
    assert isinstance(item, Envelope)
    assert (item.post_id, item.text, item.topics) == ("file:7", "hello", ("other",))
    assert item.author_key == AuthorKeys(b"a secret of the tests").key("file", "someone")


def test_keys_by_name_in_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"tweet": "hello", "date": "2025-06-02"}\n"oops"\n{\n')
    assert outcome(path, {"text": "tweet", "created_at": "date"})[1:] == [
        "not_an_object",
        "malformed_json",
    ]
    (_, first), *_ = read(path, {"text": "tweet", "created_at": "date"})
    assert isinstance(first, Envelope) and first.text == "hello"


def test_rows_without_an_id_have_the_same_one_in_any_order(tmp_path: Path) -> None:
    lines = ["a,2025-06-02,x", "a,2025-06-02,y", "b,2025-06-02,x"]
    ids = []
    for order in (lines, lines[::-1]):
        path = tmp_path / "a.csv"
        path.write_text("\n".join(["text,created_at,other", *order]) + "\n")
        ids.append(outcome(path))
    assert ids[0] == ids[1][::-1]
    assert len(set(ids[0])) == 3  # the column that is not read counts too


def test_parquet(tmp_path: Path) -> None:
    stamp = datetime(2025, 6, 2, 10, tzinfo=UTC)
    nanos = pyarrow.array([1_748_858_400_000_000_001] * 3, pyarrow.timestamp("ns", "UTC"))
    table = pyarrow.table(
        {
            "id": pyarrow.array([1, 2, 3]),
            "text": ["a", None, "c"],
            "created_at": [stamp] * 3,
            "naive": pyarrow.array([stamp.replace(tzinfo=None)] * 3),
            "nanos": nanos,
            "bytes": [b"caf\xc3\xa9", b"b", b"\xff"],
            "topics": [["x", "y"], [], None],
        }
    )
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(table, path)
    assert outcome(path) == ["file:1", "missing_text", "file:3"]
    (origin, first), *_ = read(path)
    assert isinstance(first, Envelope)
    assert (origin, first.topics) == ("a.parquet:1", ("x", "y"))
    assert first.created_at == 1_748_858_400_000_000
    for column in ("naive", "nanos"):
        assert next(item for _, item in read(path, {"created_at": column})) == first
    assert outcome(path, {"text": "bytes"}) == ["file:1", "file:2", "bad_encoding"]
    assert next(getattr(i, "text", "") for _, i in read(path, {"text": "bytes"})) == "café"


def test_parquet_rows_without_an_id(tmp_path: Path) -> None:
    table = pyarrow.table(
        {"text": ["a", "a", "a"], "created_at": ["2025-06-02"] * 3, "n": [1.5, 1.5, None]}
    )
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(table, path)
    first, second, third = outcome(path)
    assert first == second != third


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".bz2", bz2.compress), (".zst", zstandard.compress)],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.json"])
def test_a_truncated_file_gives_its_good_rows_and_one_reject(
    name: str, suffix: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    rows = [dict(ROWS[0], id=str(n), text=str(n**9 * 7919 % 10**40)) for n in range(20_000)]
    plain = {
        "a.jsonl": "\n".join(map(json.dumps, rows)).encode(),
        "a.csv": csv_of(rows),
        "a.json": json.dumps(rows).encode(),
    }[name]
    whole = compress(plain)
    path = tmp_path / (name + suffix)
    path.write_bytes(whole[: len(whole) * 3 // 4])
    *good, last = outcome(path)
    assert last == "truncated_input"
    assert good == [f"file:{n}" for n in range(len(good))]
    assert len(good) > 5_000
    assert read(path)[-1][0] == f"{name}{suffix}:end"


def test_a_damaged_file_too(tmp_path: Path) -> None:
    whole = bytearray(gzip.compress(JSONL * 2_000))
    whole[len(whole) // 2] ^= 255
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(whole)
    *good, last = outcome(path)
    assert last == "truncated_input"
    assert set(good) <= {*GOOD, "malformed_json", "bad_encoding", "unknown_shape"}


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    table = pyarrow.table(
        {
            "id": [str(n) for n in range(50_000)],
            "text": [f"text {n * 7919 % 50_021}" for n in range(50_000)],
            "created_at": ["2025-06-02"] * 50_000,
        }
    )
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(table, path, row_group_size=10_000, compression="zstd")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2_000] = bytes(2_000)
    path.write_bytes(data)
    *good, last = outcome(path)
    assert last == "truncated_input"
    assert good == [f"file:{n}" for n in range(len(good))]
    assert len(good) >= 10_000


def test_bad_rows_of_a_table(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(
        b"id,text,created_at,author\n"
        b"1,good,2025-06-02,\n"
        b"2,an unquoted, comma,2025-06-02,x\n"
        b"3,short\n"
        b"\n"
        b"4,caf\xe9,2025-06-02,raw_author\n"
        b"5,nul \x00,2025-06-02,x\n"
        b"6,,2025-06-02,x\n"
        b"7,good,2025-06-02,x\n"
    )
    assert outcome(path) == [
        "file:1",
        "malformed_csv",
        "malformed_csv",
        "bad_encoding",
        "nul_character",
        "empty_text",
        "file:7",
    ]
    for _, item in read(path):
        assert "raw_author" not in str(item)


def test_a_cell_of_a_megabyte_is_read_and_rejected_for_its_size(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"id,text,created_at\n1,{'x' * 1_000_000},2025-06-02\n2,b,2025-06-02\n")
    assert outcome(path) == ["text_too_large", "file:2"]


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    rows = "".join(f"{n},text {n},2025-06-02\n" for n in range(200_000))
    path = tmp_path / "a.csv"
    path.write_text('id,text,created_at\n0,"open,2025-06-02\n' + rows)
    found = outcome(path)
    assert found[0] == "malformed_csv"
    assert found[-1] == "file:199999"


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_line_over_the_limit_is_one_reject(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MAX_ROW_BYTES", 300_000)
    path = tmp_path / name
    long = json.dumps(ROWS[0] | {"text": "x" * 700_000}).encode()
    path.write_bytes(JSONL + long + b"\n" + JSONL)
    assert outcome(path) == [*GOOD, "row_too_large", *GOOD]


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write("[\n" + ",\n".join([json.dumps(ROWS[0])] * 40_000) + "]")
    tracemalloc.start()
    assert sum(1 for _ in read_rows(path)) == 40_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_500_000  # of 4,000,000 in the file


@pytest.mark.parametrize("name", ["a.jsonl", "a.json.gz", "a.csv.bz2", "a.parquet"])
def test_progress_adds_up_to_the_size(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "a.parquet":
        table = pyarrow.table({k: [r[k] for r in ROWS] * 5_000 for k in ROWS[0]})
        pyarrow.parquet.write_table(table, path)
    else:
        content = csv_of(ROWS * 5_000) if ".csv" in name else JSONL * 5_000
        packed = {".gz": gzip.compress(content), ".bz2": bz2.compress(content)}
        path.write_bytes(packed.get(path.suffix, content))
    steps: list[int] = []
    assert sum(1 for _ in read_rows(path, progress=steps.append)) == 25_000
    assert sum(steps) == path.stat().st_size == count_hint([path])
    assert min(steps) >= 0


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        ("a.csv", b"", {}, "has no header"),
        ("a.csv", b"id,tw\n", {}, "no column 'text'; name it as text=COLUMN; a.csv has"),
        ("a.csv", b"text,when\n", {}, "no column 'created_at'"),
        ("a.csv", b"text,when\n", {"created_at": "date"}, "no column 'date' (for created_at)"),
        ("a.csv", b"text,when\n", {"body": "text"}, "no field 'body'; a post has id, text"),
        ("a.csv", "text,when\n".encode("utf-16"), {}, "a.csv has text, when"),
        ("a.csv", b"text,date\n", {}, "perhaps --columns 'created_at=date'"),
        ("a.csv", b"text,when\n", {"created_at": "whem"}, "did you mean 'when'?"),
        ("a.parquet", b"PAR1", {}, "is no Parquet file"),
        ("a.parquet", b"", {}, "is no Parquet file"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_clear_line(
    name: str, content: bytes, columns: dict[str, str], message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read_rows(path, columns))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_gone_is_one_clear_line(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.csv", "a.parquet"):
        with pytest.raises(InputError, match=r"cannot read .*No such file"):
            list(read_rows(tmp_path / name))


def test_expand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.csv", "a.jsonl.gz", "sub/c.parquet", "sub/notes.txt", "sub/[d].json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()

    def names(*inputs: str) -> list[str]:
        return [path.relative_to(tmp_path).as_posix() for path in expand(inputs)]

    root = str(tmp_path)
    everything = ["a.jsonl.gz", "b.csv", "sub/[d].json", "sub/c.parquet"]
    assert names(root) == everything
    assert names(f"{root}/b.csv", root) == ["b.csv", "a.jsonl.gz", *everything[2:]]
    assert names(f"{root}/*.csv") == ["b.csv"]
    assert names(f"{root}/**/*.parquet") == ["sub/c.parquet"]
    assert names(f"{root}/sub/[d].json") == ["sub/[d].json"]
    monkeypatch.setenv("HOME", root)
    assert names("~/b.csv") == ["b.csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "no such file"),
        ("*.none", "no such file"),
        ("notes.txt", "plain text, of which a post's time is not known"),
        ("x.parquet.gz", "not one of"),
        ("empty", "no file of posts in the folder"),
    ],
)
def test_inputs_that_are_none(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / "x.parquet.gz").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=message):
        expand([str(tmp_path / name)])
