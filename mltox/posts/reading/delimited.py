"""Rows out of lines of delimited text; a damaged row spoils no other.

The quoting of RFC 4180 is followed strictly, and where a row breaks it (a quote that is never
closed, or is followed by more text; too few or too many cells) what it swallowed is read again as
rows of their own. A row that breaks it in one cell alone is read as it stands.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from mltox.posts.reading.dialect import Dialect

MAX_CELL_CHARACTERS = 1 << 22
"""A longer cell of a table is one whose closing quote is missing."""


class TableRow(NamedTuple):
    """The cells of a row, as many as the header has, and its first line; with a `fault`, they are
    what there is of them, and `text` is the row as it stands."""

    line: int
    cells: list[str]
    fault: str | None = None
    text: str = ""


Suspect = Callable[[int, int], object]
"""Called with the first line of a row and how many lines in it look like rows of their own."""


def table_rows(
    lines: Iterable[str], dialect: Dialect, width: int, suspect: Suspect, first_line: int = 2
) -> Iterator[TableRow]:
    """Yields the rows of a table of `width` columns. Blank lines are none.

    >>> lines = ['1,"open', '2,"a, b"', '3,c']
    >>> [row.cells for row in table_rows(lines, Dialect(","), 2, print) if not row.fault]
    [['2', 'a, b'], ['3', 'c']]
    """
    return _Reader(lines, dialect, width, suspect, first_line).rows()


class _Broken(Exception):
    """A row that does not end as a row should; the message is one line."""


class _Feed:
    """Lines for a csv.reader that may go on after an end: lines are put back."""

    def __init__(self, more: Callable[[], str | None]) -> None:
        self._more = more

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._more()
        if line is None:
            raise StopIteration
        return line


class _Reader:
    def __init__(
        self, lines: Iterable[str], dialect: Dialect, width: int, suspect: Suspect, first_line: int
    ) -> None:
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self._number = first_line - 1
        self._dialect = dialect
        self._width = width
        self._suspect = suspect
        self._taken: list[str] = []
        self._at_first = False
        self._strict = csv.reader(_Feed(self._more), delimiter=dialect.delimiter, strict=True)
        self._trusted_from = 0
        """The line from which on no damaged row has taken lines."""

    def rows(self) -> Iterator[TableRow]:
        damaged: TableRow | None = None
        while (line := self._next()) is not None:
            start = self._number
            row = self._row(start, line)
            if row is None:
                continue
            if row.fault and damaged and start < self._trusted_from and self._is_rest(row):
                # the lines of one damaged row make one letter
                damaged = damaged._replace(text=damaged.text + row.text)
                continue
            if damaged:
                yield damaged
                damaged = None
            if row.fault:
                damaged = row
            else:
                yield row
        if damaged:
            yield damaged

    def _is_rest(self, row: TableRow) -> bool:
        return len(row.cells) < self._width

    def _next(self) -> str | None:
        line = self._again.popleft() if self._again else next(self._lines, None)
        self._number += line is not None
        return line

    def _more(self) -> str | None:
        """The next line of the row that is being read, the first one included."""
        if self._at_first:
            self._at_first = False
            return self._taken[0]
        if (line := self._next()) is not None:
            self._taken.append(line)
        return line

    def _row(self, start: int, line: str) -> TableRow | None:
        quote = self._dialect.quote
        if quote is None or quote not in line:
            cells = line.rstrip("\r\n").split(self._dialect.delimiter)
            if len(cells) == 1 and not cells[0].strip():
                return None
            return self._fitted(start, cells, line)
        try:
            cells = self._quoted(line)
            fault = None
        except _Broken as error:
            cells, fault = [], str(error)
        if fault is None:
            row = self._fitted(start, cells, "".join(self._taken))
            if row.fault is None:
                if len(self._taken) > 1:
                    self._look_for_rows(start)
                return row
            fault = row.fault
        return self._salvaged(start, line, cells, fault)

    def _fitted(self, start: int, cells: list[str], text: str) -> TableRow:
        if len(cells) > self._width and not any(cells[self._width :]):
            cells = cells[: self._width]
        if len(cells) != self._width:
            fault = f"the row has {len(cells)} cells, the header {self._width}"
            return TableRow(start, cells, fault, text)
        return TableRow(start, cells)

    def _quoted(self, line: str) -> list[str]:
        """The cells of the row that begins with this line; `_taken` has its lines afterwards."""
        self._taken, self._at_first = [line], True
        try:
            return next(self._strict, [])
        except csv.Error as error:
            if self._dialect.backslash:
                return self._backslashed(line)
            raise _Broken(_reason(error)) from None

    def _backslashed(self, line: str) -> list[str]:
        try:
            return next(
                csv.reader(
                    self._taken,
                    delimiter=self._dialect.delimiter,
                    strict=True,
                    escapechar="\\",
                    doublequote=False,
                )
            )
        except csv.Error as error:
            raise _Broken(_reason(error)) from None

    def _salvaged(self, start: int, line: str, cells: list[str], fault: str) -> TableRow:
        """The row of this line alone; the lines that it took are read again."""
        taken = self._taken[1:]
        if taken:
            self._trusted_from = max(self._trusted_from, self._number + 1)
            self._number -= len(taken)
            self._again.extendleft(reversed(taken))
            fault = f"{fault}; the {len(taken)} lines after it are read as rows of their own"
            if not _opens(line, self._dialect.delimiter):
                return TableRow(start, cells, fault, line)
        else:
            literal = line.rstrip("\r\n").split(self._dialect.delimiter)
            lenient = next(csv.reader([line], delimiter=self._dialect.delimiter), [])
            if len(literal) == len(lenient) == self._width:
                return TableRow(start, list(map(_cell, literal, lenient)))
            if len(lenient) == self._width:
                return TableRow(start, lenient)
            cells = cells or literal
        return TableRow(start, cells, fault, line)

    def _look_for_rows(self, start: int) -> None:
        """A row that is sound by its quotes may still hold others, where two quotes are astray."""
        delimiter, needed = self._dialect.delimiter, self._width - 1
        looks = sum(line.count(delimiter) == needed for line in self._taken[1:-1])
        if needed and looks:
            self._suspect(start, looks)


def _opens(line: str, delimiter: str) -> bool:
    return line.startswith('"') or f'{delimiter}"' in line


def _cell(literal: str, lenient: str) -> str:
    """A cell whose quotes do not enclose it whole keeps them: they are part of the text."""
    whole = len(literal) > 1 and literal[0] == literal[-1] == '"'
    return lenient if whole else literal


def _reason(error: csv.Error) -> str:
    reasons: Sequence[tuple[str, str]] = (
        ("unexpected end", "a quote is never closed"),
        ("expected after", "a closing quote is followed by more text"),
        ("field larger", "a quote is never closed within 4,194,304 characters"),
    )
    text = str(error)
    return next((said for mark, said in reasons if mark in text), text)
