"""Files of posts as a source: as fast as they are taken, or at a pace of their own time."""

from __future__ import annotations

import argparse
import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.sources.replay import ReplayedRow, replayed
from ingest.sources.source import Batch, CurrentTopics, Cursor, SourceError
from mltox.posts.reading.columns import check_columns
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import expand
from mltox.posts.reading.rows import read_rows

IDENTIFYING_BYTES = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input",
        action="append",
        required=True,
        metavar="PATH",
        help="file, folder or glob of posts: JSONL, JSON, CSV, TSV or Parquet, also .gz, .bz2 or"
        " .zst; may be given several times",
    )
    parser.add_argument(
        "--columns",
        type=columns_of,
        default={},
        metavar="FIELD=COLUMN,…",
        help="which column holds which field of a post (id, text, created_at, author, topic, lang,"
        " source), such as text=tweet,created_at=date",
    )
    add_speed(parser)


def add_speed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed",
        type=positive,
        metavar="X",
        help="60: an hour of the posts' own time a minute (default: as fast as they are taken)",
    )


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> FileSource:
    try:
        check_columns(options.columns)
        return FileSource(expand(options.input), options.columns, options.speed)
    except InputError as error:
        raise SourceError(str(error)) from error


class FileSource:
    """Goes on at the row behind the last one, as long as a file keeps its place and its start.

    A file that grew at its end keeps its cursor, once it has 4 KiB; any other change at its start
    has it read anew.
    """

    name = "file"

    def __init__(
        self, paths: Sequence[Path], columns: dict[str, str], speed: float | None = None
    ) -> None:
        self._paths = paths
        self._columns = columns
        self._speed = speed

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        try:
            yield from replayed(self._lines(), cursor, self._speed, stopping)
        except InputError as error:
            raise SourceError(str(error)) from error

    def _lines(self) -> Iterator[ReplayedRow]:
        for path in self._paths:
            key = identity(path)
            for number, row in enumerate(read_rows(path, self._columns), 1):
                yield ReplayedRow(key, number, row.payload)


def identity(path: Path) -> str:
    """The name of a file, and a hash of where it is and how it begins."""
    try:
        with path.open("rb") as file:
            start = file.read(IDENTIFYING_BYTES)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    place = str(path.resolve()).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(place + b"\0" + start).hexdigest()[:16]
    return f"{path.name.encode('utf-8', 'replace').decode()}:{digest}"


def columns_of(text: str) -> dict[str, str]:
    """`text=tweet,created_at=date` -> {"text": "tweet", "created_at": "date"}."""
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(field and equals and name for field, equals, name in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not FIELD=COLUMN,…")
    return {field.strip(): name.strip() for field, _, name in pairs}


def positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value
