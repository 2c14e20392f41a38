"""A delimited file, opened: its header, and its rows with the lines they are from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from mltox.posts.reading.decompress import BytesProgress
from mltox.posts.reading.delimited import TableRow, table_rows
from mltox.posts.reading.dialect import Dialect, dialect_of
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.pieces import Pieces
from mltox.posts.reading.remarks import Remarks

_HEAD = 1 << 18


@dataclass
class RowTable:
    """`rows` gives each row once, damaged ones with their fault; `broken` is the reason why the
    file ended too early, once they are at their end."""

    name: str
    dialect: Dialect
    _pieces: Pieces
    _remarks: Remarks

    @property
    def header(self) -> tuple[str, ...]:
        return self.dialect.header

    @property
    def broken(self) -> str | None:
        return self._pieces.broken

    def rows(self) -> Iterator[TableRow]:
        lines = _text_lines(self._pieces)
        skipped = self.dialect.preamble + 1
        for _ in range(skipped):
            next(lines, None)
        last = None
        for row in table_rows(
            lines, self.dialect, len(self.header), self._suspect, first_line=skipped + 1
        ):
            if last is not None:
                yield last
            last = row
        # what a damaged file ends with is the rest of a row, and the reader tells of the damage
        if last is not None and not (self.broken and last.fault):
            yield last

    def _suspect(self, line: int, count: int) -> None:
        self._remarks.note(
            "rows hold lines that look like rows, which a stray quote may have swallowed",
            f"{self.name}:{line}, {count} lines",
        )


def open_table(
    path: Path,
    max_line: int,
    default_delimiter: str,
    wanted: Collection[str],
    delimiter: str | None,
    remarks: Remarks,
    progress: BytesProgress | None,
) -> RowTable:
    """Raises InputError for a file without a header, OSError for one that cannot be read."""
    pieces = Pieces(path, max_line, progress)
    head = pieces.start(_HEAD)
    lines = head.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    if len(head) >= _HEAD and len(lines) > 1:
        lines.pop()
    dialect = dialect_of(lines, default_delimiter, wanted, delimiter)
    if not any(dialect.header):
        raise InputError(f"{path} has no header")
    if dialect.preamble and any(line.strip() for line in lines[: dialect.preamble]):
        remarks.note("lines above a header were left out", path.name, dialect.preamble)
    return RowTable(path.name, dialect, pieces, remarks)


def _text_lines(pieces: Pieces) -> Iterator[str]:
    for line in pieces.lines():
        yield line.decode("utf-8", "surrogateescape")
