"""What a file and the sample have in common: rows that can be numbered, in an order that stays."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from ingest.pace import Stamps, paced
from ingest.sources.source import Batch, Cursor
from mltox.base.clock import now_micros

REPLAY_BATCH = 200
"""Of a batch, where nothing sets the pace."""


class ReplayedRow(NamedTuple):
    """A row: the `number`-th, from 1, of what `key` stands for in the cursor."""

    key: str
    number: int
    payload: bytes


def replayed(
    lines: Iterable[ReplayedRow], cursor: Cursor, speed: float | None, stopping: threading.Event
) -> Iterator[Batch]:
    """Batches of the lines behind the cursor; at `speed` times their own pace, or as fast as they
    are taken."""
    done = {key: int(number) for key, number in cursor.items()}
    for rows in _chunks(lines) if speed is None else _paced(lines, done, speed, stopping):
        if stopping.is_set():
            return
        yield _batch([line for line in rows if _is_new(line, done)])


def _is_new(line: ReplayedRow, done: Mapping[str, int]) -> bool:
    return line.number > done.get(line.key, 0)


def _chunks(lines: Iterable[ReplayedRow]) -> Iterator[list[ReplayedRow]]:
    remaining = iter(lines)
    while rows := list(islice(remaining, REPLAY_BATCH)):
        yield rows


def _paced(
    lines: Iterable[ReplayedRow], done: Mapping[str, int], speed: float, stopping: threading.Event
) -> Iterator[list[ReplayedRow]]:
    """What is done already takes no time."""
    stamps = Stamps(now_micros())
    new = (line for line in lines if _is_new(line, done))
    return paced(((stamps.of(line.payload), line) for line in new), speed, stopping)


def _batch(rows: Sequence[ReplayedRow]) -> Batch:
    cursor = {line.key: str(line.number) for line in rows}
    return Batch(tuple(line.payload for line in rows), cursor or None)
