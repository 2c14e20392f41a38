"""Cuts a JSON text into its top-level values, or the elements of its top-level arrays.

A value that is broken (cut, a quote or a bracket missing) is handed out as it is, up to where the
next whole value begins, so that it spoils no other. Commas, brackets and line ends between values
do not matter: an array, objects one after the other, and lines of either are read alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_BETWEEN = re.compile(r"[\s,;\[\]\ufeff\x1e]*")
_START = re.compile(r"[,\[\]}\n\x1e]\s*(\{)")
"""Where a value may begin. One that is a member of another has a colon before it."""
_AFTER = re.compile(r"\s*(?:$|[,\]\n\x1e])")
_FIRST = frozenset('{"-0123456789tfn')
_SLACK = 12
"""Characters at the end of what is there that may be the half of an escape or of a name."""
_FIRST_TRY = 1 << 16


class Value(NamedTuple):
    """The bytes of a value, or of what is left of a broken one."""

    payload: bytes
    whole: bool


class ValueTooLarge(NamedTuple):
    """A value is longer than the limit; it may be that a bracket or a quote is missing."""

    start: bytes


def values(chunks: Iterable[bytes], max_size: int) -> Iterator[Value | ValueTooLarge]:
    """Yields the values of a text in UTF-8 in their order; memory is flat in their number.

    >>> [value.payload for value in values([b'[{"a": 1}, {"b: 2}, {"c": 3}]'], 100)]
    [b'{"a": 1}', b'{"b: 2},', b'{"c": 3}']
    """
    cutter = _Cutter(max_size)
    pending = b""
    for chunk in chunks:
        # no character is cut in two
        chunk = pending + chunk
        stop = _last_boundary(chunk)
        pending = chunk[stop:]
        yield from cutter.feed(chunk[:stop].decode("utf-8", "surrogateescape"))
    yield from cutter.feed(pending.decode("utf-8", "surrogateescape"), final=True)


def _last_boundary(chunk: bytes) -> int:
    for back in range(1, min(4, len(chunk)) + 1):
        byte = chunk[-back]
        if byte < 0x80:
            return len(chunk)
        if byte >= 0xC0:
            return len(chunk) - back
    return len(chunk)


class _Cutter:
    """Keeps what is not handed out yet, and how much has to be there before it looks again."""

    def __init__(self, max_size: int) -> None:
        self._max = max_size
        self._buffer = ""
        self._wait = 0
        self._skipping = False
        self._decode = json.JSONDecoder().raw_decode

    def feed(self, text: str, *, final: bool = False) -> Iterator[Value | ValueTooLarge]:
        self._buffer += text
        if len(self._buffer) < min(self._wait, self._max) and not final:
            return
        at = 0
        while True:
            at = self._between(at)
            if at == len(self._buffer):
                self._buffer, self._wait = "", 0
                return
            found = self._value(at, final=final)
            if found is None:
                break
            end, whole = found
            if not self._skipping:
                yield Value(_bytes(self._buffer[at:end].rstrip()), whole)
            self._skipping = False
            at = end
        self._buffer = self._buffer[at:]
        if len(self._buffer) > self._max:
            if not self._skipping:
                yield ValueTooLarge(_bytes(self._buffer[:20_000]))
            self._skipping, self._buffer = True, self._buffer[-_SLACK:]
        self._wait = max(_FIRST_TRY, 2 * len(self._buffer))

    def _between(self, at: int) -> int:
        match = None if self._skipping else _BETWEEN.match(self._buffer, at)
        return at if match is None else match.end()

    def _value(self, at: int, *, final: bool) -> tuple[int, bool] | None:
        """Where the value that begins here ends, and whether it is whole; None where more of the
        text is needed to tell."""
        if self._buffer[at] in _FIRST and not self._skipping:
            end = self._end_of(at, final=final)
            if end is None:
                return None
            if end > 0 and (self._buffer[at] == "{" or self._is_apart(end, final=final)):
                return end, True
        for match in _START.finditer(self._buffer, at):
            start = match.start(1)
            if start == at:
                continue
            end = self._end_of(start, final=final)
            if end is None:
                return None
            if end > 0:
                return start, False
        return (len(self._buffer), False) if final else None

    def _is_apart(self, end: int, *, final: bool) -> bool:
        """Whether a string or a number ends as an element does, and not as a key, or cut off."""
        after = _AFTER.match(self._buffer, end)
        return after is not None and (final or after.end() < len(self._buffer))

    def _end_of(self, start: int, *, final: bool) -> int | None:
        """Where the object that begins here ends; 0 for a broken one, None for one that is not all
        there yet."""
        try:
            return self._decode(self._buffer, start)[1]
        except json.JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated") or (error.pos >= len(self._buffer) - _SLACK)
            return None if cut and not final else 0
        except (ValueError, RecursionError):
            return 0


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
