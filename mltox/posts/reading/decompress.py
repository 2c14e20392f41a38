"""Bytes out of a file that may be compressed, in chunks of bounded size.

What a file is compressed with is told by how it begins, never by its name: archives are called
`part-0`, `tweets.2021-01-02.gz` or `posts.jsonl.gz.1`, and a browser unpacks a file and leaves it
its name.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import zstandard

SUFFIXES = (".gz", ".bz2", ".xz", ".zst")

_MAGIC = (
    (b"\x1f\x8b", ".gz"),
    (b"BZh", ".bz2"),
    (b"\xfd7zXZ\x00", ".xz"),
    (b"\x28\xb5\x2f\xfd", ".zst"),
)
_ZSTD_SKIPPABLE = b"\x2a\x4d\x18"

_CHUNK = 1 << 17
# A few bytes of Zstandard can stand for 128 kB; small bites keep what comes out of one small too.
_ZSTD_BITE = 1 << 11
# Dumps are often written with a long window, which the library refuses unless told.
_ZSTD_WINDOW = 1 << 31
_LONG_WINDOW, _WINDOW_RATIO = 1 << 27, 64
"""A window above the former takes as much memory: only a file of some size is granted one."""
MOST_AT_ANY_RATIO, MOST_RATIO = 1 << 26, 2_000
"""Bytes that may come out of however few. Real posts shrink to a tenth, at best to a fiftieth."""

BytesProgress = Callable[[int], object]
"""Called with the number of bytes of the file (as it lies on disk) used since the last call."""


class TruncatedInput(Exception):
    """A compressed file ends too early or is damaged; what came before is good."""


def compression(start: bytes) -> str | None:
    """The suffix that belongs to a file which begins like this; None where it is not compressed.

    >>> compression(gzip.compress(b"posts"))
    '.gz'
    """
    for magic, suffix in _MAGIC:
        if start.startswith(magic):
            return suffix
    if start[1:4] == _ZSTD_SKIPPABLE and start[:1] in b"PQRSTUVWXYZ[\\]^_":
        return ".zst"
    return None


def chunks(path: Path, progress: BytesProgress | None = None) -> Iterator[bytes]:
    """Yields the content of a file, decompressed.

    Raises OSError if the file cannot be opened or read, TruncatedInput where it breaks off.
    """
    with path.open("rb") as raw:
        used = made = 0
        try:
            for chunk in _reader(raw):
                yield chunk
                made += len(chunk)
                if made > MOST_AT_ANY_RATIO and made > MOST_RATIO * raw.tell():
                    raise TruncatedInput(
                        f"the file unpacks to more than {MOST_RATIO:,} times its size; the rest is"
                        " not read"
                    )
                if progress is not None:
                    progress(raw.tell() - used)
                    used = raw.tell()
        except EOFError as error:
            raise TruncatedInput("the compressed file ends before its end marker") from error
        except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError, lzma.LZMAError) as error:
            raise TruncatedInput(f"the compressed file is damaged: {error}") from error
        except OSError as error:
            if error.errno is not None:
                raise
            raise TruncatedInput(f"the compressed file is damaged: {error}") from error


def _reader(raw: BinaryIO) -> Iterator[bytes]:
    suffix = compression(raw.read(8))
    raw.seek(0)
    if suffix == ".zst":
        return _zstandard(raw)
    # read1 hands out what is good before an error; read would lose it
    if suffix == ".gz":
        return iter(partial(gzip.GzipFile(fileobj=raw).read1, _CHUNK), b"")
    if suffix == ".bz2":
        return iter(partial(bz2.BZ2File(raw).read1, _CHUNK), b"")
    if suffix == ".xz":
        return iter(partial(lzma.LZMAFile(raw).read1, _CHUNK), b"")
    return iter(partial(raw.read, _CHUNK), b"")


def _zstandard(raw: BinaryIO) -> Iterator[bytes]:
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    window = max(_LONG_WINDOW, min(_ZSTD_WINDOW, _WINDOW_RATIO * size))
    decompressor = zstandard.ZstdDecompressor(max_window_size=window)
    frame = decompressor.decompressobj()
    inside = False
    while bite := raw.read(_ZSTD_BITE):
        while bite:
            yield frame.decompress(bite)
            inside, bite = not frame.eof, b""
            if frame.eof:
                bite = frame.unused_data
                frame = decompressor.decompressobj()
    if inside:
        raise EOFError
