"""Rows of posts out of files: JSON, CSV and Parquet, plain or compressed, one at a time.

Memory stays flat whatever the size of a file. A row that cannot be read becomes a row that
`mltox.posts.formats.decode` rejects with the reason, and the reading goes on.
"""

from __future__ import annotations

import csv
import glob
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pyarrow
import pyarrow.parquet

from mltox.base.errors import UserError
from mltox.posts.formats.own import notice
from mltox.posts.formats.plain import FIELDS
from mltox.posts.reading.decompress import SUFFIXES, Progress
from mltox.posts.reading.json_values import ValueTooLarge, values
from mltox.posts.reading.pieces import Pieces

MAX_ROW_BYTES = 1 << 24
"""A longer line or JSON value is not a row but a broken file."""
MAX_CELL_CHARACTERS = 1 << 22
"""A longer cell of a table is one whose closing quote is missing."""

_PARQUET_BATCH = 8192
_LINES = (".jsonl", ".ndjson")
_TABLES = {".csv": ",", ".tsv": "\t"}
_KINDS = (*_LINES, ".json", *_TABLES, ".parquet")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_REQUIRED = ("text", "created_at")


class InputError(UserError, ValueError):
    """An input that cannot be read at all; the message is one line for the person who named it."""


class Row(NamedTuple):
    """A message for `mltox.posts.formats.decode`, and the `file name:line` it is from.

    Lines, elements and rows count from 1; the header of a table is line 1.
    """

    payload: bytes
    origin: str


def expand(inputs: Iterable[str]) -> list[Path]:
    """Returns the files that names, glob patterns and folders stand for, each once.

    A folder stands for the files in it, at any depth, whose kind is known. Raises InputError.
    """
    found: dict[Path, None] = {}
    for name in inputs:
        path = Path(name).expanduser()
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and _kind(p) is not None)
            if not files:
                raise InputError(f"no file of posts in the folder {name}")
        elif path.exists():
            files = [path]
        else:
            # Path.glob takes no absolute pattern
            files = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207
            files = [p for p in files if p.is_file()]
            if not files:
                raise InputError(f"no such file: {name}")
        for file in files:
            if _kind(file) is None:
                known = ", ".join(_KINDS)
                raise InputError(f"{file}: not one of {known} (or these with {_joined(SUFFIXES)})")
            found[file] = None
    return list(found)


def count_hint(paths: Iterable[Path]) -> int:
    """Returns the bytes of the files as they lie on disk: the total for a progress bar."""
    return sum(path.stat().st_size for path in paths)


def check_columns(columns: Mapping[str, str]) -> None:
    """Raises InputError if a mapping names a field that a post does not have."""
    for field in columns:
        if field not in FIELDS:
            raise InputError(f"no field {field!r}; a post has {_joined(FIELDS)}")


def read_rows(
    path: Path,
    columns: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Iterator[Row]:
    """Yields the rows of one file, in order.

    `columns` maps fields of a post (`text`, `created_at`, `id`, `author`, `topic`, `lang`,
    `source`) to columns of a table or keys of JSON objects; fields that it does not name keep their
    own name. A table's row without an id gets a hash of all its columns as its id, so that the id
    is the same in every run and in every order. `progress` is called with bytes of the file used.

    Raises InputError, before the first row, for a file that cannot be read or lacks a column.
    """
    mapping = dict(columns or {})
    check_columns(mapping)
    kind = _kind(path)
    try:
        if kind in _TABLES:
            rows = _table_rows(path, mapping, _TABLES[kind], progress)
        elif kind == ".parquet":
            rows = _parquet_rows(path, mapping, progress)
        else:
            rows = _json_rows(path, mapping, kind == ".json", progress)
        yield from rows
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _kind(path: Path) -> str | None:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in SUFFIXES:
        kind = suffixes[-2] if len(suffixes) == 2 else ".jsonl"
        return kind if kind in _KINDS and kind != ".parquet" else None
    return suffixes[-1] if suffixes and suffixes[-1] in _KINDS else None


def _json_rows(
    path: Path, mapping: dict[str, str], document: bool, progress: Progress | None
) -> Iterator[Row]:
    pieces = _opened(path, progress)
    # Many a .json file holds one object a line; a first line that is no whole object tells that
    # it is one document.
    lines = not document or _is_object(pieces.first_line())
    payloads = _lines(pieces) if lines else _document(pieces)
    for number, payload in payloads:
        if mapping:
            payload = _mapped_json(payload, mapping)
        yield Row(payload, f"{path.name}:{number}")
    if pieces.broken:
        yield _truncated(path, pieces.broken)


def _opened(path: Path, progress: Progress | None) -> Pieces:
    pieces = Pieces(path, MAX_ROW_BYTES, progress)
    if pieces.start(2) in _UTF_16:
        raise InputError(f"{path} is in UTF-16; save it as UTF-8")
    return pieces


def _document(pieces: Pieces) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        for value in values(pieces, MAX_ROW_BYTES):
            if pieces.broken:
                return  # the value is what is left of one
            number += 1
            yield number, value
    except ValueTooLarge as error:
        yield number + 1, notice("row_too_large", str(error))


def _lines(pieces: Pieces) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(pieces.lines(), 1):
        if len(line) > MAX_ROW_BYTES:
            yield number, _too_large(line)
        elif not line.isspace():
            yield number, line.rstrip(b"\r\n")


def _too_large(line: bytes) -> bytes:
    start = line[:20_000].decode("utf-8", "replace")
    return notice("row_too_large", f"the line has more than {MAX_ROW_BYTES:,} bytes", start)


def _truncated(path: Path, reason: str) -> Row:
    return Row(notice("truncated_input", f"{path.name}: {reason}"), f"{path.name}:end")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line.removeprefix(b"\xef\xbb\xbf")), dict)
    except ValueError:
        return False


