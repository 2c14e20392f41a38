"""Cuts a JSON document into its top-level values, or the elements of its top-level array.

It only follows strings and brackets and leaves the parsing to whoever takes a value, so that an
array of any length passes in flat memory and one broken element does not spoil the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_OUTSIDE_STRING = re.compile(rb'["\[\]{},]')
_STRING_END = re.compile(rb'\\|"')
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"


class ValueTooLarge(Exception):
    """A value is longer than the limit; it may be that a bracket or a quote is missing."""


def values(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yields each element of a top-level array, or each value of a sequence of values.

    What is cut off at the end of the document is yielded too, as it is. Raises ValueTooLarge for
    one of more than `max_bytes`.
    """
    cutter = _Cutter()
    for chunk in chunks:
        yield from cutter.feed(chunk)
        if cutter.pending > max_bytes:
            raise ValueTooLarge(f"a JSON value has more than {max_bytes:,} bytes")
    rest = cutter.rest()
    if rest:
        yield rest


class _Cutter:
    """Keeps the unfinished value and where in it the scan stands."""

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._depth = 0
        self._in_string = False
        self._array: bool | None = None

    @property
    def pending(self) -> int:
        return len(self._buffer)

    def rest(self) -> bytes:
        return self._buffer.strip(_SPACE)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        self._buffer += chunk
        if self._array is None:
            self._open()
        if self._array is None:
            return
        start = 0
        while (stop := self._next_end()) is not None:
            value = self._buffer[start:stop].strip(_SPACE)
            # The bracket or brace that ends a value belongs to it; a comma does not.
            start = self._at
            if value:
                yield value
        self._buffer = self._buffer[start:]
        self._at -= start

    def _open(self) -> None:
        text = self._buffer.removeprefix(_BOM).lstrip(_SPACE)
        if text and not _BOM.startswith(text):
            self._array = text[:1] == b"["
            self._buffer = text[1:] if self._array else text

    def _next_end(self) -> int | None:
        """Moves past the next end of a value; returns where the value's bytes end."""
        while True:
            if self._in_string:
                match = _STRING_END.search(self._buffer, self._at)
                if match is None:
                    self._at = len(self._buffer)
                    return None
                if match[0] == b"\\":
                    if match.end() >= len(self._buffer):
                        self._at = match.start()
                        return None
                    self._at = match.end() + 1
                    continue
                self._in_string = False
                self._at = match.end()
                continue
            match = _OUTSIDE_STRING.search(self._buffer, self._at)
            if match is None:
                self._at = len(self._buffer)
                return None
            self._at = match.end()
            character = match[0]
            if character == b'"':
                self._in_string = True
            elif character in b"[{":
                self._depth += 1
            elif character == b",":
                if self._depth == 0:
                    return match.start()
            elif self._depth > 0:
                self._depth -= 1
                if self._depth == 0 and not self._array:
                    return self._at
            else:
                # the end of the array, or a stray bracket, which no value holds
                return match.start()
