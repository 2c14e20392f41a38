"""Rows of any file as they are, with all their columns: for scoring and for training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mltox.posts.reading.decompress import BytesProgress
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.how import AS_USUAL, How
from mltox.posts.reading.json_rows import json_rows
from mltox.posts.reading.parquet import ParquetDamage, ParquetTable
from mltox.posts.reading.pieces import Pieces
from mltox.posts.reading.remarks import Remarks
from mltox.posts.reading.rows import MAX_ROW_BYTES, MAX_TABLE_LINE
from mltox.posts.reading.sniff import FileKind, Sniffed, sniff
from mltox.posts.reading.table import open_table

RawRow = dict[str, Any]

TEXT = "text"
UNREADABLE = "unreadable_row"
"""The key of what is left of a JSON value that is no object."""


def read_raw_rows(
    path: Path,
    text_column: str | None = None,
    progress: BytesProgress | None = None,
    *,
    how: How = AS_USUAL,
    remarks: Remarks | None = None,
) -> Iterator[RawRow]:
    """Yields each row of a file once, in order; none is dropped, and none of its cells.

    `text_column` has to be there, if it is named. A file of lines has one text a line, under that
    name. A row of a table with more cells than
    its header has has a delimiter in its text that nobody quoted: the text takes the surplus. A row
    that cannot be read is a row without a text. Both are noted in `remarks`.

    Raises InputError for a file that cannot be read or has no such column, and where it breaks off.
    """
    notes = Remarks() if remarks is None else remarks
    try:
        sniffed = sniff(path)
        if sniffed.kind is FileKind.TABLE:
            yield from _table(path, text_column, sniffed, how, notes, progress)
        elif sniffed.kind is FileKind.PARQUET:
            yield from _parquet(path, text_column, progress)
        elif sniffed.kind is FileKind.JSON:
            yield from _json(path, text_column, notes, progress)
        elif sniffed.kind is FileKind.LINES:
            yield from _lines(path, text_column, progress)
        else:
            raise InputError(f"{path}: {sniffed.refusal}")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def unique(names: Sequence[str]) -> list[str]:
    """Names of columns, each once: a second `a` is `a_2`.

    >>> unique(["a", "a", ""])
    ['a', 'a_2', '']
    """
    made: dict[str, None] = {}
    for name in names:
        number, candidate = 1, name
        while candidate in made:
            number += 1
            candidate = f"{name}_{number}"
        made[candidate] = None
    return list(made)


def _table(
    path: Path,
    text_column: str | None,
    sniffed: Sniffed,
    how: How,
    remarks: Remarks,
    progress: BytesProgress | None,
) -> Iterator[RawRow]:
    table = open_table(
        path,
        MAX_TABLE_LINE,
        sniffed.delimiter,
        [text_column] if text_column else [],
        how.delimiter,
        remarks,
        progress,
    )
    names = unique(table.header)
    _require(path, text_column, names)
    width = len(names)
    at = names.index(text_column) if text_column else width - 1
    for row in table.rows():
        cells: Sequence[str] = row.cells
        if row.fault:
            cells = _joined(row.text, row.cells, table.dialect.delimiter, at, width)
            remarks.note("rows of a table are damaged", f"{path.name}:{row.line}: {row.fault}")
        padded: list[str | None] = [*cells, *[None] * (width - len(cells))]
        yield dict(zip(names, padded, strict=True))
    if table.broken:
        raise InputError(f"cannot read {path} to its end: {table.broken}")


def _joined(text: str, cells: Sequence[str], delimiter: str, at: int, width: int) -> Sequence[str]:
    """The cells of a damaged row: as many as the header has, or less."""
    if not cells or len(cells) < width:
        plain = text.rstrip("\r\n").split(delimiter)
        cells = cells if 0 < len(plain) < width and cells else plain
    surplus = len(cells) - width
    if surplus <= 0:
        return cells
    stop = at + surplus + 1
    return [*cells[:at], delimiter.join(cells[at:stop]), *cells[stop:]]


def _parquet(
    path: Path, text_column: str | None, progress: BytesProgress | None
) -> Iterator[RawRow]:
    table = ParquetTable(path)
    _require(path, text_column, table.header)
    try:
        for batch in table.batches(table.header, progress):
            for cells in zip(*batch, strict=True):
                yield dict(zip(table.header, cells, strict=True))
    except ParquetDamage as error:
        raise InputError(f"cannot read {path} to its end: {error}") from error


def _json(
    path: Path, text_column: str | None, remarks: Remarks, progress: BytesProgress | None
) -> Iterator[RawRow]:
    pieces = Pieces(path, MAX_ROW_BYTES, progress)
    missing: RawRow | None = None
    found = False
    for row in json_rows(pieces, MAX_ROW_BYTES):
        if not isinstance(row.value, dict):
            remarks.note("JSON values are no objects", f"{path.name}:{row.place}")
            yield {text_column or TEXT: None, UNREADABLE: row.payload.decode("utf-8", "replace")}
            continue
        if text_column and not found:
            found = text_column in row.value
            missing = missing or (None if found else row.value)
        yield row.value
    if missing and not found:
        _require(path, text_column, missing)
    if pieces.broken:
        raise InputError(f"cannot read {path} to its end: {pieces.broken}")


def _lines(path: Path, text_column: str | None, progress: BytesProgress | None) -> Iterator[RawRow]:
    pieces = Pieces(path, MAX_ROW_BYTES, progress)
    for line in pieces.lines():
        yield {text_column or TEXT: line.rstrip(b"\r\n").decode("utf-8", "replace")}
    if pieces.broken:
        raise InputError(f"cannot read {path} to its end: {pieces.broken}")


def _require(path: Path, column: str | None, names: Sequence[str] | Mapping[str, Any]) -> None:
    if column and column not in names:
        raise InputError(f"{path} has no column {column!r}; it has {', '.join(names) or 'none'}")
