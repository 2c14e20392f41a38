"""The generated sample as a source, to try everything on without a network."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from ingest.sources.file import add_speed
from ingest.sources.replay import ReplayedRow, replayed
from ingest.sources.sample.scene import Scene
from ingest.sources.sample.texts import TOPICS
from ingest.sources.sample.writing import recent_start
from ingest.sources.source import Batch, CurrentTopics, Cursor

__all__ = ["TOPICS", "SampleSource", "add_arguments", "open_source"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--posts", type=int, default=24_000, help="about how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other posts")
    add_speed(parser)


def open_source(options: argparse.Namespace, topics: CurrentTopics) -> SampleSource:
    start = recent_start(datetime.now(UTC))
    return SampleSource(options.seed, options.posts, start, options.speed)


class SampleSource:
    """The sample of four weeks from `start` on; another start, seed or size is another sample."""

    name = "sample"

    def __init__(self, seed: int, posts: int, start: datetime, speed: float | None = None) -> None:
        self._rows = Scene(seed, posts, int(start.timestamp()) * 1_000_000).lines()
        self._key = f"{start:%Y-%m-%d}:{seed}:{posts}"
        self._speed = speed

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        lines = (ReplayedRow(self._key, number, row) for number, row in enumerate(self._rows, 1))
        yield from replayed(lines, cursor, self._speed, stopping)
