"""A file as chunks or as lines, with a look at its start, and a note of where it broke off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mltox.posts.reading.decompress import BytesProgress, TruncatedInput, chunks
from mltox.posts.reading.encoding import as_utf8


class Pieces:
    """Reads a file of text once, from its start to its end, as UTF-8.

    `broken` is None, or after the last chunk or line the reason why the file ended too early.
    Raises OSError if the file cannot be opened or read.
    """

    def __init__(self, path: Path, max_line: int, progress: BytesProgress | None = None) -> None:
        """`max_line` is the number of bytes above which a line is cut; its rest is skipped."""
        self.broken: str | None = None
        self._max_line = max_line
        self._held = b""
        self._fault: str | None = None
        self._chunks = as_utf8(self._unbroken(chunks(path, progress)))

    def start(self, size: int) -> bytes:
        """Returns the first bytes of the file, at most `size`, without using them up."""
        while len(self._held) < size and (chunk := next(self._chunks, b"")):
            self._held += chunk
        return self._held[:size]

    def skip(self, size: int) -> None:
        """Uses up bytes that `start` has shown."""
        self._held = self._held[size:]

    def __iter__(self) -> Iterator[bytes]:
        if self._held:
            held, self._held = self._held, b""
            yield held
        yield from self._chunks
        # only now: a look ahead must not end what is still to be read
        self.broken = self._fault

    def lines(self) -> Iterator[bytes]:
        """Yields the lines with their ends; one over the limit is cut to one byte more than it.

        A line that is unfinished because the file broke off is not yielded.
        """
        rest = b""
        for chunk in self:
            *lines, rest_of_chunk = chunk.split(b"\n")
            for line in lines:
                yield self._cut(rest + line) + b"\n"
                rest = b""
            if len(rest) <= self._max_line:  # the rest of a longer one would be copied for nothing
                rest = self._cut(rest + rest_of_chunk)
        if rest and self.broken is None:
            yield rest

    def _cut(self, line: bytes) -> bytes:
        return line if len(line) <= self._max_line else line[: self._max_line + 1]

    def _unbroken(self, raw: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from (chunk for chunk in raw if chunk)
        except TruncatedInput as error:
            self._fault = str(error)
