"""Text of any Unicode encoding as UTF-8, chunk by chunk.

Exports of media monitors (Meltwater, Brandwatch) and of Excel are often in UTF-16.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

_BOMS = (
    # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_LOOK = 64


def encoding_of(start: bytes) -> tuple[str, int]:
    """The encoding of a text that begins like this, and how many bytes its mark has.

    UTF-16 without a mark is told by the zeros between the letters of ASCII; anything else is taken
    as UTF-8.

    >>> encoding_of("id,text".encode("utf-16-le"))
    ('utf-16-le', 0)
    """
    for bom, name in _BOMS:
        if start.startswith(bom):
            return name, len(bom)
    look = start[:_LOOK]
    if len(look) >= 8 and not look[1::2].strip(b"\0") and b"\0" not in look[::2]:
        return "utf-16-le", 0
    if len(look) >= 8 and not look[::2].strip(b"\0") and b"\0" not in look[1::2]:
        return "utf-16-be", 0
    return "utf-8", 0


def as_utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8 without its mark. What is no text stays as it is, or is U+FFFD."""
    pieces = iter(chunks)
    start = b""
    for chunk in pieces:
        start += chunk
        if len(start) >= _LOOK:
            break
    name, mark = encoding_of(start)
    if name == "utf-8":
        if start[mark:]:
            yield start[mark:]
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    yield decoder.decode(start[mark:]).encode()
    for chunk in pieces:
        yield decoder.decode(chunk).encode()
    yield decoder.decode(b"", final=True).encode()
