"""Files of posts as rows, in chunks of flat memory, and the same rows with more columns out."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from mltox.base.errors import UserError

Row = dict[str, Any]
SEPARATORS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
KINDS = (*SEPARATORS, *JSON_LINES, ".parquet", ".txt")
_MAX_CELL = 10_000_000


class TableError(UserError):
    """A file cannot be read or written; the message is one line for a person."""


class Chunk(NamedTuple):
    """Rows, and how many bytes of the file were read when they ended."""

    rows: list[Row]
    position: int


def kind(path: Path) -> str | None:
    """The suffix that says what a file holds (`.csv` for `posts.csv.gz`), None where it is none of
    `KINDS`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes and suffixes[-1] in KINDS else None


def read_chunks(path: Path, text_column: str, size: int) -> Iterator[Chunk]:
    """Chunks of at most `size` rows. A `.txt` file has one text a line, under `text_column`.

    Raises `TableError`: not readable, cut off, no such column (the message names those there are),
    a line that is no JSON object.
    """
    try:
        if kind(path) == ".parquet":
            yield from _parquet_chunks(path, text_column, size)
        else:
            yield from _line_chunks(path, text_column, size)
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error, pa.ArrowException) as e:
        raise TableError(f"cannot read {path}: {_first_line(e)}") from None


def _line_chunks(path: Path, text_column: str, size: int) -> Iterator[Chunk]:
    with path.open("rb") as raw:
        unpacked: Any = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
        lines = io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="")
        rows: list[Row] = []
        for row in _rows(path, lines, text_column):
            rows.append(row)
            if len(rows) == size:
                yield Chunk(rows, raw.tell())
                rows = []
        if rows:
            yield Chunk(rows, raw.tell())


def _rows(path: Path, lines: io.TextIOWrapper, text_column: str) -> Iterator[Row]:
    if kind(path) == ".txt":
        for line in lines:
            yield {text_column: line.rstrip("\r\n")}
    elif kind(path) in JSON_LINES:
        yield from _json_rows(path, lines, text_column)
    else:
        csv.field_size_limit(_MAX_CELL)
        reader = csv.DictReader(lines, delimiter=SEPARATORS[str(kind(path))], restkey="")
        _require(path, text_column, reader.fieldnames or ())
        for row in reader:
            row.pop("", None)
            yield row


def _json_rows(path: Path, lines: io.TextIOWrapper, text_column: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise TableError(f"{path}, line {number}: not a JSON object")
        if number == 1:
            _require(path, text_column, row)
        yield row


def _parquet_chunks(path: Path, text_column: str, size: int) -> Iterator[Chunk]:
    with pq.ParquetFile(path) as file:
        _require(path, text_column, file.schema_arrow.names)
        total, done = max(1, file.metadata.num_rows), 0
        for batch in file.iter_batches(size):
            done += batch.num_rows
            yield Chunk(batch.to_pylist(), path.stat().st_size * done // total)


def _require(path: Path, column: str, names: Sequence[str] | Mapping[str, Any]) -> None:
    if column not in names:
        raise TableError(f"{path} has no column {column!r}; it has {', '.join(names) or 'none'}")


class Writer:
    """Writes rows to a file of the kind that its name says. The file appears when all is written.

    The first rows decide the columns. In a Parquet file `numbers` are float64 and all other columns
    strings (values that are none as JSON).
    """

    def __init__(self, path: Path, numbers: Sequence[str]) -> None:
        if kind(path) not in (*SEPARATORS, *JSON_LINES, ".parquet"):
            raise TableError(
                f"cannot write {path}: its name must end in .csv or .jsonl (also .tsv, .parquet)"
            )
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._numbers = numbers
        self._files = ExitStack()
        self._columns: list[str] = []
        self._sink: Any = None

    def __enter__(self) -> Writer:
        try:
            self._raw: BinaryIO = self._files.enter_context(self._partial.open("wb"))
        except OSError as error:
            raise TableError(f"cannot write {self._path}: {_first_line(error)}") from None
        return self

    def __exit__(
        self,
        kind_: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._files.close()
        if error is None:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)

    def write(self, rows: Sequence[Row]) -> None:
        """Appends rows. A column that the first ones did not have is left out, except in JSON."""
        if self._sink is None:
            self._columns = list(rows[0])
            self._sink = self._open()
        if kind(self._path) == ".parquet":
            cells = [{name: self._cell(name, row.get(name)) for name in self._columns}
                     for row in rows]  # fmt: skip
            self._sink.write_table(pa.Table.from_pylist(cells, self._schema()))
        elif kind(self._path) in JSON_LINES:
            for row in rows:
                self._sink.write(json.dumps(row, ensure_ascii=True, default=str) + "\n")
        else:
            self._sink.writerows(
                [{name: _storable(row.get(name)) for name in self._columns} for row in rows]
            )

    def _open(self) -> Any:
        if kind(self._path) == ".parquet":
            return self._files.enter_context(pq.ParquetWriter(self._raw, self._schema()))
        target: Any = self._raw
        if self._path.suffix == ".gz":
            # No time stamp inside: the same rows make the same file.
            target = self._files.enter_context(gzip.GzipFile("", "wb", fileobj=self._raw, mtime=0))
        text = self._files.enter_context(io.TextIOWrapper(target, encoding="utf-8", newline=""))
        if kind(self._path) in JSON_LINES:
            return text
        writer = csv.DictWriter(text, self._columns, delimiter=SEPARATORS[str(kind(self._path))])
        writer.writeheader()
        return writer

    def _schema(self) -> pa.Schema:
        return pa.schema(
            [(name, pa.float64() if name in self._numbers else pa.string())
             for name in self._columns]
        )  # fmt: skip

    def _cell(self, name: str, value: Any) -> Any:
        if value is None or name in self._numbers:
            return value
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return _storable(text)


def _storable(value: Any) -> Any:
    """A string without lone surrogates, which no file can hold; anything else as it is."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _first_line(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(reason).splitlines()[0]
