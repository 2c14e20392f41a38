"""What a file holds, told by how it begins; its name only helps where that says nothing."""

from __future__ import annotations

import zipfile
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from mltox.posts.reading.decompress import SUFFIXES, TruncatedInput, chunks, compression
from mltox.posts.reading.dialect import DELIMITERS
from mltox.posts.reading.encoding import as_utf8

_LOOK = 1 << 14


class FileKind(Enum):
    """How a file is read."""

    JSON = "JSON"
    TABLE = "CSV or TSV"
    PARQUET = "Parquet"
    LINES = "a text a line"


class Sniffed(NamedTuple):
    """The kind of a file and the delimiter that its name says, or why it is none that is read."""

    kind: FileKind | None
    delimiter: str = ","
    refusal: str = ""


_EXCEL = "an Excel file; save it as CSV (UTF-8), ids as text, for Excel rounds long numbers"
_NAMES = {
    ".jsonl": Sniffed(FileKind.JSON),
    ".ndjson": Sniffed(FileKind.JSON),
    ".json": Sniffed(FileKind.JSON),
    ".js": Sniffed(FileKind.JSON),
    ".csv": Sniffed(FileKind.TABLE),
    ".tsv": Sniffed(FileKind.TABLE, "\t"),
    ".tab": Sniffed(FileKind.TABLE, "\t"),
    ".parquet": Sniffed(FileKind.PARQUET),
    ".xlsx": Sniffed(None, refusal=_EXCEL),
    ".xls": Sniffed(None, refusal=_EXCEL),
    ".txt": Sniffed(FileKind.LINES),
}
KNOWN = ".jsonl, .ndjson, .json, .csv, .tsv, .parquet"
_REFUSED = (
    (b"\xd0\xcf\x11\xe0", _EXCEL),
    (b"SQLite format 3\0", "an SQLite database; export its table as CSV or JSON"),
    (b"%PDF", "a PDF"),
    (b"ARROW1", "an Arrow file; write it as Parquet"),
    (b"ORC", "an ORC file; write it as Parquet"),
    (b"Obj\x01", "an Avro file; write it as Parquet or JSON"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


def sniff(path: Path) -> Sniffed:
    """Looks into a file. Raises OSError if it cannot be read."""
    named = named_kind(path.name)
    raw = _first_bytes(path)
    if not raw:
        return named
    start = _first_content(path)
    if start.startswith(b"PAR1"):
        if compression(raw):
            return Sniffed(None, refusal="Parquet in a compressed file; unpack it")
        return Sniffed(FileKind.PARQUET)
    if start.startswith(b"PK\x03\x04"):
        return _of_zip(path) if not compression(raw) else Sniffed(None, refusal="a zip; unpack it")
    if start[8:12] == b"DUCK":
        return Sniffed(None, refusal="a DuckDB file; it is no input but a --warehouse")
    if start[257:262] == b"ustar":
        return Sniffed(None, refusal="a tar archive; unpack it (tar xf) and give the folder")
    for magic, meaning in _REFUSED:
        if start.startswith(magic):
            return Sniffed(None, refusal=meaning)
    if compression(start) is not None:
        return Sniffed(None, refusal="compressed twice; unpack it once")
    if named.kind is FileKind.PARQUET:
        return named  # its reader says what is wrong with it
    return _of_text(start, named)


def named_kind(name: str) -> Sniffed:
    """What a file's name says: `posts.csv.gz`, `tweets.jsonl.1`, `part-0`."""
    suffixes = Path(name.lower()).suffixes
    while suffixes and (suffixes[-1] in SUFFIXES or suffixes[-1][1:].isdigit()):
        suffixes.pop()
    last = suffixes[-1] if suffixes else ""
    found = _NAMES.get(last) or _NAMES.get(last.partition("-")[0])
    if found is not None and found.kind is FileKind.PARQUET and Path(name).suffix in SUFFIXES:
        found = None
    return found or Sniffed(None, refusal=f"not one of {KNOWN} (or these packed)")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _first_content(path: Path) -> bytes:
    start = b""
    try:
        for chunk in chunks(path):
            start += chunk
            if len(start) >= _LOOK:
                break
    except TruncatedInput:
        pass
    return start[:_LOOK]


def _of_zip(path: Path) -> Sniffed:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return Sniffed(None, refusal="a damaged zip archive")
    if "xl/workbook.xml" in names:
        return Sniffed(None, refusal=_EXCEL)
    tweets = next((name for name in names if name.endswith(("tweets.js", "tweet.js"))), None)
    if tweets is not None:
        return Sniffed(None, refusal=f"Twitter's archive; unpack it and give {tweets}")
    if any(name.startswith(("word/", "ppt/")) for name in names) or "content.xml" in names:
        return Sniffed(None, refusal="an Office document; save its table as CSV (UTF-8)")
    return Sniffed(None, refusal="a zip archive; unpack it and give the folder")


def _of_text(start: bytes, named: Sniffed) -> Sniffed:
    text = b"".join(as_utf8([start])).lstrip(b" \t\r\n\x1e\xef\xbb\xbf")
    first = text.split(b"\n", 1)[0].rstrip(b"\r")
    lower = first[:200].lower()
    if lower.startswith((b"<?xml", b"<!doctype", b"<html", b"<rss", b"<feed")):
        what = "HTML" if b"html" in lower else "XML"
        return Sniffed(None, refusal=f"{what}, which is not read; convert it to CSV or JSON")
    if first.startswith((b'{"', b"{ ", b"[{", b"[[")) or first in (b"{", b"[", b"{}", b"[]"):
        return Sniffed(FileKind.JSON)
    if named.kind is not None:
        return named
    if b"\0" in text:
        return named
    if first.startswith((b"{", b"[")) or b" = [" in first[:100]:
        return Sniffed(FileKind.JSON)
    header = first.decode("utf-8", "replace").lower()
    for delimiter in DELIMITERS:
        cells = {cell.strip(' "') for cell in header.split(delimiter)}
        if len(cells) > 1 and not cells.isdisjoint(_COLUMNS):
            return Sniffed(FileKind.TABLE, delimiter)
    return named


_COLUMNS = frozenset(
    ("text", "created_at", "tweet", "body", "content", "full_text", "message", "comment", "post")
)
"""Names in a first line by which a file of any name is a table of posts."""
