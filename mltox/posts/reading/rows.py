"""Rows of posts out of files: JSON, CSV and Parquet, plain or packed, one at a time.

Memory stays flat whatever the size of a file. A row that cannot be read becomes a row that
`mltox.posts.formats.decode` rejects with the reason, and the reading goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from mltox.posts.formats.own import notice
from mltox.posts.reading.columns import check_columns, has_path
from mltox.posts.reading.decompress import BytesProgress
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.how import AS_USUAL, How
from mltox.posts.reading.json_rows import JsonRow, json_rows
from mltox.posts.reading.parquet import ParquetDamage, ParquetTable
from mltox.posts.reading.pieces import Pieces
from mltox.posts.reading.plain_rows import JsonPosts, TablePosts
from mltox.posts.reading.remarks import Remarks
from mltox.posts.reading.sniff import FileKind, Sniffed, sniff
from mltox.posts.reading.table import open_table

MAX_ROW_BYTES = 1 << 24
MAX_TABLE_LINE = 1 << 22
"""Bytes. A line of a table is cut into cells, each of which takes fifty times a byte."""
"""A longer line or JSON value is not a row but a broken file."""

_LOOK_AHEAD = 200


class FileRow(NamedTuple):
    """A message for `mltox.posts.formats.decode`, and `file:line` (or element, or row) it is from.

    Lines, elements and rows count from 1; the header of a table is line 1.
    """

    payload: bytes
    origin: str


def read_rows(
    path: Path,
    columns: Mapping[str, str] | None = None,
    progress: BytesProgress | None = None,
    *,
    how: How = AS_USUAL,
    remarks: Remarks | None = None,
    name: str | None = None,
) -> Iterator[FileRow]:
    """Yields the rows of one file, in order.

    `columns` maps fields of a post (`text`, `created_at`, `id`, `author`, `topic`, `lang`,
    `source`) to columns of a table or keys of JSON objects (with dots: `user.screen_name`); fields
    that it does not name keep their own name. A plain row without an id, or with one that a
    spreadsheet has rounded, gets a hash of all its columns as its id, so that the id is the same
    in every run and in every order. `progress` is called with bytes of the file used. What a person
    should know is noted in `remarks`. `name` stands for the file in origins (its own name).

    Raises InputError, before the first row, for a file that cannot be read or lacks a column.
    """
    mapping = dict(columns or {})
    check_columns(mapping)
    notes = Remarks() if remarks is None else remarks
    origin = name or path.name
    try:
        sniffed = sniff(path)
        if sniffed.kind is FileKind.TABLE:
            rows = _table(path, mapping, sniffed, how, notes, origin, progress)
        elif sniffed.kind is FileKind.PARQUET:
            rows = _parquet(path, mapping, how, notes, origin, progress)
        elif sniffed.kind is FileKind.JSON:
            rows = _json(path, mapping, how, notes, origin, progress)
        else:
            raise InputError(f"{path}: {sniffed.refusal or 'plain text, which holds no posts'}")
        yield from rows
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _table(
    path: Path,
    mapping: dict[str, str],
    sniffed: Sniffed,
    how: How,
    remarks: Remarks,
    origin: str,
    progress: BytesProgress | None,
) -> Iterator[FileRow]:
    wanted = {mapping.get(field, field) for field in ("text", "created_at")}
    table = open_table(
        path, MAX_TABLE_LINE, sniffed.delimiter, wanted, how.delimiter, remarks, progress
    )
    posts = TablePosts(path.name, table.header, mapping, how, remarks, origin)
    rows = table.rows()
    head = list(islice(rows, _LOOK_AHEAD))
    posts.look_at([row.cells for row in head if not row.fault])
    for row in chain(head, rows):
        place = f"{origin}:{row.line}"
        if row.fault:
            text = posts.rest_of(row.text, table.dialect.delimiter)
            yield FileRow(notice("malformed_csv", row.fault, text), place)
        else:
            yield FileRow(posts.payload(row.cells, place), place)
    if table.broken:
        yield _truncated(origin, table.broken)


def _parquet(
    path: Path,
    mapping: dict[str, str],
    how: How,
    remarks: Remarks,
    origin: str,
    progress: BytesProgress | None,
) -> Iterator[FileRow]:
    table = ParquetTable(path)
    posts = TablePosts(path.name, table.header, mapping, how, remarks, origin)
    wanted = posts.wanted()
    number = 0
    try:
        for batch in table.batches(wanted, progress):
            if number == 0:
                posts.look_at(list(zip(*(column[:_LOOK_AHEAD] for column in batch), strict=True)))
            for cells in zip(*batch, strict=True):
                number += 1
                place = f"{origin}:{number}"
                yield FileRow(posts.payload(cells, place), place)
    except ParquetDamage as error:
        yield _truncated(origin, str(error))


def _json(
    path: Path,
    mapping: dict[str, str],
    how: How,
    remarks: Remarks,
    origin: str,
    progress: BytesProgress | None,
) -> Iterator[FileRow]:
    pieces = Pieces(path, MAX_ROW_BYTES, progress)
    posts = JsonPosts(mapping, how, remarks)
    rows = json_rows(pieces, MAX_ROW_BYTES)
    if mapping:
        head = list(islice(rows, _LOOK_AHEAD))
        _check_keys(path.name, mapping, head)
        rows = chain(head, rows)
    for row in rows:
        place = f"{origin}:{row.place}"
        if row.fault:
            yield FileRow(notice("row_too_large", row.fault, _shown(row.payload)), place)
        else:
            yield FileRow(posts.payload(row, place), place)
    if pieces.broken:
        yield _truncated(origin, pieces.broken)


def _check_keys(name: str, mapping: Mapping[str, str], head: list[JsonRow]) -> None:
    """A key that no object has is misspelt; one that some do not have is as usual."""
    objects = [row.value for row in head if isinstance(row.value, dict)]
    if not objects:
        return
    for field, key in mapping.items():
        if not any(has_path(each, key) for each in objects):
            there = ", ".join(dict.fromkeys(name for each in objects for name in each))
            raise InputError(f"no key {key!r} (for {field}); {name} has {there[:300]}")


def _shown(payload: bytes) -> str:
    return payload.decode("utf-8", "replace")


def _truncated(origin: str, reason: str) -> FileRow:
    name = origin.rpartition("/")[2]
    return FileRow(notice("truncated_input", f"{name}: {reason}"), f"{origin}:end")
