"""How a delimited file is written: its delimiter, its quotes, and where its header is."""

from __future__ import annotations

import csv
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

DELIMITERS = (",", ";", "\t", "|")
_PREAMBLE = 40
_SAMPLE = 40


@dataclass(frozen=True)
class Dialect:
    """`quote` is None where quotes are letters like others; `backslash`: quotes within a quoted
    cell are written as `\\"`. The header is below `preamble` lines."""

    delimiter: str
    quote: str | None = '"'
    backslash: bool = False
    preamble: int = 0
    header: tuple[str, ...] = field(default=())


def dialect_of(
    lines: Sequence[str], default: str, wanted: Collection[str], given: str | None = None
) -> Dialect:
    """The dialect of a table that begins with these lines.

    `default` is the delimiter that the file's name says, `given` the one that a person said.
    `wanted` are columns that the header should have: a delimiter under which it has them is the
    right one, and lines above a header that has them are a preamble, such as media monitors write.

    >>> dialect_of(["Report: all", "", "text;date", "a, b;2025"], ",", ["text"]).preamble
    2
    """
    candidates = [given] if given else [default, *(d for d in DELIMITERS if d != default)]
    preamble, delimiter = _header_place(lines, candidates, wanted)
    body = lines[preamble:]
    quote, backslash = _quoting(body, delimiter)
    header = _cells(body[0], delimiter, quote) if body else []
    header = [name.strip() for name in header]
    return Dialect(
        delimiter, quote, backslash, preamble, _with_row_names(header, body[1:], delimiter, quote)
    )


def _header_place(
    lines: Sequence[str], candidates: Sequence[str], wanted: Collection[str]
) -> tuple[int, str]:
    first = next((place for place, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].strip().lower().startswith("sep=") and len(candidates) > 1:
        # Excel's own way to name the delimiter
        return first + 1, lines[first].strip()[4:5] or candidates[0]
    for place, line in enumerate(lines[:_PREAMBLE]):
        for delimiter in candidates:
            names = {name.strip() for name in _cells(line, delimiter, '"')}
            if wanted and names.issuperset(wanted):
                return place, delimiter
    widths = {d: len(_cells(lines[first], d, '"')) for d in candidates} if lines else {}
    if widths and widths[candidates[0]] > 1:
        return first, candidates[0]
    # nothing is as it should be; the widest reading gives the most telling complaint
    return first, max(candidates, key=lambda d: widths.get(d, 0))


def _quoting(body: Sequence[str], delimiter: str) -> tuple[str | None, bool]:
    """Whether quotes enclose cells. In tab-separated files they are most often mere letters; they
    are none where a cell has doubled ones, or a quoted cell has several lines."""
    text = "".join(body)
    backslash = '\\"' in text and '""' not in text
    if '"' not in text:
        return (None if delimiter == "\t" else '"'), False
    if delimiter != "\t":
        return '"', backslash
    return ('"' if _tabs_are_quoted(body, text) else None), backslash


def _tabs_are_quoted(body: Sequence[str], text: str) -> bool:
    cells = [cell for line in body for cell in line.rstrip("\r\n").split("\t")]
    quoted = [c for c in cells if len(c) > 1 and c[0] == c[-1] == '"']
    if any('"' in c and not (c[0] == c[-1] == '"' and len(c) > 1) for c in cells if c):
        # a letter, or the end of a cell of several lines: then a strict reading has no fault
        try:
            widths = {len(row) for row in csv.reader(body, delimiter="\t", strict=True) if row}
        except csv.Error:
            return False
        ragged = len({line.count("\t") for line in body if line.strip()}) > 1
        return len(widths) == 1 and ragged
    return len(quoted) == len([c for c in cells if c]) or any('""' in c[1:-1] for c in quoted)


def _cells(line: str, delimiter: str, quote: str | None) -> list[str]:
    if quote is None:
        return line.rstrip("\r\n").split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])


def _with_row_names(
    header: list[str], rows: Sequence[str], delimiter: str, quote: str | None
) -> tuple[str, ...]:
    """R writes no name above its row names: every row has a cell more than the header."""
    sample = [cells for line in rows[:_SAMPLE] if (cells := _cells(line, delimiter, quote))]
    if len(sample) > 1 and all(len(row) == len(header) + 1 and row[-1] for row in sample):
        return ("", *header)
    return tuple(header)
