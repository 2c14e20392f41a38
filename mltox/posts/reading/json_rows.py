"""The values of a JSON file: objects or arrays a line, one document, or a bit of both."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from mltox.posts.reading.json_values import ValueTooLarge, values
from mltox.posts.reading.pieces import Pieces

_HEAD = 1 << 16
_SAMPLE_LINES = 50
_ENDS = b" \t\r\n,;\x1e"
_ASSIGNMENT = re.compile(rb"\s*(?:(?:var|let|const)\s+)?[A-Za-z_$][\w.$]*\s*=\s*(?=[\[{])")
"""What stands before the array in Twitter's own archive: `window.YTD.tweets.part0 = [`."""


class JsonRow(NamedTuple):
    """A value as bytes and parsed, and where it is (a line, or the number of an element).

    `value` is None for a broken one. `fault` says why there is none, with its start as payload.
    """

    place: str
    payload: bytes
    value: Any = None
    fault: str | None = None


def json_rows(pieces: Pieces, max_bytes: int) -> Iterator[JsonRow]:
    """Yields each value in order, broken ones as they are."""
    if assignment := _ASSIGNMENT.match(pieces.start(256)):
        pieces.skip(assignment.end())
    rows = _lines if _is_lines(pieces) else _document
    yield from rows(pieces, max_bytes)


def parsed(payload: bytes) -> Any:
    """The JSON value of a payload; raises ValueError or RecursionError.

    The standard parser takes what the fast one refuses: halves of surrogate pairs, numbers of any
    length.
    """
    try:
        return orjson.loads(payload)
    except ValueError:
        return json.loads(payload.decode("utf-8-sig"))


def _is_lines(pieces: Pieces) -> bool:
    """Whether most lines at the start are whole objects or arrays. One array is a document."""
    head = pieces.start(_HEAD)
    lines = head.split(b"\n")
    if len(head) >= _HEAD:
        lines.pop()
    sample = [line for line in lines if line.strip()][:_SAMPLE_LINES]
    found = [_value(line.strip(_ENDS)) for line in sample]
    if len(found) == 1 and isinstance(found[0], list):
        return False
    if found and isinstance(found[0], dict):
        return True
    return bool(found) and 2 * sum(isinstance(v, dict | list) for v in found) >= len(found)


_BROKEN = object()


def _value(payload: bytes) -> Any:
    """The one value that a line is; _BROKEN where it is not one."""
    try:
        return parsed(payload)
    except (ValueError, RecursionError):
        return _BROKEN


def _lines(pieces: Pieces, max_bytes: int) -> Iterator[JsonRow]:
    held: list[tuple[int, bytes]] = []
    size = 0
    for number, line in enumerate(pieces.lines(), 1):
        if line.isspace():
            continue
        payload = line.strip(_ENDS)
        value = None if len(line) > max_bytes else _value(payload)
        if value is _BROKEN and size <= max_bytes:
            held.append((number, line))
            size += len(line)
            continue
        yield from _mended(held, max_bytes)
        held, size = [], 0
        if len(line) > max_bytes:
            yield _too_large(str(number), line, max_bytes)
        elif value is _BROKEN:
            held, size = [(number, line)], len(line)
        elif isinstance(value, list):
            yield from _elements(number, line, max_bytes)
        else:
            yield JsonRow(str(number), payload, value)
    yield from _mended(held, max_bytes)


def _mended(held: list[tuple[int, bytes]], max_bytes: int) -> Iterator[JsonRow]:
    """Lines that are no values by themselves: several objects a line, an object over several lines,
    or broken."""
    if not held:
        return
    if all(line[:1] not in b" \t}]" for _, line in held):
        for number, line in held:
            yield from _elements(number, line, max_bytes)
    else:
        yield from _elements(held[0][0], b"".join(line for _, line in held), max_bytes)


def _elements(line: int, text: bytes, max_bytes: int) -> Iterator[JsonRow]:
    for number, row in enumerate(_values([text], max_bytes)):
        place = f"{line}.{number + 1}" if number else str(line)
        yield row._replace(place=place)


def _document(pieces: Pieces, max_bytes: int) -> Iterator[JsonRow]:
    last = None
    for number, row in enumerate(_values(pieces, max_bytes), 1):
        if last is not None:
            yield last
        last = row._replace(place=str(number))
    # what a damaged file ends with is the rest of a value, and the reader tells of the damage
    if last is not None and not (pieces.broken and last.value is None):
        yield last


def _values(chunks: Any, max_bytes: int) -> Iterator[JsonRow]:
    for value in values(chunks, max_bytes):
        if isinstance(value, ValueTooLarge):
            yield _too_large("", value.start, max_bytes)
        else:
            found = _value(value.payload) if value.whole else _BROKEN
            yield JsonRow("", value.payload, None if found is _BROKEN else found)


def _too_large(place: str, start: bytes, max_bytes: int) -> JsonRow:
    fault = f"a JSON value has more than {max_bytes:,} bytes"
    return JsonRow(place, start[:20_000], fault=fault)