def _mapped_json(payload: bytes, mapping: Mapping[str, str]) -> bytes:
    try:
        row = orjson.loads(payload)
    except ValueError:
        return payload
    if not isinstance(row, dict):
        return payload
    fields = _fields(mapping, row.keys())
    if fields.get("id") in row:
        return _dumped({field: row.get(name) for field, name in fields.items()})
    plain = {field: row.get(name) for field, name in fields.items()}
    return _dumped({**plain, "id": _row_id([payload.decode()])})


def _table_rows(
    path: Path, mapping: dict[str, str], delimiter: str, progress: Progress | None
) -> Iterator[Row]:
    pieces = _opened(path, progress)
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(_text_lines(pieces), delimiter=delimiter)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise InputError(f"{path} has no header that can be read: {error}") from None
    if not header:
        raise InputError(f"{path} has no header")
    header[0] = header[0].removeprefix("\ufeff")
    fields = _checked_fields(path, mapping, header)
    places = [(field, header.index(name)) for field, name in fields.items()]
    has_id = "id" in fields
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            message = f"lines {line} to {reader.line_num}: {error}"
            yield Row(notice("malformed_csv", message), f"{path.name}:{line}")
            continue
        if pieces.broken:
            break  # the row is what is left of one
        if not cells:
            continue
        yield Row(_table_payload(cells, header, places, has_id), f"{path.name}:{line}")
    if pieces.broken:
        yield _truncated(path, pieces.broken)


def _table_payload(
    cells: Sequence[str], header: Sequence[str], places: Sequence[tuple[str, int]], has_id: bool
) -> bytes:
    if len(cells) != len(header):
        message = f"the row has {len(cells)} cells, the header {len(header)}"
        return notice("malformed_csv", message)
    row = {field: cells[place] for field, place in places}
    if not has_id:
        row["id"] = _row_id(cells)
    return _dumped(row)


def _text_lines(pieces: Pieces) -> Iterator[str]:
    for line in pieces.lines():
        yield line[:MAX_ROW_BYTES].decode("utf-8", "surrogateescape")


def _parquet_rows(path: Path, mapping: dict[str, str], progress: Progress | None) -> Iterator[Row]:
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise InputError(f"{path} is no Parquet file: {_one_line(error)}") from error
    names = file.schema_arrow.names
    fields = _checked_fields(path, mapping, names)
    # Without an id column every column is read, for the hash of the row.
    wanted = list(dict.fromkeys(fields.values())) if "id" in fields else names
    size, total = path.stat().st_size, max(file.metadata.num_rows, 1)
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_PARQUET_BATCH, columns=wanted):
            read = {name: _cells(batch.column(name)) for name in wanted}
            for row in _plain_rows(read, wanted, fields):
                number += 1
                yield Row(_dumped(row), f"{path.name}:{number}")
            if progress is not None:
                progress(size * number // total - size * (number - batch.num_rows) // total)
    except (pyarrow.ArrowException, OSError) as error:
        yield _truncated(path, f"damaged after row {number}: {_one_line(error)}")


def _cells(column: Any) -> list[Any]:
    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's datetime has microseconds; without this a stamp with more would raise
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    return column.to_pylist()


def _plain_rows(
    read: Mapping[str, list[Any]], wanted: Sequence[str], fields: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    picked = [read[name] for name in fields.values()]
    plain = (dict(zip(fields, cells, strict=True)) for cells in zip(*picked, strict=True))
    if "id" in fields:
        yield from plain
        return
    everything = zip(*(read[name] for name in wanted), strict=True)
    for row, cells in zip(plain, everything, strict=True):
        row["id"] = _row_id([cell if isinstance(cell, str) else repr(cell) for cell in cells])
        yield row


def _checked_fields(
    path: Path, mapping: Mapping[str, str], header: Sequence[str]
) -> dict[str, str]:
    fields = _fields(mapping, header)
    there = f"{path.name} has {_joined(header)}"
    for field, name in mapping.items():
        if name not in header:
            raise InputError(f"no column {name!r} (for {field}); {there}")
    for field in _REQUIRED:
        if field not in fields:
            raise InputError(f"no column {field!r}; name it as {field}=COLUMN; {there}")
    return fields


def _fields(mapping: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Which column or key each field of a post is in."""
    own = {name: name for name in names if name in FIELDS and name not in mapping.values()}
    return {**own, **mapping}


def _row_id(cells: Sequence[str]) -> str:
    text = "\x1f".join(cells).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def _json_of(value: object) -> str:
    """The JSON of a cell that is of no JSON type: some writers of Parquet store text as bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _dumped(row: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(row, default=_json_of, option=orjson.OPT_NAIVE_UTC)
    except TypeError:
        # Only what was no UTF-8 in the file cannot be written as JSON.
        return notice(
            "bad_encoding",
            "the row is not UTF-8; save the file as UTF-8",
            json.dumps(row, default=repr),
        )


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
